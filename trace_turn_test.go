package icmplib

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Traces that run at once share a socket, and mistake nobody's answers.
func TestTracesToOneTargetAtOnce(t *testing.T) {
	for _, v := range traceVariants {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(forked), v.datagram)
				defer p.Close()
				routes := make(chan *Route)
				for range 3 {
					go func() {
						route, err := p.Traceroute(t.Context(), "10.0.9.9", &TracerouteOptions{Packet: Packet{Protocol: v.protocol}})
						if err != nil {
							t.Error(err)
						}
						routes <- route
					}()
				}
				start := time.Now()
				for range 3 {
					route := <-routes
					if !route.Reached || len(route.Hops) != 4 {
						t.Errorf("route %+v", route)
					}
					for _, h := range route.Hops {
						if h.PacketsReceived != 2 || h.PacketsSent != 2 {
							t.Errorf("hop %+v", h)
						}
					}
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// shortQuotes is a path with routers that quote 8 bytes.
const shortQuotes = `
	client 192.0.2.1
	node r1 10.0.1.1 delay=5ms
	node r2 10.0.2.1 delay=5ms quote=8
	node r3 10.0.3.1 delay=5ms quote=8
	node t 10.0.9.9 delay=10ms
	path 10.0.9.0/24 r1 r2 r3 t
`

// Who waits for a trace with the hop of another one in hand does not wait for
// ever.
func TestATraceWithinATraceWithShortQuotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(shortQuotes), true)
		defer p.Close()
		opts := &TracerouteOptions{Packet: Packet{Protocol: UDP}}
		var hops []string
		for h, err := range p.TracerouteSeq(t.Context(), "10.0.9.9", opts) {
			if err != nil {
				t.Fatal(err)
			}
			hops = append(hops, h.Address.String())
			if inner, err := p.Traceroute(t.Context(), "10.0.9.9", opts); err != nil || !inner.Reached || len(inner.Hops) != 4 {
				t.Errorf("route %+v, %v", inner, err)
			}
		}
		if len(hops) != 4 {
			t.Errorf("hops %v", hops)
		}
	})
}

// Where answers do not say which probe they are to, traces take turns.
func TestTracesToOneTargetAtOnceWithShortQuotes(t *testing.T) {
	for _, v := range []variant{{UDP, true}, {SCTP, false}} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(shortQuotes), v.datagram)
				defer p.Close()
				routes := make(chan *Route)
				start := time.Now()
				for i := range 3 {
					go func() {
						time.Sleep(time.Duration(i) * 7 * time.Millisecond)
						route, err := p.Traceroute(t.Context(), "10.0.9.9", &TracerouteOptions{Packet: Packet{Protocol: v.protocol}})
						if err != nil {
							t.Error(err)
						}
						routes <- route
					}()
				}
				for range 3 {
					route := <-routes
					if got := routeFigure(route, "hops"); got != "10.0.1.1,10.0.2.1,10.0.3.1,10.0.9.9" {
						t.Errorf("hops %s", got)
					}
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
