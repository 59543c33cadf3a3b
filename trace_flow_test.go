package icmplib

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// forked is a network with many ways, of which a flow takes one.
const forked = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1 delay=5ms
	node a 10.0.2.1 2001:db8:2::1 delay=5ms
	node b 10.0.2.2 2001:db8:2::2 delay=5ms
	node c 10.0.2.3 2001:db8:2::3 delay=5ms
	node d 10.0.2.4 2001:db8:2::4 delay=5ms
	node e 10.0.3.1 2001:db8:3::1 delay=5ms
	node f 10.0.3.2 2001:db8:3::2 delay=5ms
	node t 10.0.9.9 2001:db8:9::9 delay=10ms
	path 10.0.9.0/24 2001:db8:9::/64 r1 flow( a | b | c | d ) flow( e | f ) t
`

// flowFields are the header fields by which the simulated routers, and real
// ones, tell flows apart. Those of a UDP header end with its ports: its checksum
// is what makes a probe recognisable.
type flowFields struct {
	source, destination string
	protocol            uint8
	sourcePort          uint16
	port                uint16
	label               uint32
	id, checksum        uint16 // of ICMP
	class               uint8
}

func flowFieldsOf(r *netsim.Record) flowFields {
	f := flowFields{
		source: r.Source.String(), destination: r.Destination.String(), protocol: r.Protocol,
		sourcePort: r.SourcePort, port: r.DestPort, label: r.FlowLabel, id: r.ID, class: r.TrafficClass,
	}
	if r.SourcePort == 0 {
		f.checksum = r.Checksum
	}
	return f
}

func TestATraceIsOneFlow(t *testing.T) {
	for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
		for _, v := range traceVariants {
			if v == (variant{TCP, true}) {
				continue // each probe is a connection of its own
			}
			t.Run(fmt.Sprintf("%v to %s", v, target), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { checkOneFlow(t, v, target) })
			})
		}
	}
}

func checkOneFlow(t *testing.T, v variant, target string) {
	n := netsim.MustParse(forked)
	p := simProber(t, n, v.datagram)
	defer p.Close()
	opts := &TracerouteOptions{Count: 10, Packet: Packet{Protocol: v.protocol, TrafficClass: 0x20}}
	route, err := p.Traceroute(t.Context(), target, opts)
	if err != nil || !route.Reached || len(route.Hops) != 4 {
		t.Fatalf("route %+v, %v", route, err)
	}
	for _, h := range route.Hops {
		if len(h.Responders) != 1 {
			t.Errorf("hop %d is %d routers: %+v", h.Distance, len(h.Responders), h.Responders)
		}
	}
	log := n.Log()
	sums, payloads := map[uint16]bool{}, map[string]bool{}
	for i := range log {
		if got, want := flowFieldsOf(&log[i]), flowFieldsOf(&log[0]); got != want || !log[i].ChecksumOK {
			t.Errorf("packet %d is of the flow %+v, not %+v; checksum right: %v", i, got, want, log[i].ChecksumOK)
		}
		sums[log[i].Checksum], payloads[string(log[i].Payload)] = true, true
	}
	switch {
	case v.protocol == ICMP && len(payloads) != len(log):
		t.Errorf("%d packets have %d payloads", len(log), len(payloads))
	case v.protocol == UDP && len(sums) != len(log):
		t.Errorf("%d packets have %d checksums", len(log), len(sums))
	}
}

func TestTheCallerChoosesTheFlow(t *testing.T) {
	cases := []struct {
		name   string
		packet Packet
		want   flowFields
	}{
		{"ports of UDP", Packet{Protocol: UDP, SourcePort: 4000, Port: 53}, flowFields{protocol: 17, sourcePort: 4000, port: 53}},
		{"ports of TCP", Packet{Protocol: TCP, SourcePort: 4001, Port: 443}, flowFields{protocol: 6, sourcePort: 4001, port: 443}},
		{"ports of SCTP", Packet{Protocol: SCTP, SourcePort: 4002, Port: 36412}, flowFields{protocol: 132, sourcePort: 4002, port: 36412}},
		{"the flow label", Packet{Protocol: UDP, SourcePort: 9, FlowLabel: 0xbeef5}, flowFields{protocol: 17, sourcePort: 9, port: 33434, label: 0xbeef5}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := netsim.MustParse(forked)
				p := simProber(t, n, false)
				defer p.Close()
				if _, err := p.Traceroute(t.Context(), "2001:db8:9::9", &TracerouteOptions{Packet: tc.packet}); err != nil {
					t.Fatal(err)
				}
				log := n.Log()
				got := flowFieldsOf(&log[0])
				if tc.want.label == 0 {
					got.label = 0
				}
				tc.want.source, tc.want.destination = "2001:db8::1", "2001:db8:9::9"
				if got != tc.want {
					t.Errorf("flow %+v, want %+v", got, tc.want)
				}
			})
		})
	}
}
