package icmplib

import (
	"cmp"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/text"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/words"
)

// Result describes one probe and how it ended. Silence and ICMP errors are data here, not
// failures; [Result.Err] returns them as an error.
//
// A probe may have several Results, of which exactly one settles it: see [Result.Settles].
// [Stats.Add] accounts for this.
type Result struct {
	// Dst is the address to which the probe was sent.
	Dst netip.Addr

	// Responder is the address that answered: the target's or a router's. It is the zero
	// Addr if nothing answered, or if the system does not report the address.
	Responder netip.Addr

	// Status is how the probe ended.
	Status Status

	// RTT is the time from sending the probe to the arrival of the answer, or 0 without
	// one.
	RTT time.Duration

	// RTTSource names the two moments between which RTT was measured.
	RTTSource RTTSource

	// Seq is the ordinal of the probe within its run, from 0. It never wraps,
	// unlike the sequence number on the wire.
	Seq int

	// TTL is the time to live or hop limit that the probe was sent with.
	TTL int

	// ReplyTTL is the TTL or hop limit with which the answer arrived, or 0 if it is not
	// known.
	ReplyTTL int

	// ReplyTrafficClass is the DSCP and ECN byte with which the answer arrived. If ReplyTTL
	// is not known, this may be unknown too, and is then 0.
	ReplyTrafficClass uint8

	// Size is the size of the ICMP message that answered, in bytes, including its 8-byte
	// header but not the IP header: the "64 bytes from" of ping.
	Size int

	// Type is the type of the ICMP message that answered, or 0 without one.
	Type icmp.Type

	// Code is the code of that message; [icmp.Type.CodeString] names it.
	Code uint8

	// MTU is the next hop's MTU in bytes, as a StatusPacketTooBig reports it; 0 means that
	// the router did not say (RFC 1191 section 5).
	MTU int

	// MPLS is the label stack with which the probe reached the router that answered (RFC
	// 4950), outermost label first; nil if the router sent none.
	MPLS []icmp.MPLSLabel

	// Interfaces describes interfaces of the router that answered (RFC 5837); nil if it
	// sent no description.
	Interfaces []icmp.InterfaceInfo

	// ExtendedEcho is the target's answer about an interface (ProbeOptions.ExtendedEcho);
	// otherwise it is nil. It describes nothing if Code is not 0, for example if there is
	// no such interface; [icmp.Type.CodeString] gives the reason.
	ExtendedEcho *icmp.ExtendedEcho

	// Timestamp is the target's time of day (ProbeOptions.Timestamp); otherwise it is nil.
	// See [Result.ClockOffset].
	Timestamp *icmp.Timestamp

	// Quoted is the probe's header as the router that answered saw it.
	Quoted Quoted

	// Retransmitted is set on the answer to a TCP probe for which the system had sent more
	// than one packet, as it does after 1 s without privileges. The first packet was lost,
	// or its answer takes longer than that, so the probe counts as silent and this answer
	// is Late. RTT is measured from the first packet, and is too long if a later packet was
	// answered.
	Retransmitted bool

	// Sent is the time at which the kernel was given the probe. It is the zero Time if the
	// kernel did not take it; Cause then says why.
	Sent time.Time

	// Late is set on an answer that came after the probe's timeout, when the probe had
	// already been reported as StatusNoReply.
	Late bool

	// Duplicate is set on each further answer to a settled probe.
	Duplicate bool

	// Advises is set on an ICMP message that settles no probe: a redirect, a source quench,
	// and, in a ping, a parameter problem, after which the reply may still come.
	Advises bool

	// Corrects is set on the first reply to a probe for which an ICMP error had come
	// before: unreachable is not always true. Within the timeout, it moves the probe from
	// Stats.ICMPErrors to Stats.PacketsReceived. A reply that is also Late moves nothing.
	Corrects bool

	// Altered is set on a reply that has the probe's nonce, and so answers it, but whose
	// other payload was changed or cut. (A reply without the nonce is a Result of its own,
	// with StatusAltered.)
	Altered bool

	// Unproven is set on an answer that agrees with the probe but contains nothing that
	// only a receiver of the probe can know: it may be forged. Examples are ICMP errors
	// that quote 8 bytes of a UDP probe, or of an ICMP probe whose checksum was rewritten,
	// and answers of UDP services with a payload of their own.
	Unproven bool

	// Local is set on an ICMP error of this system itself: the probe did not leave it,
	// because no neighbor on the link has the next hop's address (ARP, RFC 4861), or
	// because its own firewall rejects the probe. Responder is one of its own addresses,
	// not a hop on the path.
	Local bool

	// Suspect is set on a StatusNoReply if this system's own socket dropped packets while
	// the probe was in flight, so that the loss may be ours, and on a Late answer to such a
	// probe.
	Suspect bool

	// NewID is set on a StatusNoReply after which an endless ping sends with another id:
	// see PingOptions.NewIDAfter.
	NewID bool

	// Cause is the error of this system that prevented it from sending the probe or, with
	// StatusNoReply, prevents it from receiving anything; nil if there was none.
	Cause error
}

