package engine

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// Probe is one packet to send.
type Probe struct {
	Dst netip.Addr
	Tag uint64 // the sender's own name for it, handed back in the Outcome
	TTL int    // 1-255
	Flow

	Sent time.Time // set by Send when the kernel took it
}

// Fate is what became of a probe, or what else was heard about it.
type Fate uint8

const (
	// Replied: the echo reply came in time. Settles the probe.
	Replied Fate = iota
	// Failed: an ICMP error about the probe came in time. Settles the probe.
	Failed
	// Silent: nothing came before the deadline. Settles the probe.
	Silent
	// Late: a reply or an error came, after the probe was settled as Silent.
	Late
	// Duplicate: another reply or error came after one that settled the probe.
	Duplicate
	// Altered: an echo reply from the right host, with the right id and
	// sequence, but not with the probe's payload. Settles nothing.
	Altered
	// Corrected: the first reply came, after an ICMP error had been the probe's
	// fate, or its late answer. In time, it takes the place of that fate.
	Corrected
	// Advised: a redirect, a source quench or a parameter problem about the
	// probe, which may have been forwarded all the same. Settles nothing.
	Advised
	// Unclear: something came about a probe to the host, without a mark that
	// says about which of several. Settles nothing; its Tag is that of one of
	// them. It comes only to an operation that has asked for it.
	Unclear
)

// Settles reports whether a fate is the probe's one and only.
func (f Fate) Settles() bool { return f <= Silent }

// Outcome is something that happened to a probe.
type Outcome struct {
	Tag  uint64
	Fate Fate
	TTL  int       // that the probe was sent with
	Sent time.Time // when it was sent
	RTT  time.Duration

	MeasuredBy Measure // the RTT

	// PayloadChanged says of an echo reply with the probe's nonce that the rest
	// of its payload is not what was sent.
	PayloadChanged bool
	// Unproven says of an answer that nothing in it proves that who sent it saw
	// the probe: it agrees with all that was sent, but could have been guessed.
	Unproven bool
	// Suspect says of a Silent probe that the socket lost packets while the
	// probe was in flight: the reply may have been among them.
	Suspect bool
	// Cause says of a Silent probe that nothing could be received, and why.
	Cause error

	// Answer says of a Replied probe of another protocol than ICMP what the
	// target answered with.
	Answer transport.Kind
	// Retransmitted says that the kernel had sent the probe more than once: the
	// first packet was lost, so the probe is Silent, and this answer is Late. RTT
	// is that of the first packet, and too long if a later one was answered.
	Retransmitted bool
	// Overdue says of a Corrected probe that the reply came after the timeout.
	Overdue bool

	// What came, but for Silent:
	Responder    netip.Addr
	Type         icmp.Type
	Code         uint8
	ReplyTTL     int // 0: unknown
	TrafficClass uint8
	Size         int // bytes of the ICMP message; 0: unknown
	MTU          int
	Gateway      netip.Addr // of a redirect
	MPLS         []icmp.MPLSLabel
	Interfaces   []icmp.InterfaceInfo
	Quoted       Quoted
}

// describe fills in what is to be said of the message that came.
func (o *Outcome) describe(r *icmp.Reply) {
	o.Responder = r.Source
	o.Type, o.Code = r.Type, r.Code
	o.ReplyTTL, o.TrafficClass = r.TTL, r.TrafficClass
	o.Size = r.Size
	o.MTU, o.Gateway = r.MTU, r.Gateway
	if r.Type.IsError() {
		o.MPLS = r.Extensions.AppendMPLS(nil)
		o.Interfaces = r.Extensions.AppendInterfaces(nil)
	}
}

// Measure says between which two moments a round-trip time was taken.
type Measure uint8

const (
	Unmeasured Measure = iota // there is none
	ByNotice                  // from the send by our clock to when it was noticed
	ByRead                    // from the send by our clock to the read by our clock
	ByCounter                 // from the send to the completion of the call, by a finer counter
	ByClock                   // to the kernel's stamp of the arrival
	ByKernel                  // from the kernel's stamp of the departure to that
)

// roundTrip returns the time that passed from a probe to a message about it,
// given that by the monotonic clock. The kernel's own is taken where it is
// possible: it begins later, and ends at the same moment.
func roundTrip(r *icmp.Reply, mono time.Duration) (time.Duration, Measure) {
	mono = max(0, mono)
	switch {
	case r.CounterRTT > 0:
		return r.CounterRTT, ByCounter // our clock may be too coarse to agree
	case r.KernelRTT > 0 && r.KernelRTT <= mono:
		return r.KernelRTT, ByKernel
	case r.Stamped:
		return mono, ByClock
	}
	return mono, ByRead
}
