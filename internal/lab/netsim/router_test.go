package netsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

// routed is a router r and a target t with the words that are given.
func routed(router, target string) string {
	return fmt.Sprintf("node r 10.0.1.1 2001:db8:1::1 %s\nnode t 10.0.9.9 2001:db8:9::9 %s\npath 10.0.9.0/24 2001:db8:9::/64 r t", router, target)
}

func TestMTU(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "a router says what does not fit, and how much does",
			net:  routed("mtu=100", ""),
			send: [][]byte{probe{to: target4, df: true, size: 72}.echo(), probe{to: target4, df: true, size: 73}.echo()},
			want: []string{"+0s 10.0.9.9 echo 0.0", "+0s 10.0.1.1 3/4 0x64"},
		},
		{
			name: "without DF a packet of IPv4 passes in fragments",
			net:  routed("mtu=100", ""),
			send: [][]byte{probe{to: target4, size: 500}.echo()},
			want: []string{"+0s 10.0.9.9 echo 0.0"},
		},
		{
			name: "a packet of IPv6 never does",
			net:  routed("mtu=1280", ""),
			send: [][]byte{probe{to: target6, size: 1232}.echo(), probe{to: target6, size: 1233}.echo()},
			want: []string{"+0s 2001:db8:9::9 echo 0.0", "+0s 2001:db8:1::1 2/0 0x500"},
		},
		{
			name:  "a black hole drops without a word",
			net:   routed("mtu=1280 black-hole", ""),
			send:  [][]byte{probe{to: target6, size: 1400}.echo()},
			truth: []string{"r dropped: black hole"},
		},
		{
			name: "an old router does not say how much fits",
			net:  routed("mtu=100 hide-mtu", ""),
			send: [][]byte{probe{to: target4, df: true, size: 73}.echo()},
			want: []string{"+0s 10.0.1.1 3/4"},
		},
		{
			name: "fragments of the client are put together, in any order",
			net:  routed("mtu=400", ""),
			send: [][]byte{fragmentOf(496, false), fragmentOf(0, true), fragmentOf(248, true)},
			want: []string{"+0s 10.0.9.9 echo 0.7"},
			truth: []string{
				"held: fragment", "held: fragment", "t answered: echo reply",
			},
		},
	})
}

// fragmentOf is a part of an echo request with 500 bytes of payload.
func fragmentOf(offset int, more bool) []byte {
	whole := probe{to: target4, seq: 7, size: 500}.echo()[wire.IPv4MinHeaderLen:]
	part := whole[offset:min(offset+248, len(whole))]
	b := probe{to: target4}.packet(wire.ProtocolICMP, part)
	field := uint16(offset / 8)
	if more {
		field |= 0x2000
	}
	put16(b[6:], field)
	p := packet{b: b}
	p.fixHeader()
	return b
}

func TestFragmentsOfIPv6ArePutTogether(t *testing.T) {
	n := MustParse(clients + routed("", ""))
	whole := probe{to: target6, seq: 7, size: 100}.echo()[wire.IPv6HeaderLen:]
	first := wire.AppendFragmentHeader(nil, wire.ProtocolICMPv6, 0, true, 5)
	last := wire.AppendFragmentHeader(nil, wire.ProtocolICMPv6, 64, false, 5)
	if ds := n.Send(start, probe{to: target6}.packet(wire.ProtocolFragment, append(first, whole[:64]...))); len(ds) > 0 {
		t.Errorf("the first fragment was answered: %v", show(start, ds[0]))
	}
	ds := n.Send(start, probe{to: target6}.packet(wire.ProtocolFragment, append(last, whole[64:]...)))
	if len(ds) != 1 || show(start, ds[0]) != "+0s 2001:db8:9::9 echo 0.7" || len(ds[0].Packet) != 148 {
		t.Errorf("deliveries %v", ds)
	}
}