// Quoted is the header of a probe as an ICMP error quotes it: as it was when it reached the
// router. It is the zero value without an error, and without raw sockets, because the
// system does not provide the header there.
type Quoted struct {
	Source          netip.Addr // behind a NAT, differs from the sending address
	SourcePort      uint16     // of UDP, TCP and SCTP, as is DestinationPort
	DestinationPort uint16
	TTL             int    // 1 or 0 in a time exceeded, unless a tunnel hid routers
	TrafficClass    uint8  // differs from Packet.TrafficClass where it was rewritten
	FlowLabel       uint32 // of IPv6
	DontFragment    bool   // of IPv4
	Checksum        uint16 // of ICMP, UDP and TCP

	local netip.Addr   // where the error arrived, which is where the probe was sent from
	shift engine.Shift // of Checksum
}

// Settles reports whether r settles its probe. Each probe has exactly one such Result.
// Results marked Late, Duplicate, Corrects or Advises come in addition to it, as do those
// whose Status only informs ([StatusRedirect], [StatusSourceQuench], [StatusAltered]). The
// Result of a probe that was not sent settles it, and so does [StatusUnsettled].
func (r Result) Settles() bool {
	return !r.Late && !r.Duplicate && !r.Corrects && !r.informs()
}

// informs reports whether r only informs: its probe may have continued, and may settle
// later.
func (r *Result) informs() bool {
	return r.Advises || r.Status == StatusRedirect || r.Status == StatusSourceQuench || r.Status == StatusAltered
}

// isUnrecognizedNextHeader reports whether a node does not know the protocol of an IPv6
// packet, which went no further (RFC 4443 section 3.4).
func (r *Result) isUnrecognizedNextHeader() bool {
	return r.Code == icmp.V6CodeUnrecognizedNextHeader && r.Type == icmp.V6ParameterProblem
}

// Err returns r as an error, nil for a StatusReply:
//
//   - for a StatusNoReply without a Cause, it is [ErrTimeout];
//   - for an ICMP error, it is an [*icmp.Error] that holds what r knows of the message, for
//     which errors.Is works with [ErrTimeExceeded], [ErrUnreachable] and [ErrPacketTooBig];
//   - for anything else, it is Cause or, without one, an error with the word of the Status,
//     for which errors.Is works as above, and with [os.ErrPermission] and [os.ErrInvalid].
//
// Err does not consider Late, Duplicate and Altered: the caller decides whether such a
// reply is good enough.
func (r Result) Err() error {
	switch {
	case r.Status == StatusReply:
		return nil
	case r.Status == StatusNoReply && r.Cause == nil:
		return ErrTimeout
	case r.isICMPError():
		return &icmp.Error{Reply: r.icmpReply()}
	case r.Cause != nil:
		return r.Cause
	}
	return statusError(r.Status)
}

// isICMPError reports whether r stems from an ICMP message that is not the target's answer.
// Type distinguishes a router's report from a refusal by this system.
func (r *Result) isICMPError() bool {
	switch r.Status {
	case StatusTTLExpired, StatusUnreachable, StatusRefused, StatusPacketTooBig,
		StatusParameterProblem, StatusRedirect, StatusSourceQuench:
		return r.Type != 0
	}
	return false
}

