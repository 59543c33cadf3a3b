package icmplib

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// probed is a router and a target, to which words are added.
func probed(router, target string) string {
	return fmt.Sprintf(`
		client 192.0.2.1 2001:db8::1
		node r 10.0.1.1 2001:db8:1::1 delay=5ms %s
		node t 10.0.9.9 2001:db8:9::9 delay=10ms udp-echo=7 udp=9 tcp=80 sctp=80 %s
		path 10.0.9.0/24 2001:db8:9::/64 r t
	`, router, target)
}

var (
	probedTarget = [2]netip.Addr{netip.MustParseAddr("10.0.9.9"), netip.MustParseAddr("2001:db8:9::9")}
	probedRouter = [2]netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("2001:db8:1::1")}
)

const (
	toRouter = 10 * time.Millisecond
	toTarget = 30 * time.Millisecond
)

// probeFates are single packets and what becomes of them over either IP version
// and with either kind of socket.
var probeFates = []struct {
	name           string
	router, target string // words
	packet         Packet
	status         Status
	from           *[2]netip.Addr
	rtt            time.Duration
	code           [2]string // type/code of IPv4 and IPv6
}{
	{"an echo request is answered", "", "", Packet{}, StatusReply, &probedTarget, toTarget, [2]string{"0/0", "129/0"}},
	{"a closed UDP port answers", "", "", Packet{Protocol: UDP}, StatusReply, &probedTarget, toTarget, [2]string{"3/3", "1/4"}},
	{"an open UDP port answers", "", "", Packet{Protocol: UDP, Port: 7}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"also to the caller's payload", "", "", Packet{Protocol: UDP, Port: 7, Payload: []byte("hello")}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"an open UDP port need not answer", "", "", Packet{Protocol: UDP, Port: 9}, StatusNoReply, nil, 0, [2]string{}},
	{"an open TCP port answers", "", "", Packet{Protocol: TCP}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"a closed TCP port answers", "", "", Packet{Protocol: TCP, Port: 81}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"an open SCTP port answers", "", "", Packet{Protocol: SCTP}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"a closed SCTP port answers", "", "", Packet{Protocol: SCTP, Port: 81}, StatusReply, &probedTarget, toTarget, [2]string{}},
	{"the TTL of an echo request ends", "", "", Packet{TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"the TTL of a datagram ends", "", "", Packet{Protocol: UDP, TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"the TTL of a SYN ends", "", "", Packet{Protocol: TCP, TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"the TTL of an INIT ends", "", "", Packet{Protocol: SCTP, TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"the only datagram needs no mark", "quote=8", "", Packet{Protocol: UDP, TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"the only INIT needs no mark", "quote=8", "", Packet{Protocol: SCTP, TTL: 1}, StatusTTLExpired, &probedRouter, toRouter, [2]string{"11/0", "3/0"}},
	{"a router refuses an echo request", "refuse=prohibited", "", Packet{}, StatusUnreachable, &probedRouter, toRouter, [2]string{"3/13", "1/1"}},
	{"a router refuses a datagram", "refuse=prohibited", "", Packet{Protocol: UDP}, StatusUnreachable, &probedRouter, toRouter, [2]string{"3/13", "1/1"}},
	{"a router refuses a SYN", "refuse=prohibited", "", Packet{Protocol: TCP}, StatusUnreachable, &probedRouter, toRouter, [2]string{"3/13", "1/1"}},
	{"a router refuses an INIT", "refuse=prohibited", "", Packet{Protocol: SCTP}, StatusUnreachable, &probedRouter, toRouter, [2]string{"3/13", "1/1"}},
	{"port unreachable from a router is no answer", "refuse=port", "", Packet{Protocol: UDP}, StatusRefused, &probedRouter, toRouter, [2]string{"3/3", "1/4"}},
	{"nor is the target's to a SYN", "", "refuse=port", Packet{Protocol: TCP}, StatusUnreachable, &probedTarget, toTarget, [2]string{"3/3", "1/4"}},
	{"nothing answers an echo request", "", "deaf", Packet{}, StatusNoReply, nil, 0, [2]string{}},
	{"nothing answers a datagram", "", "deaf", Packet{Protocol: UDP}, StatusNoReply, nil, 0, [2]string{}},
	{"nothing answers a SYN", "", "deaf", Packet{Protocol: TCP}, StatusNoReply, nil, 0, [2]string{}},
	{"nothing answers an INIT", "", "deaf", Packet{Protocol: SCTP}, StatusNoReply, nil, 0, [2]string{}},
	{"an echo request is too big", "mtu=1300", "", Packet{Size: 1400, DontFragment: true}, StatusPacketTooBig, &probedRouter, toRouter, [2]string{"3/4", "2/0"}},
	{"a datagram is too big", "mtu=1300", "", Packet{Protocol: UDP, Size: 1400, DontFragment: true}, StatusPacketTooBig, &probedRouter, toRouter, [2]string{"3/4", "2/0"}},
	{"a header field makes no sense", "refuse=parameter:8", "", Packet{Protocol: UDP}, StatusParameterProblem, &probedRouter, toRouter, [2]string{"12/0", "4/0"}},
}

func TestProbe(t *testing.T) {
	for _, tc := range probeFates {
		for family, dst := range probedTarget {
			for _, datagram := range []bool{false, true} {
				v := variant{tc.packet.Protocol, datagram}
				if v == (variant{SCTP, true}) {
					continue
				}
				t.Run(fmt.Sprintf("%s, IPv%d, %v", tc.name, 4+2*family, v), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := simProber(t, netsim.MustParse(probed(tc.router, tc.target)), datagram)
						defer p.Close()
						r, err := p.Probe(t.Context(), dst, &ProbeOptions{Packet: tc.packet})
						if err != nil {
							t.Fatal(err)
						}
						var from netip.Addr
						if tc.from != nil {
							from = tc.from[family]
						}
						if r.Status != tc.status || r.Responder != from || r.RTT != tc.rtt || r.Dst != dst || r.Sent.IsZero() {
							t.Errorf("%v, want %v from %v after %v", r, tc.status, from, tc.rtt)
						}
						if code := fmt.Sprintf("%d/%d", r.Type.Number(), r.Code); tc.code[family] != "" && code != tc.code[family] {
							t.Errorf("it came as %s, want %s", code, tc.code[family])
						}
						if c := p.Counters(); c.PacketsSent != 1 || c.PacketsReceived+c.ICMPErrors+c.Silent != 1 {
							t.Errorf("counters %+v", c)
						}
					})
				})
			}
		}
	}
}
