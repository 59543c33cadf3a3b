package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
)

func TestEachProbeIsASpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		s := newSpans(slog.New(slog.NewJSONHandler(&out, nil)))
		p := icmptest.NewProber(t, `
			client 192.0.2.1
			node r1 203.0.113.1 delay=5ms
			node dark 203.0.113.2 silent
			node web 198.51.100.7 delay=10ms duplicate@1
			path 198.51.100.7/32 r1 dark web
		`, &icmplib.Config{Trace: s.note})
		if _, err := p.Traceroute(t.Context(), "web", &icmplib.TracerouteOptions{Count: 1}); err != nil {
			t.Fatal(err)
		}
		p.Close()
		var got []string
		for line := range strings.Lines(out.String()) {
			var span struct {
				Msg, Outcome, By string
				TTL              int
				Took             time.Duration
			}
			if err := json.Unmarshal([]byte(line), &span); err != nil {
				t.Fatal(err)
			}
			if span.TTL <= 3 { // probes beyond the target are in flight, too
				got = append(got, fmt.Sprint(span.TTL, " ", span.Msg, ": ", span.Outcome, " ", span.By, " ", span.Took))
			}
		}
		slices.Sort(got)
		want := []string{
			"1 icmp probe of 198.51.100.7: received 203.0.113.1 10ms",
			"2 icmp probe of 198.51.100.7: silent  2s",
			"3 icmp probe of 198.51.100.7: received 198.51.100.7 30ms",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(s.open) > 0 {
			t.Errorf("%d spans stay open", len(s.open))
		}
	})
}
