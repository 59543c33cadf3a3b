package icmplib

import (
	"testing"

	"github.com/goicmp/icmplib/internal/engine"
)

func TestRTTSourceWords(t *testing.T) {
	for _, tt := range []struct {
		source RTTSource
		engine engine.Measure
		want   string
	}{
		{RTTNone, engine.Unmeasured, "none"},
		{RTTNoticed, engine.ByNotice, "noticed"},
		{RTTRead, engine.ByRead, "read"},
		{RTTCounter, engine.ByCounter, "counter"},
		{RTTClock, engine.ByClock, "clock"},
		{RTTKernel, engine.ByKernel, "kernel"},
		{9, 9, "RTTSource(9)"},
	} {
		if got := tt.source.String(); got != tt.want || RTTSource(tt.engine) != tt.source {
			t.Errorf("%d is %q, want %q", tt.source, got, tt.want)
		}
	}
}
