package icmplib

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const shortQuoters = `
client 192.0.2.1
node r1 10.0.1.1 delay=100ms quote=8
node r2 10.0.2.1 delay=200ms quote=8
node r3 10.0.3.1 delay=200ms silent
node r4 10.0.4.1 delay=100ms quote=8
node t  10.0.9.9 delay=100ms
path 10.0.9.0/24 r1 r2 r3 r4 t
`

// Answers that do not say which probe they are to are credited to the right one
// or to none: no loss is seen where there is none, no RTT is wrong, and nobody
// answers at a hop who is not there. Two monitors of one target do not disturb
// each other.
func TestMonitorWithShortQuotes(t *testing.T) {
	for _, v := range traceVariants {
		for _, sourcePort := range []uint16{0, 4321} {
			if v.protocol == ICMP && sourcePort > 0 {
				continue
			}
			name := v.String()
			if sourcePort > 0 {
				name += "-fixed-port"
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := simProber(t, netsim.MustParse(shortQuoters), v.datagram)
					defer p.Close()
					var all sync.WaitGroup
					monitors := 2
					if sourcePort > 0 { // there is but one connection with these ports at a time
						monitors = 1
					}
					for range monitors {
						all.Go(func() {
							opts := &MonitorOptions{Rounds: 20, Timeout: time.Second + 500*time.Millisecond, Packet: Packet{Protocol: v.protocol, SourcePort: sourcePort}}
							checkShortQuotes(t, p, opts)
						})
					}
					all.Wait()
				})
			})
		}
	}
}

func checkShortQuotes(t *testing.T, p *Prober, opts *MonitorOptions) {
	var last *Snapshot
	for s, err := range p.Monitor(t.Context(), "10.0.9.9", opts) {
		if err != nil {
			t.Error(err)
			return
		}
		checkSnapshot(t, s)
		if len(s.Events) > 0 {
			t.Errorf("round %d: %+v", s.Round, s.Events)
		}
		last = s
	}
	if len(last.Hops) != 5 {
		t.Fatalf("%d hops: %+v", len(last.Hops), last.Hops)
	}
	rtts := []time.Duration{200, 600, 0, 1200, 1400}
	for i, rtt := range rtts {
		h := &last.Hops[i]
		rtt *= time.Millisecond
		if rtt == 0 {
			if h.PacketsReceived > 0 {
				t.Errorf("hop %d is silent, and %v answers", i+1, h.Address)
			}
			continue
		}
		if h.PacketLoss() > 0 || h.PacketsSent < 10 || h.MinRTT() != rtt || h.MaxRTT() != rtt || len(h.Responders) != 1 {
			t.Errorf("hop %d: %d of %d, %v to %v, %d responders; want no loss and %v",
				i+1, h.PacketsReceived, h.PacketsSent, h.MinRTT(), h.MaxRTT(), len(h.Responders), rtt)
		}
	}
}
