package icmplib

import (
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// withSilence is a path with a silent router, and a target with a UDP service.
const withSilence = `
	client 192.0.2.1
	node r1 10.0.1.1 delay=5ms
	node r2 10.0.2.1 delay=5ms silent
	node r3 10.0.3.1 delay=5ms
	node t 10.0.9.9 delay=10ms tcp=80 udp-echo=80
	path 10.0.9.0/24 r1 r2 r3 t
`

// Without privileges a TCP probe is a connection, of which there cannot be two
// with the same ports and addresses: a fixed source port makes them wait for one
// another, and one flow.
func TestATraceByConnectionsFromOnePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(withSilence)
		p := simProber(t, n, true)
		defer p.Close()
		opts := &TracerouteOptions{Packet: Packet{Protocol: TCP, SourcePort: 4000}}
		route, err := p.Traceroute(t.Context(), "10.0.9.9", opts)
		if err != nil {
			t.Fatal(err)
		}
		checkWithSilence(t, route)
		log := n.Log()
		for i := range log {
			if got, want := flowFieldsOf(&log[i]), flowFieldsOf(&log[0]); got != want {
				t.Errorf("packet %d is of the flow %+v, not %+v", i, got, want)
			}
		}
	})
}

// A source port that somebody else has for good is no reason to wait for ever.
func TestATraceFromAPortThatStaysInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(withSilence)
		other, p := simProber(t, n, false), simProber(t, n, false)
		defer other.Close()
		defer p.Close()
		opts := &TracerouteOptions{Packet: Packet{Protocol: TCP, SourcePort: 4000}}
		if _, err := other.Traceroute(t.Context(), "10.0.9.9", opts); err != nil {
			t.Fatal(err)
		}
		if route, err := p.Traceroute(t.Context(), "10.0.9.9", opts); err == nil {
			t.Errorf("route %+v", route)
		}
	})
}

// Datagrams that are all alike are told apart by nothing but their time.
func TestATraceWithThePayloadOfTheCaller(t *testing.T) {
	for _, v := range []variant{{ICMP, false}, {ICMP, true}, {UDP, false}, {UDP, true}} {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(withSilence), v.datagram)
				defer p.Close()
				opts := &TracerouteOptions{Packet: Packet{Protocol: v.protocol, Payload: []byte("hello")}}
				if v.protocol == UDP {
					opts.Packet.Port = 80
				}
				route, err := p.Traceroute(t.Context(), "10.0.9.9", opts)
				if err != nil {
					t.Fatal(err)
				}
				checkWithSilence(t, route)
			})
		})
	}
}

func checkWithSilence(t *testing.T, r *Route) {
	t.Helper()
	const want = "10.0.1.1,*,10.0.3.1,10.0.9.9"
	if got := routeFigure(r, "hops"); got != want || r.End != EndReached {
		t.Errorf("hops %s, end %v, want %s", got, r.End, want)
	}
	if got := routeFigure(r, "sent"); got != "2,2,2,2" {
		t.Errorf("sent %s", got)
	}
	if got := routeFigure(r, "loss"); got != "0.00,1.00,0.00,0.00" {
		t.Errorf("loss %s", got)
	}
}