// icmpReply returns the message that r reports, as far as r knows it.
func (r *Result) icmpReply() *icmp.Reply {
	version := icmp.V4 // also without a Dst, as in a Result that a test made up
	if familyOf(r.Dst) == IPv6 {
		version = icmp.V6
	}
	reply := &icmp.Reply{
		Source:       r.Responder,
		TTL:          r.ReplyTTL,
		TrafficClass: r.ReplyTrafficClass,
		Size:         r.Size,
	}
	reply.Type = r.Type
	reply.Code = r.Code
	reply.MTU = r.MTU
	reply.Quote.Version = version
	reply.Quote.Destination = r.Dst
	if !r.Sent.IsZero() {
		reply.Time = r.Sent.Add(r.RTT)
	}
	return reply
}

// String returns r on one line, for a log:
//
//	192.0.2.1 seq 3: reply, 64 bytes, ttl 57, 12.3ms
//	192.0.2.1 seq 4: ttl-expired from 198.51.100.7, 36 bytes, ttl 254, 3.1ms, late
//	192.0.2.1 seq 5: permission-denied (sendmsg: operation not permitted)
//
// Its layout may change; read the fields instead.
func (r Result) String() string {
	b := r.Dst.AppendTo(make([]byte, 0, 96))
	b = fmt.Appendf(b, " seq %d: %v", r.Seq, r.Status)
	if r.Responder.IsValid() && r.Responder != r.Dst {
		b = fmt.Appendf(b, " from %v", r.Responder)
	}
	if r.Cause != nil {
		b = fmt.Appendf(b, " (%v)", r.Cause)
	}
	b = r.appendAnswer(b)
	for _, m := range r.marks() {
		if m.set {
			b = append(append(b, ", "...), m.words...)
		}
	}
	return string(b)
}

// appendAnswer appends the measures of the answer, if there is one.
func (r *Result) appendAnswer(b []byte) []byte {
	if r.Size > 0 {
		b = fmt.Appendf(b, ", %d bytes", r.Size)
	}
	if r.ReplyTTL > 0 {
		b = fmt.Appendf(b, ", ttl %d", r.ReplyTTL)
	}
	if r.MTU > 0 {
		b = fmt.Appendf(b, ", mtu %d", r.MTU)
	}
	if r.RTT > 0 {
		b = fmt.Appendf(b, ", %v", r.RTT)
	}
	return b
}

// mark is something unusual about a result: its key in a log, if it has one, and the words
// for people.
type mark struct {
	set        bool
	key, words string
}

// marks returns what may be unusual about r.
func (r *Result) marks() [9]mark {
	return [...]mark{
		{r.Late, "late", "late"}, {r.Duplicate, "duplicate", "duplicate"}, {r.Corrects, "corrects", "after an error"},
		{r.Altered, "altered", "altered"}, {r.Unproven, "unproven", "unproven"}, {r.Local, "local", "by this host itself"},
		{r.Suspect, "suspect", "suspect"}, {r.NewID, "", "another id follows"}, {r.RTTSource == RTTNoticed, "", "timed when noticed"},
	}
}

// outcome translates an outcome of the engine into r. An address that has echo-replied for
// a host belongs to that host, so its refusal of a UDP probe is the host's answer.
func (p *Prober) outcome(r *Result, o *engine.Outcome, dst netip.Addr, protocol Protocol) {
	r.describe(o, dst, protocol)
	alias := hosts.Alias{Host: dst, Other: r.Responder}
	switch r.Local = p.isOwnError(r); {
	case r.Local:
		r.Status = messageStatus(r.Type, r.Code)
	case r.Status == StatusReply && protocol == ICMP && !r.Unproven && r.Responder.WithZone("") != dst.WithZone("") && !dst.IsMulticast():
		p.aliases.Add(alias)
	case r.Status == StatusRefused && p.aliases.Has(alias):
		r.Status = StatusReply
	}
}

// describe is outcome without what other probes have learned.
func (r *Result) describe(o *engine.Outcome, dst netip.Addr, p Protocol) {
	*r = Result{
		Dst:               dst,
		Responder:         o.Responder,
		Status:            outcomeStatus(o, dst, p == UDP),
		RTT:               o.RTT,
		RTTSource:         RTTSource(o.MeasuredBy),
		Seq:               int(o.Tag),
		TTL:               o.TTL,
		ReplyTTL:          o.ReplyTTL,
		ReplyTrafficClass: o.TrafficClass,
		Size:              o.Size,
		Type:              o.Type,
		Code:              o.Code,
		MTU:               o.MTU,
		MPLS:              o.MPLS,
		Interfaces:        o.Interfaces,
		Quoted:            quotedOf(&o.Quoted),
		Sent:              o.Sent,
		Late:              o.Fate == engine.Late || o.Overdue,
		Advises:           o.Fate == engine.Advised,
		Corrects:          o.Fate == engine.Corrected,
		Duplicate:         o.Fate == engine.Duplicate,
		Altered:           o.PayloadChanged,
		Suspect:           o.Suspect,
		Unproven:          o.Unproven,
		Cause:             o.Cause,
		Retransmitted:     o.Retransmitted,
	}
}

