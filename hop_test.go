package icmplib

import (
	"net/netip"
	"testing"
	"time"
)

// What a responder received is part of what the hop received: a second answer to
// a probe, and one that is late, count in neither.
func TestAResponderCountsTheProbesThatItAnswered(t *testing.T) {
	from := func(responder string, r Result) Result {
		r.Responder = netip.MustParseAddr(responder)
		return r
	}
	const a, b = "192.0.2.1", "192.0.2.2"
	answer := routerError(0, StatusTTLExpired, time.Millisecond)
	second := routerError(1, StatusTTLExpired, time.Millisecond)
	for _, tt := range []struct {
		name    string
		results []Result
		a, b    int
	}{
		{"two answers", []Result{from(a, answer), from(a, second)}, 2, 0},
		{"a duplicate", []Result{from(a, answer), from(a, duplicate(answer))}, 1, 0},
		{"a duplicate from elsewhere", []Result{from(a, answer), from(b, duplicate(answer))}, 1, 0},
		{"a late answer", []Result{fate(0, StatusNoReply), from(a, late(answer)), from(a, second)}, 1, 0},
		{"one each", []Result{from(a, answer), from(b, second)}, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h, watched Hop
			for i := range tt.results {
				r := &tt.results[i]
				h.Add(*r)
				watched.addLatest(r, r.Seq)
			}
			for _, hop := range []*Hop{&h, &watched} {
				got := map[string]int{}
				for i := range hop.Responders {
					got[hop.Responders[i].Address.String()] = hop.Responders[i].PacketsReceived
				}
				if got[a] != tt.a || got[b] != tt.b || hop.PacketsReceived != tt.a+tt.b {
					t.Errorf("%v of %d", got, hop.PacketsReceived)
				}
			}
		})
	}
}
