package icmplib

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/netsim"
)

const monitoredNetwork = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 delay=5ms
node r2 10.0.2.1 2001:db8:2::1 delay=5ms
node r3 10.0.3.1 2001:db8:3::1 delay=5ms silent
node t  10.0.9.9 2001:db8:9::9 delay=5ms
path 10.0.9.0/24 2001:db8:9::/64 r1 r2 r3 t
`

// Each round tells of every hop, over each protocol, kind of socket and family.
func TestMonitorTellsOfEachRound(t *testing.T) {
	for _, v := range traceVariants {
		for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
			t.Run(v.String()+"/"+target, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := simProber(t, netsim.MustParse(monitoredNetwork), v.datagram)
					defer p.Close()
					const rounds = 5
					var last *Snapshot
					for s, err := range p.Monitor(t.Context(), target, &MonitorOptions{Rounds: rounds, Packet: Packet{Protocol: v.protocol}}) {
						if err != nil {
							t.Fatal(err)
						}
						checkSnapshot(t, s)
						if len(s.Events) > 0 {
							t.Errorf("round %d: %+v", s.Round, s.Events)
						}
						last = s
					}
					if last == nil || last.Round != rounds || !last.Reached || last.End != EndReached || len(last.Hops) != 4 {
						t.Fatalf("the last snapshot is %+v", last)
					}
					for i, received := range []int{rounds, rounds, 0, rounds} {
						h := &last.Hops[i]
						if h.PacketsSent != rounds || h.PacketsReceived != received || h.Distance != i+1 {
							t.Errorf("hop %d: %d of %d", h.Distance, h.PacketsReceived, h.PacketsSent)
						}
						if want := time.Duration(i+1) * 10 * time.Millisecond; received > 0 && h.AvgRTT() != want {
							t.Errorf("hop %d: %v, want %v", h.Distance, h.AvgRTT(), want)
						}
					}
				})
			})
		}
	}
}

func checkSnapshot(t *testing.T, s *Snapshot) {
	t.Helper()
	for i := range s.Hops {
		checkInvariants(t, &s.Hops[i].Stats)
	}
	if !slices.IsSortedFunc(s.Events, func(a, b Event) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("round %d: events are not in order of time: %+v", s.Round, s.Events)
	}
}

func TestMonitorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(monitoredNetwork), false)
		defer p.Close()
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		time.AfterFunc(3200*time.Millisecond, func() { cancel(cause) })
		var rounds []int
		var end error
		unsettled := 0
		for s, err := range p.Monitor(ctx, "10.0.9.9", nil) {
			if err != nil {
				end = err
				continue
			}
			rounds = append(rounds, s.Round)
			checkSnapshot(t, s)
			unsettled = 0
			for i := range s.Hops {
				unsettled += s.Hops[i].Unsettled
			}
		}
		if !errors.Is(end, cause) || !slices.Equal(rounds, []int{1, 2, 3, 4}) {
			t.Errorf("rounds %v, then %v", rounds, end)
		}
		if unsettled != 2 { // the silent hop is probed once a round
			t.Errorf("%d unsettled, want 2", unsettled)
		}
	})
}
