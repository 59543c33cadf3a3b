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
	Tag uint64 // identifies the probe for its sender; returned in the Outcome
	TTL int    // 1-255
	Flow

	Sent time.Time // when the kernel took it; Send sets it
}

// Fate is the result of a probe, or another event about it.
type Fate uint8

const (
	// Replied: the echo reply came in time. Settles the probe.
	Replied Fate = iota
	// Failed: an ICMP error about the probe came in time. Settles the probe.
	Failed
	// Silent: nothing came before the deadline. Settles the probe.
	Silent
	// Late: a reply or an error came after the probe was settled as Silent.
	Late
	// Duplicate: another reply or error came after one that settled the probe.
	Duplicate
	// Altered: an echo reply from the right host, with the right id and
	// sequence, but not with the probe's payload. Settles nothing.
	Altered
	// Corrected: the first reply came after an ICMP error had settled the probe,
	// or had been its late answer. If it came in time, it replaces that fate.
	Corrected
	// Advised: a redirect, a source quench or a parameter problem about the
	// probe, which may have been forwarded nevertheless. Settles nothing.
	Advised
	// Unclear: a message came about one of several probes to the host, without a
	// mark that identifies it. Settles nothing; the Tag is that of one of the
	// probes. Only an operation with OpConfig.Unclear receives it.
	Unclear
)

// Settles reports whether a fate settles the probe, which happens once.
func (f Fate) Settles() bool { return f <= Silent }

// Outcome is an event about a probe.
type Outcome struct {
	Tag  uint64
	Fate Fate
	TTL  int       // the TTL of the probe
	Sent time.Time // when the probe was sent
	RTT  time.Duration

	MeasuredBy Measure // how RTT was measured

	// PayloadChanged is set for an echo reply with the probe's nonce if the rest
	// of its payload differs from the probe's.
	PayloadChanged bool
	// Unproven is set if nothing in an answer proves that its sender saw the
	// probe: it agrees with the probe, but could have been guessed.
	Unproven bool
	// Suspect is set for a Silent probe if the socket lost packets while the
	// probe was in flight: the reply may have been among them.
	Suspect bool
	// Cause is why receiving failed while a Silent probe was in flight; nil if
	// it worked.
	Cause error

	// Answer is the kind of answer to a Replied probe of another protocol than
	// ICMP.
	Answer transport.Kind
	// Retransmitted is set if the kernel had sent the probe more than once: the
	// first packet was lost, so the probe is Silent, and this answer is Late. RTT
	// counts from the first packet, and is too long if a later one was answered.
	Retransmitted bool
	// Overdue is set for a Corrected probe if the reply came after the timeout.
	Overdue bool

	// The message that came, except for Silent:
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

// describe sets the fields that describe the message.
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

// Measure is the pair of times between which a round-trip time was measured.
type Measure uint8

const (
	Unmeasured Measure = iota // there is no round-trip time
	ByNotice                  // from the send by our clock to the moment when the answer was noticed
	ByRead                    // from the send by our clock to the read by our clock
	ByCounter                 // from the send to the completion of the call, by a finer counter
	ByClock                   // to the kernel's stamp of the arrival
	ByKernel                  // from the kernel's stamp of the departure to its stamp of the arrival
)

// roundTrip returns the time from a probe to a message about it, and how it was
// measured; mono is that time by the monotonic clock. The kernel's own time is
// preferred if it is plausible: it starts later, and ends at the same moment.
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
