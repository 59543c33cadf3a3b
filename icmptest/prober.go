package icmptest

import (
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/standin"
)

// A Prober is a [icmplib.Prober] whose packets go through a simulated network. All
// its operations are those of the library; what they are given and what comes out
// of them is computed by the same code. Give the embedded Prober to what takes a
// *icmplib.Prober.
type Prober struct {
	*icmplib.Prober

	network *network
}

// NewProber returns a Prober that sends into the network that a text describes: see
// the package documentation for the words. It is closed when the test ends. A text
// that cannot be read, and a cfg that cannot be used, end the test at once.
//
// Inside a [testing/synctest] bubble, where NewProber has to be called if the Prober
// is used there, time is virtual: an hour of pinging takes a moment, and
// times are exact. Outside it is the real one.
//
// The network does the same each time: what is random in it comes from the line
// "seed". Nil cfg means all defaults. Names are those of the nodes, unless cfg has
// a Resolver; Config.Mode counts as for an ordinary user of Linux, to whom
// Auto gives datagram sockets, and raw ones only for SCTP. Interface, Mark and
// SendTimestamps, which a simulated network does not have, end the test.
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

// Truth returns what really became of each packet that was sent until now, in the
// order of sending. It knows what no program can: which direction lost a packet, and
// where. The packets are the caller's to keep.
func (p *Prober) Truth() []Packet {
	log := p.network.Log()
	packets := make([]Packet, 0, len(log))
	for i := range log {
		packets = append(packets, packetOf(&log[i]))
	}
	return packets
}

// ForgetTruth lets go of what Truth returns, so that a test that sends for days does
// not fill memory. What is sent later is kept again.
func (p *Prober) ForgetTruth() { p.network.Forget() }