func TestRouters(t *testing.T) {
	runAll(t, []scenario{
		{
			name:  "a silent router sends no errors, but forwards, and answers echo requests for itself",
			net:   routed("silent", ""),
			send:  [][]byte{probe{to: target4, ttl: 1}.echo(), probe{to: target4}.echo(), probe{to: "10.0.1.1"}.echo()},
			want:  []string{"+0s 10.0.9.9 echo 0.0", "+0s 10.0.1.1 echo 0.0"},
			truth: []string{"r dropped: time exceeded, silently"},
		},
		{
			name: "a router may be silent about some packets only",
			net:  routed("silent@udp", ""),
			send: [][]byte{probe{to: target4, ttl: 1}.udp(), probe{to: target4, ttl: 1}.echo()},
			want: []string{"+0s 10.0.1.1 11/0"},
		},
		{
			name:  "a rate limit leaves a burst, and then so many per second",
			net:   routed("rate=10 burst=2", ""),
			every: 50 * time.Millisecond,
			send:  echoes(7, probe{to: target4, ttl: 1}),
			want:  []string{"+0s 10.0.1.1 11/0", "+0s 10.0.1.1 11/0", "+0s 10.0.1.1 11/0", "+0s 10.0.1.1 11/0", "+0s 10.0.1.1 11/0"},
			truth: []string{"r dropped: time exceeded, rate limited", "r dropped: time exceeded, rate limited"},
		},
		{
			name: "a router may answer from another address, and a target too",
			net:  routed("from=10.7.7.7,2001:db8:7::7", "from=10.7.7.9@2"),
			send: [][]byte{probe{to: target4, ttl: 1}.echo(), probe{to: target6, ttl: 1}.echo(), probe{to: target4}.echo(), probe{to: target4}.echo()},
			want: []string{"+0s 10.7.7.7 11/0", "+0s 2001:db8:7::7 3/0", "+0s 10.0.9.9 echo 0.0", "+0s 10.7.7.9 echo 0.0"},
		},
	})
}

func TestTTLOnTheWay(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "a tunnel does not count down",
			net:  "node a 10.0.1.1 tunnel\n" + strings.Replace(routed("", ""), "64 r t", "64 a r t", 1),
			send: [][]byte{probe{to: target4, ttl: 1}.echo()},
			want: []string{"+0s 10.0.1.1 11/0"},
		},
		{
			name: "a router that forwards with TTL 0 leads to a quote that says so",
			net:  "node a 10.0.2.1 zero-ttl\n" + strings.Replace(routed("", ""), "64 r t", "64 a r t", 1),
			send: traces(2, probe{to: target4}),
			want: []string{"+0s 10.0.1.1 11/0", "+0s 10.0.1.1 11/0"},
			check: func(t *testing.T, ds []Delivery) {
				if a, b := ds[0].Packet[28+8], ds[1].Packet[28+8]; a != 0 || b != 1 {
					t.Errorf("quoted TTLs %d and %d", a, b)
				}
			},
		},
		{
			name: "a router may quote another TTL and traffic class",
			net:  routed("quote-ttl=0 quote-class=8", ""),
			send: traces(1, probe{to: target4, tc: 16}),
			want: []string{"+0s 10.0.1.1 11/0"},
			check: func(t *testing.T, ds []Delivery) {
				if q := ds[0].Packet[28:]; q[8] != 0 || q[1] != 8 {
					t.Errorf("quoted TTL %d, class %d", q[8], q[1])
				}
			},
		},
		{
			name: "packets go round in a loop until their TTL ends",
			net:  "node a 10.0.1.1 delay=1ms\nnode b 10.0.1.2 delay=1ms\npath 0.0.0.0/0 loop( a b )",
			send: traces(4, probe{to: "10.9.9.9"}),
			want: []string{"+2ms 10.0.1.1 11/0", "+4ms 10.0.1.2 11/0", "+6ms 10.0.1.1 11/0", "+8ms 10.0.1.2 11/0"},
		},
		{
			name:  "what has no route is gone",
			net:   routed("", ""),
			send:  [][]byte{probe{to: "10.99.0.1"}.echo()},
			truth: []string{"dropped: no route"},
		},
		{
			name:  "no error is about an error",
			net:   routed("", ""),
			send:  [][]byte{probe{to: target4, ttl: 1}.packet(wire.ProtocolICMP, []byte{11, 0, 0xf4, 0xff, 0, 0, 0, 0})},
			truth: []string{"r dropped: time exceeded, of which no error may tell"},
		},
	})
}

func TestTTLOfAnswers(t *testing.T) {
	runAll(t, []scenario{{
		name: "answers begin with a node's own TTL, which the way back counts down, and a longer way more",
		net:  routed("ttl=255", "ttl=128 back-hops=5"),
		send: traces(2, probe{to: target4}),
		want: []string{"+0s 10.0.1.1 11/0", "+0s 10.0.9.9 echo 0.2"},
		check: func(t *testing.T, ds []Delivery) {
			if a, b := ds[0].Packet[8], ds[1].Packet[8]; a != 255 || b != 128-5-1 {
				t.Errorf("TTLs %d and %d", a, b)
			}
		},
	}, {
		name:  "an answer may expire on its way back",
		net:   routed("", "ttl=5 back-hops=5"),
		send:  [][]byte{probe{to: target4}.echo()},
		truth: []string{"t dropped: TTL expired on the way back"},
	}})
}
