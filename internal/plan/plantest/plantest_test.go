package plantest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

func TestAFlightComesInOrder(t *testing.T) {
	start := time.Unix(1000, 0)
	f := Flight{Timeout: 50 * time.Millisecond}
	if _, _, ok := f.Next(time.Time{}); ok || !f.IsEmpty() {
		t.Error("something comes of nothing")
	}
	f.Add(plan.Observation{Key: 1, Kind: plan.Silent, Sent: start})
	f.Add(plan.Observation{Key: 2, Kind: plan.Reply, Sent: start, RTT: 20 * time.Millisecond})
	for _, tt := range []struct {
		wake, now time.Duration // since start
		key       plan.Key      // 0: nothing comes
	}{{10, 10, 0}, {20, 20, 2}, {0, 50, 1}, {70, 70, 0}} {
		var wake time.Time
		if tt.wake > 0 {
			wake = start.Add(tt.wake * time.Millisecond)
		}
		now, o, ok := f.Next(wake)
		if !ok || !now.Equal(start.Add(tt.now*time.Millisecond)) || (o == nil) != (tt.key == 0) || o != nil && o.Key != tt.key {
			t.Errorf("%+v: %v, %+v, %v", tt, now.Sub(start), o, ok)
		}
	}
}

func TestAnAddressIsItsName(t *testing.T) {
	for _, name := range []string{"a", "router12"} {
		if got := NameOf(Address(name)); got != name {
			t.Errorf("%q, want %q", got, name)
		}
	}
	if got := NameOf(netip.Addr{}); got != "*" {
		t.Errorf("silence is %q", got)
	}
}