func quotedOf(q *engine.Quoted) Quoted {
	if !q.Known {
		return Quoted{}
	}
	return Quoted{
		Source:          q.Source,
		SourcePort:      q.SourcePort,
		DestinationPort: q.DestinationPort,
		TTL:             int(q.TTL),
		TrafficClass:    q.TrafficClass,
		FlowLabel:       q.FlowLabel,
		DontFragment:    q.DontFragment,
		Checksum:        q.Checksum,
		local:           q.Local.WithZone("").Unmap(),
		shift:           q.Shift,
	}
}

func outcomeStatus(o *engine.Outcome, dst netip.Addr, udp bool) Status {
	switch {
	case o.Fate == engine.Silent:
		return StatusNoReply
	case o.Fate == engine.Altered:
		return StatusAltered
	case o.Answer != transport.None:
		return StatusReply
	case udp && isPortUnreachable(o.Type, o.Code):
		if o.Responder.WithZone("") == dst.WithZone("") {
			return StatusReply
		}
		return StatusRefused
	}
	return messageStatus(o.Type, o.Code)
}

// isFromTarget reports whether the target itself does not know the port or the protocol of
// the probe: it was reached.
func isFromTarget(r *Result) bool {
	if r.Responder.WithZone("") != r.Dst.WithZone("") {
		return false
	}
	t := r.Type
	return isPortUnreachable(t, r.Code) || r.isUnrecognizedNextHeader() ||
		t == icmp.V4DestinationUnreachable && r.Code == icmp.V4CodeProtocolUnreachable
}

// isPortUnreachable reports whether a message is what a target with a closed UDP port
// sends.
func isPortUnreachable(t icmp.Type, code uint8) bool {
	return t == icmp.V4DestinationUnreachable && code == icmp.V4CodePortUnreachable ||
		t == icmp.V6DestinationUnreachable && code == icmp.V6CodePortUnreachable
}

// meanings maps kinds of ICMP messages to their meaning for an echo request. A kind without
// an entry means that the target is unreachable.
var meanings = [...]Status{
	icmp.KindEchoReply: StatusReply, icmp.KindTimeExceeded: StatusTTLExpired, icmp.KindPacketTooBig: StatusPacketTooBig,
	icmp.KindParameterProblem: StatusParameterProblem, icmp.KindRedirect: StatusRedirect, icmp.KindSourceQuench: StatusSourceQuench,
}

// messageStatus returns what an ICMP message means for an echo request.
func messageStatus(t icmp.Type, code uint8) Status {
	return cmp.Or(meanings[icmp.KindOf(t, code)], StatusUnreachable)
}

// refusedResult returns the result of a request that the system did not accept.
func refusedResult(dst netip.Addr, seq, ttl int, err error) Result {
	return Result{Dst: dst, Seq: seq, TTL: ttl, Status: refusedStatus(err), Cause: err}
}

// RTTSource names the two moments between which an RTT was measured. The greater the value,
// the less of this system's own time the RTT includes. See
// https://github.com/goicmp/icmplib/blob/main/docs/accuracy.md.
type RTTSource uint8

const (
	// RTTNone: there is no RTT.
	RTTNone RTTSource = iota

	// RTTNoticed: from the call that sent the probe to the moment when this process noticed
	// its end, both by the monotonic clock. Without privileges the kernel does not report
	// when a TCP connection was refused (RST). The RTT includes the time to wake up and to
	// look at each connection.
	RTTNoticed

	// RTTRead: from the call that sent the probe to the call that read the answer, both by
	// the monotonic clock. It includes the time that the answer waited to be read. Systems
	// other than Linux measure this way.
	RTTRead

	// RTTCounter: from the call that sent the probe to the moment when the system reported
	// its answer to the thread that sent it, both by the performance counter. Windows
	// measures this way in datagram mode, because its clock is too coarse.
	RTTCounter

	// RTTClock: from the call that sent the probe, by the monotonic clock, to the kernel's
	// stamp of the arrival. Linux measures this way.
	RTTClock

	// RTTKernel: from the kernel's stamp of the departure to its stamp of the arrival. It
	// requires [Config.SendTimestamps].
	RTTKernel
)

