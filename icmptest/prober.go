package icmptest

import (
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/standin"
)

// A Prober is an [icmplib.Prober] whose packets go through a simulated network. All
// operations run the library's own code. Pass the embedded Prober to functions that take an
// *icmplib.Prober.
type Prober struct {
	*icmplib.Prober

	network *network
}

// NewProber returns a Prober on the network that a text describes; the package
// documentation lists the words. The Prober closes when the test ends. An invalid text or
// cfg fails the test at once.
//
// Inside a [testing/synctest] bubble, time is virtual: an hour of pinging takes a moment,
// and times are exact. Call NewProber inside the bubble that uses it. Outside a bubble,
// time is real.
//
// The network always behaves the same: random choices depend only on the line "seed". A nil
// cfg means all defaults. Host names are those of the nodes, unless cfg has a Resolver. As
// on Linux, the default Config.Mode opens datagram sockets, and raw sockets only for SCTP.
// A simulated network does not support Interface, Mark and SendTimestamps: setting one of
// them fails the test.
func NewProber(tb testing.TB, network string, cfg *icmplib.Config) *Prober {
	tb.Helper()
	n, err := newNetwork(network)
	if err != nil {
		tb.Fatalf("icmptest: the network cannot be read: %v", err)
	}
	if cfg != nil && (cfg.Interface != "" || cfg.Mark != 0 || cfg.SendTimestamps) {
		tb.Fatal("icmptest: a simulated network has no interfaces, marks and send stamps: leave Interface, Mark and SendTimestamps out")
	}
	p, err := icmplib.NewProber(cfg)
	if err != nil {
		tb.Fatalf("icmptest: %v", err)
	}
	standin.Put(p, n)
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Errorf("icmptest: close: %v", err)
		}
	})
	return &Prober{Prober: p, network: n}
}

// Truth returns what really happened to each packet sent so far, in the order of sending.
// It reveals what no program can observe: where a packet was lost, and in which direction.
// The caller owns the packets.
func (p *Prober) Truth() []Packet {
	log := p.network.Log()
	packets := make([]Packet, 0, len(log))
	for i := range log {
		packets = append(packets, packetOf(&log[i]))
	}
	return packets
}

// ForgetTruth drops the packets that Truth returns, so that a test that sends for days does
// not fill memory. Truth then returns later packets only.
func (p *Prober) ForgetTruth() { p.network.Forget() }
