package icmplib

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// patient is a timeout where everything answers: the machine may stand still,
// and it costs nothing else.
const patient = 10 * time.Second

// chain is three routers and a target, kernels all.
var chain = netlab.ChainOf(3)

// throughRouters are pings, and what a row of kernels does with them.
var throughRouters = []struct {
	name      string
	target    [2]netip.Addr
	packet    Packet
	status    Status
	responder [2]netip.Addr
	mtu       int
}{
	{"a TTL of 1 ends at the first router", chain.Target, Packet{TTL: 1}, StatusTTLExpired, chain.Routers[0], 0},
	{"a TTL of 2 ends at the second router", chain.Target, Packet{TTL: 2}, StatusTTLExpired, chain.Routers[1], 0},
	{"a TTL of 3 ends at the third router", chain.Target, Packet{TTL: 3}, StatusTTLExpired, chain.Routers[2], 0},
	{"a TTL of 4 reaches the target", chain.Target, Packet{TTL: 4}, StatusReply, chain.Target, 0},
	{"a router is a target", chain.Routers[1], Packet{}, StatusReply, chain.Routers[1], 0},
	{
		"no router knows the way", [2]netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("2001:db8:dd::1")},
		Packet{}, StatusUnreachable, chain.Target, 0,
	},
	{
		"the last link takes less", chain.Target, Packet{Size: netlab.ChainMTU, DontFragment: true},
		StatusPacketTooBig, chain.Routers[2], netlab.ChainMTU,
	},
}

func TestPingThroughRoutersThatAreKernels(t *testing.T) {
	netlab.EachSocket(t, func(t *testing.T) { chain.Build(t) }, pingThroughRouters)
}

func pingThroughRouters(t *testing.T, mode socket.Mode) {
	p, err := NewProber(&Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, tt := range throughRouters {
		for family, target := range tt.target {
			t.Run(fmt.Sprintf("%s, IPv%d", tt.name, 4+2*family), func(t *testing.T) {
				opts := &PingOptions{Count: 1, Timeout: patient, Packet: tt.packet}
				for r, err := range p.PingSeq(t.Context(), target.String(), opts) {
					if err != nil {
						t.Fatal(err)
					}
					if r.Status != tt.status || r.Responder != tt.responder[family] || r.MTU != tt.mtu {
						t.Errorf("got %+v, want %v by %v, MTU %d", r, tt.status, tt.responder[family], tt.mtu)
					}
				}
			})
		}
	}
}