var rttSources = words.Table[RTTSource]{
	What: "source of a round-trip time", Type: "RTTSource",
	Words: []string{RTTNone: "none", RTTNoticed: "noticed", RTTRead: "read", RTTCounter: "counter", RTTClock: "clock", RTTKernel: "kernel"},
}

// String returns "none", "noticed", "read", "counter", "clock" or "kernel", and
// "RTTSource(n)" for a value without a word.
func (s RTTSource) String() string { return rttSources.String(s) }

// MarshalText returns the word, as encoding/json uses it. A value without a word is an
// error.
func (s RTTSource) MarshalText() ([]byte, error) { return rttSources.Marshal(s) }

// UnmarshalText sets s to the source with the given word. An unknown word is an error.
func (s *RTTSource) UnmarshalText(word []byte) error { return rttSources.Unmarshal(s, word) }

// sequence turns an operation into an iterator. The operation passes its results to yield
// until yield returns false. The error is the last element of the sequence, unless the loop
// was left.
func sequence[T any](operation func(yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := false
		err := operation(func(result T) bool {
			left = !yield(result, nil)
			return !left
		})
		if err != nil && !left {
			var none T
			yield(none, err)
		}
	}
}

// observed translates an outcome of the engine into a Result, and into an Observation for a
// plan. An answer that may belong to any of several probes has no Result.
func (p *Prober) observed(k plan.Key, o *engine.Outcome, dst netip.Addr, protocol Protocol) (r Result, seen plan.Observation) {
	if o.Fate == engine.Unclear {
		return r, plan.Observation{Key: k, Kind: plan.Unclear}
	}
	p.outcome(&r, o, dst, protocol)
	return r, observation(k, &r, o.Fate.Settles())
}

// observation translates a result for a plan; settles reports whether it settles its probe.
func observation(k plan.Key, r *Result, settles bool) plan.Observation {
	return plan.Observation{
		Key:        k,
		Kind:       r.kind(),
		Settles:    settles,
		FromTarget: r.Status == StatusReply || isFromTarget(r),
		Late:       r.Late,
		Duplicate:  r.Duplicate,
		Local:      r.Local,
		Suspect:    r.Suspect,
		Responder:  r.Responder,
		Sent:       r.Sent,
		RTT:        r.RTT,
		MTU:        r.MTU,
		Err:        r.Cause,
	}
}

// kind returns what r means to a plan.
func (r *Result) kind() plan.Kind {
	switch {
	case r.informs():
		return plan.Advice
	case r.Status == StatusNoReply:
		return plan.Silent
	case r.Status == StatusReply:
		return plan.Reply
	case r.Status == StatusTTLExpired:
		return plan.TimeExceeded
	case r.Status == StatusPacketTooBig:
		return plan.TooBig
	case r.Status == StatusRefused:
		return plan.Refused
	}
	return plan.Unreachable
}

// LogValue returns the destination, the ordinal, the status, the responder, and anything
// unusual about the result.
func (r Result) LogValue() slog.Value {
	a := fields.Attrs{slog.String("dst", text.Addr(r.Dst)), slog.Int("seq", r.Seq), slog.String("status", r.Status.String())}
	logResult(&a, &r)
	return a.Group()
}

// logResult adds the fields that describe the answer.
func logResult(a *fields.Attrs, r *Result) {
	if r.Responder != r.Dst {
		a.Addr("responder", r.Responder)
	}
	a.Count("ttl", r.TTL)
	a.Duration("rtt", r.RTT)
	if r.Type != 0 && r.Type.IsError() {
		a.Text("type", r.Type.String())
		a.Text("code", r.Type.CodeString(r.Code))
	}
	a.Count("mtu", r.MTU)
	for _, m := range r.marks() {
		a.Flag(m.key, m.set && m.key != "")
	}
	a.Error("cause", r.Cause)
}
