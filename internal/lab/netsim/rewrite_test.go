package netsim

import (
	"fmt"
	"testing"

	"github.com/goicmp/icmplib/internal/wire"
)

// translated is a path with a translator n before a router r and a target t.
func translated(words string) string {
	return fmt.Sprintf("node n 10.0.0.1 2001:db8::aa %s\n", words) +
		"node r 10.0.1.1 2001:db8:1::1\nnode t 10.0.9.9 2001:db8:9::9 udp-echo=7\npath 10.0.9.0/24 2001:db8:9::/64 n r t"
}

func TestRewriting(t *testing.T) {
	cases := []struct {
		name  string
		words string
		probe []byte // with TTL 2, so that r quotes it
		want  string // of the packet that r quotes
	}{
		{"the source address", "nat-source=198.51.100.7", probe{to: target4, ttl: 2}.echo(), "198.51.100.7 > 10.0.9.9 class 0 echo 0.0"},
		{"that of IPv6", "nat-source=2001:db8::77", probe{to: target6, ttl: 2}.echo(), "2001:db8::77 > 2001:db8:9::9 class 0 echo 0.0"},
		{"the destination address", "nat-destination=10.0.9.10", probe{to: target4, ttl: 2}.echo(), "192.0.2.1 > 10.0.9.10 class 0 echo 0.0"},
		{"ports", "nat-source-port=5 nat-destination-port=7", probe{to: target4, ttl: 2}.udp(), "192.0.2.1 > 10.0.9.9 class 0 udp 5"},
		{"the id of echo requests", "nat-id=500", probe{to: target4, ttl: 2, id: 7, seq: 1}.echo(), "192.0.2.1 > 10.0.9.9 class 0 echo 500.1"},
		{"the traffic class", "nat-class=32", probe{to: target6, ttl: 2, tc: 8}.echo(), "2001:db8::1 > 2001:db8:9::9 class 32 echo 0.0"},
		{"quotes may be translated back", "nat-source=198.51.100.7 nat-id=9 nat-quotes", probe{to: target4, ttl: 2, id: 7}.echo(), "192.0.2.1 > 10.0.9.9 class 0 echo 7.0"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ds := MustParse(clients+translated(tc.words)).Send(start, tc.probe)
			if len(ds) != 1 || ds[0].Node != "r" {
				t.Fatalf("deliveries %v", ds)
			}
			p, _ := parsePacket(ds[0].Packet)
			q, _ := parsePacket(p.transport()[icmpHeader:])
			if got := fmt.Sprintf("%v > %v class %d %s", q.source(), q.destination(), q.trafficClass(), q.show()); got != tc.want {
				t.Errorf("quoted %s, want %s", got, tc.want)
			}
			if sent := parsed(t, tc.probe); !p.verify() || p.destination() != sent.source() {
				t.Errorf("the error itself is not in order: %x", p.b)
			}
		})
	}
}

func parsed(t *testing.T, b []byte) packet {
	t.Helper()
	p, ok := parsePacket(b)
	if !ok {
		t.Fatalf("no packet: %x", b)
	}
	return p
}

func TestRewrittenPacketsAreTranslatedBack(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "echo replies have the address and the id of the request",
			net:  translated("nat-source=198.51.100.7 nat-destination=10.0.9.10 nat-id=500"),
			send: [][]byte{probe{to: target4, id: 7, seq: 1}.echo()},
			want: []string{"+0s 10.0.9.9 echo 7.1"},
		},
		{
			name: "and answers from ports the ports",
			net:  translated("nat-source=2001:db8::77 nat-source-port=5 nat-destination-port=7"),
			send: [][]byte{probe{to: target6, port: 99}.udp()},
			want: []string{"+0s 2001:db8:9::9 udp 99"},
		},
		{
			name:  "without that they do not come back",
			net:   translated("nat-source=198.51.100.7 nat-one-way"),
			send:  [][]byte{probe{to: target4}.echo()},
			truth: []string{"n altered: rewritten", "t dropped: not for the client"},
		},
		{
			name: "a packet that the translator itself does not forward is quoted rewritten",
			net:  translated("nat-id=500 mtu=100"),
			send: [][]byte{probe{to: target4, df: true, size: 100}.echo()},
			want: []string{"+0s 10.0.0.1 3/4 0x64"},
		},
		{
			name: "a wrong checksum that a router makes is not the hosts' business",
			net:  translated("nat-checksum=4711"),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target4, ttl: 2}.echo()},
			want: []string{"+0s 10.0.9.9 echo 0.0", "+0s 10.0.1.1 11/0"},
			check: func(t *testing.T, ds []Delivery) {
				if got := get16(ds[1].Packet[28+20+2:]); got != 4711 {
					t.Errorf("the quoted checksum is %d", got)
				}
			},
		},
		{
			name: "the header may be changed: DF, id, options",
			net:  translated("nat-df nat-ip-id=77 nat-options"),
			send: [][]byte{probe{to: target4, df: true, ttl: 2}.echo()},
			want: []string{"+0s 10.0.1.1 11/0"},
			check: func(t *testing.T, ds []Delivery) {
				q := ds[0].Packet[28:]
				if q[0] != 0x46 || q[6] != 0 || get16(q[4:]) != 77 || wire.Checksum(q[:24]) != 0 {
					t.Errorf("quoted header %x", q[:24])
				}
			},
		},
		{
			name: "and the flow label, and an extension header put in",
			net:  translated("nat-label=77 nat-options"),
			send: [][]byte{probe{to: target6, label: 5, ttl: 2}.echo()},
			want: []string{"+0s 2001:db8:1::1 3/0"},
			check: func(t *testing.T, ds []Delivery) {
				q := ds[0].Packet[48:]
				if get32(q)&0xfffff != 77 || q[6] != wire.ProtocolDestinationOptions {
					t.Errorf("quoted header %x", q[:40])
				}
			},
		},
	})
}
