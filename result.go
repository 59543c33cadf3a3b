package icmplib

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Result is one probe and what became of it: silence and ICMP errors are data
// here, not failures. [Result.Err] gives them as an error where that is wanted.
//
// A probe may have more than one Result, of which one settles it: see
// [Result.Settles]. [Stats.Add] knows the difference.
type Result struct {
	// Dst is where the probe was sent.
	Dst netip.Addr

	// Responder is who answered: the target, or a router on the way. It is the
	// zero Addr where nobody did, or where the system does not say who.
	Responder netip.Addr

	// Status is what became of the probe.
	Status Status

	// RTT is the time from sending the probe to the arrival of the answer. It
	// is 0 where there was none.
	RTT time.Duration

	// RTTSource says between which two moments RTT was measured.
	RTTSource RTTSource

	// Seq is the ordinal of the probe within its run, from 0. It never wraps,
	// unlike the sequence number on the wire.
	Seq int

	// TTL is the time to live or hop limit that the probe was sent with.
	TTL int

	// ReplyTTL is the TTL or hop limit that the answer arrived with; 0 means
	// that it is not known.
	ReplyTTL int

	// ReplyTrafficClass is the byte of DSCP and ECN that the answer arrived
	// with. Where ReplyTTL is not known, this may not be either, and is then 0.
	ReplyTrafficClass uint8

	// Size is the number of bytes of the ICMP message that answered, with its
	// 8-byte header and without the IP header: the "64 bytes from" of ping.
	Size int

	// Type is that of the ICMP message that answered, and 0 where none did.
	Type icmp.Type

	// Code is that of the ICMP message; [icmp.Type.CodeString] has its words.
	Code uint8

	// MTU is the next hop's, in bytes, which a Status of StatusPacketTooBig
	// reports; 0 means that the router did not say (RFC 1191 section 5).
	MTU int

	// MPLS is the label stack with which the probe reached the router that
	// answered (RFC 4950), outermost label first; nil if it sent none.
	MPLS []icmp.MPLSLabel

	// Interfaces is what the router that answered tells of its interfaces (RFC
	// 5837); nil if it tells nothing.
	Interfaces []icmp.InterfaceInfo

	// ExtendedEcho is what the target tells of an interface where it was asked for
	// that (ProbeOptions.ExtendedEcho); nil elsewhere. It tells nothing where Code is
	// not 0: there may be no such interface, which [icmp.Type.CodeString] says.
	ExtendedEcho *icmp.ExtendedEcho

	// Timestamp is the target's time of day where it was asked for that
	// (ProbeOptions.Timestamp); nil elsewhere. See [Result.ClockOffset].
	Timestamp *icmp.Timestamp

	// Quoted is how the router that answered saw the probe.
	Quoted Quoted

	// Retransmitted is set on the answer to a TCP probe of which the system had
	// sent more than one packet, as it does without privileges from 1 s on. The
	// first was lost or its answer takes longer than that, so the probe counts as
	// silent, and this answer is Late. RTT is measured from the first packet, and
	// too long if a later one was answered.
	Retransmitted bool

	// Sent is when the probe was given to the kernel. It is the zero Time if
	// the kernel did not take it; Cause then says why.
	Sent time.Time

	// Late is set on an answer that came after the probe's timeout, when the
	// probe had been reported as StatusNoReply already.
	Late bool

	// Duplicate is set on any further answer to a probe that is settled.
	Duplicate bool

	// Advises is set on an ICMP message that settles no probe: a redirect, a
	// source quench, and in a ping a parameter problem, behind which the reply may
	// come.
	Advises bool

	// Corrects is set on the first reply to a probe about which an ICMP error had
	// come before: unreachable is not always true. In time, it moves the probe
	// from Stats.ICMPErrors to Stats.PacketsReceived. A reply that is Late, too,
	// moves nothing.
	Corrects bool

	// Altered is set on a reply that carries the probe's nonce, and so answers
	// it, but brings the rest of the payload changed or cut. (A reply without
	// the nonce is a Result of its own, with StatusAltered.)
	Altered bool

	// Unproven is set on an answer that agrees with the probe as far as it tells,
	// but brings back nothing that only who saw the probe can know: it may have
	// been forged. So are ICMP errors that quote 8 bytes of a UDP probe, and of an
	// ICMP probe where somebody rewrote the checksum, and what a UDP service
	// answers with a payload of its own.
	Unproven bool

	// Suspect is set on a StatusNoReply when this system's own socket dropped
	// packets while the probe was in flight, so that the loss may be ours; and
	// on the Late answer to such a probe.
	Suspect bool

	// Cause is the error of this system because of which the probe was not
	// sent or, on a StatusNoReply, because of which nothing can be received; nil
	// if there was none.
	Cause error
}

// Quoted is the header of a probe as an ICMP error quotes it: as it was when it
// reached the router. It is the zero value where there is none, and without raw
// sockets, where the system does not hand it out.
type Quoted struct {
	Source          netip.Addr // differs from the address sent from behind a NAT
	SourcePort      uint16     // of UDP, TCP and SCTP, as is DestinationPort
	DestinationPort uint16
	TTL             int    // 1 or 0 in a time exceeded, unless a tunnel hid routers
	TrafficClass    uint8  // differs from Packet.TrafficClass where it was rewritten
	FlowLabel       uint32 // of IPv6
	DontFragment    bool   // of IPv4
	Checksum        uint16 // of ICMP, UDP and TCP

	local netip.Addr   // where the error came, and so where the probe was sent from
	shift engine.Shift // of Checksum
}

// Settles reports whether r is the fate of its probe, of which each probe has
// one. Results that are marked as Late, Duplicate, Corrects or Advises come beside
// it, and so do those whose Status only informs ([StatusRedirect],
// [StatusSourceQuench], [StatusAltered]). A probe that was not sent is settled by
// that, and [StatusUnsettled] stands for a fate.
func (r Result) Settles() bool {
	return !r.Late && !r.Duplicate && !r.Corrects && !r.informs()
}

// informs reports whether r only informs: the probe that it tells of may have
// gone on, and has its fate still before it.
func (r *Result) informs() bool {
	return r.Advises || r.Status == StatusRedirect || r.Status == StatusSourceQuench || r.Status == StatusAltered
}

// isUnrecognizedNextHeader reports whether somebody does not know the protocol of
// an IPv6 packet, which went no further (RFC 4443 section 3.4).
func (r *Result) isUnrecognizedNextHeader() bool {
	return r.Code == icmp.V6CodeUnrecognizedNextHeader && r.Type == icmp.V6ParameterProblem
}

// Err returns r as an error, nil for a StatusReply:
//
//   - for a StatusNoReply without a Cause it is [ErrTimeout];
//   - for an ICMP error it is an [*icmp.Error] that holds what r knows of the
//     message, for which errors.Is works with [ErrTimeExceeded],
//     [ErrUnreachable] and [ErrPacketTooBig];
//   - for anything else it is Cause, and where that is nil, an error that has
//     the word of the Status and for which errors.Is works as above, and with
//     [os.ErrPermission] and [os.ErrInvalid].
//
// Err tells nothing of Late, Duplicate and Altered: whether such a reply will
// do is for the caller to say.
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

// isICMPError reports whether an ICMP message that is not the target's answer
// is behind r. Type tells what a router reports from what this system refuses.
func (r *Result) isICMPError() bool {
	switch r.Status {
	case StatusTTLExpired, StatusUnreachable, StatusRefused, StatusPacketTooBig,
		StatusParameterProblem, StatusRedirect, StatusSourceQuench:
		return r.Type != 0
	}
	return false
}

// icmpReply makes up the message that r reports, as far as r knows it.
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
	b := make([]byte, 0, 96)
	b = r.Dst.AppendTo(b)
	b = append(b, " seq "...)
	b = strconv.AppendInt(b, int64(r.Seq), 10)
	b = append(b, ": "...)
	b = append(b, r.Status.String()...)
	if r.Responder.IsValid() && r.Responder != r.Dst {
		b = append(b, " from "...)
		b = r.Responder.AppendTo(b)
	}
	if r.Cause != nil {
		b = append(b, " ("...)
		b = append(b, r.Cause.Error()...)
		b = append(b, ')')
	}
	b = r.appendAnswer(b)
	return string(r.appendMarks(b))
}

// appendAnswer appends the measures of the answer, if there is one.
func (r *Result) appendAnswer(b []byte) []byte {
	if r.Size > 0 {
		b = append(b, ", "...)
		b = strconv.AppendInt(b, int64(r.Size), 10)
		b = append(b, " bytes"...)
	}
	if r.ReplyTTL > 0 {
		b = append(b, ", ttl "...)
		b = strconv.AppendInt(b, int64(r.ReplyTTL), 10)
	}
	if r.MTU > 0 {
		b = append(b, ", mtu "...)
		b = strconv.AppendInt(b, int64(r.MTU), 10)
	}
	if r.RTT > 0 {
		b = append(b, ", "...)
		b = append(b, r.RTT.String()...)
	}
	return b
}

// appendMarks appends what sets r apart from an ordinary result.
func (r *Result) appendMarks(b []byte) []byte {
	for _, mark := range [...]struct {
		set  bool
		word string
	}{
		{r.Late, ", late"},
		{r.Duplicate, ", duplicate"},
		{r.Corrects, ", after an error"},
		{r.Altered, ", altered"},
		{r.Unproven, ", unproven"},
		{r.Suspect, ", suspect"},
		{r.RTTSource == RTTNoticed, ", timed when noticed"},
	} {
		if mark.set {
			b = append(b, mark.word...)
		}
	}
	return b
}

// statusError is a Status as an error, for a Result that knows no better one.
type statusError Status

func (e statusError) Error() string { return Status(e).String() }

// Is lets errors.Is find the errors that the Status stands for.
func (e statusError) Is(target error) bool {
	switch Status(e) {
	case StatusTTLExpired:
		return target == ErrTimeExceeded
	case StatusUnreachable, StatusNetworkUnreachable, StatusRefused:
		return target == ErrUnreachable
	case StatusPacketTooBig:
		return target == ErrPacketTooBig
	case StatusPermissionDenied:
		return target == fs.ErrPermission
	case StatusInvalidArgument:
		return target == fs.ErrInvalid
	}
	return false
}

// outcome says in the terms of this package what the engine found. Who has
// echo-replied for a host is the host, to a UDP probe, too.
func (p *Prober) outcome(o *engine.Outcome, dst netip.Addr, protocol Protocol) Result {
	r := outcomeResult(o, dst, protocol)
	pair := addressPair{dst, r.Responder}
	switch {
	case r.Status == StatusReply && protocol == ICMP && !r.Unproven && r.Responder.WithZone("") != dst.WithZone("") && !dst.IsMulticast():
		p.aliases.add(pair)
	case r.Status == StatusRefused && p.aliases.has(pair):
		r.Status = StatusReply
	}
	return r
}

// outcomeResult is outcome by what the answer says by itself.
func outcomeResult(o *engine.Outcome, dst netip.Addr, p Protocol) Result {
	return Result{
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

// isFromTarget tells whether a target itself says that it does not know the port
// or the protocol of a probe: it was reached.
func isFromTarget(r *Result) bool {
	if r.Responder.WithZone("") != r.Dst.WithZone("") {
		return false
	}
	t := r.Type
	return isPortUnreachable(t, r.Code) || r.isUnrecognizedNextHeader() ||
		t == icmp.V4DestinationUnreachable && r.Code == icmp.V4CodeProtocolUnreachable
}

// isPortUnreachable tells the answer of a target with a closed UDP port.
func isPortUnreachable(t icmp.Type, code uint8) bool {
	return t == icmp.V4DestinationUnreachable && code == icmp.V4CodePortUnreachable ||
		t == icmp.V6DestinationUnreachable && code == icmp.V6CodePortUnreachable
}

// messageStatus says what an ICMP message means for an echo request.
func messageStatus(t icmp.Type, code uint8) Status {
	m := icmp.Message{Type: t, Code: code}
	switch m.Kind() {
	case icmp.KindEchoReply:
		return StatusReply
	case icmp.KindTimeExceeded:
		return StatusTTLExpired
	case icmp.KindPacketTooBig:
		return StatusPacketTooBig
	case icmp.KindParameterProblem:
		return StatusParameterProblem
	case icmp.KindRedirect:
		return StatusRedirect
	case icmp.KindSourceQuench:
		return StatusSourceQuench
	}
	return StatusUnreachable
}

// refusedResult is the result of a request that the system did not take.
func refusedResult(dst netip.Addr, seq, ttl int, err error) Result {
	return Result{Dst: dst, Seq: seq, TTL: ttl, Status: refusedStatus(err), Cause: err}
}

// refusals are the reasons that have a status of their own.
var refusals = []struct {
	errno  syscall.Errno
	status Status
}{
	{syscall.ENETUNREACH, StatusNetworkUnreachable},
	{syscall.EHOSTUNREACH, StatusUnreachable},
	{syscall.ENETDOWN, StatusNetworkDown},
	{syscall.ENODEV, StatusNetworkDown},
	{syscall.EHOSTDOWN, StatusHostDown},
	{syscall.EPERM, StatusPermissionDenied},
	{syscall.EACCES, StatusPermissionDenied},
	{syscall.EMSGSIZE, StatusPacketTooBig},
	{syscall.EINVAL, StatusInvalidArgument},
	{syscall.EADDRINUSE, StatusAddressInUse},
	{syscall.EADDRNOTAVAIL, StatusAddressNotAvailable},
}

func refusedStatus(err error) Status {
	if errors.Is(err, socket.ErrInterfaceGone) {
		return StatusNetworkDown // whatever the system says of it
	}
	for _, r := range refusals {
		if errors.Is(err, r.errno) {
			return r.status
		}
	}
	return StatusSendError
}

// RTTSource says between which two moments an RTT was measured. The greater it
// is, the less of this system is in the RTT. See https://github.com/goicmp/icmplib/blob/main/docs/accuracy.md.
type RTTSource uint8

const (
	// RTTNone: there is no RTT.
	RTTNone RTTSource = iota

	// RTTNoticed: from the call that sent the probe to the moment when this process
	// noticed what had become of it, both by the monotonic clock: without privileges
	// the kernel does not tell when a TCP connection was refused (RST). It contains
	// how long it took to wake up and to look at each connection.
	RTTNoticed

	// RTTRead: from the call that sent the probe to the call that read the
	// answer, both by the monotonic clock. It contains how long the answer
	// waited to be read. It is the rule on systems other than Linux.
	RTTRead

	// RTTCounter: from the call that sent the probe to the moment in which the
	// system reported its answer to the thread that sent it, both by the
	// performance counter. It is the rule on Windows in datagram mode, where the
	// clock is too coarse.
	RTTCounter

	// RTTClock: from the call that sent the probe, by the monotonic clock, to
	// the kernel's stamp of the arrival. It is the rule on Linux.
	RTTClock

	// RTTKernel: from the kernel's stamp of the departure to its stamp of the
	// arrival. It takes [Config.SendTimestamps].
	RTTKernel
)

var rttSourceWords = [...]string{RTTNone: "none", RTTNoticed: "noticed", RTTRead: "read", RTTCounter: "counter", RTTClock: "clock", RTTKernel: "kernel"}

// String returns "none", "noticed", "read", "counter", "clock" or "kernel", and "RTTSource(n)" for a
// value that has no word.
func (s RTTSource) String() string {
	if int(s) < len(rttSourceWords) {
		return rttSourceWords[s]
	}
	return "RTTSource(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText returns the word, for JSON and its like. A value that has none is an
// error.
func (s RTTSource) MarshalText() ([]byte, error) {
	if int(s) >= len(rttSourceWords) {
		return nil, fmt.Errorf("no word for %v", s)
	}
	return []byte(rttSourceWords[s]), nil
}

// UnmarshalText sets s to the source whose word is given. An unknown word is an
// error.
func (s *RTTSource) UnmarshalText(word []byte) error {
	for source, known := range rttSourceWords {
		if string(word) == known {
			*s = RTTSource(source)
			return nil
		}
	}
	return fmt.Errorf("unknown source of a round-trip time %q", word)
}

// yieldEach makes a sequence of an operation: each hands its results to the
// function that it is given, until that returns false. The error is the last of
// the sequence, unless the loop was left.
func yieldEach[T any](yield func(T, error) bool, each func(func(T) bool) error) {
	left := false
	err := each(func(result T) bool {
		left = !yield(result, nil)
		return !left
	})
	if err != nil && !left {
		var none T
		yield(none, err)
	}
}

// observation says in the terms of a plan what a result tells; settles says that it is
// the fate of its probe.
func observation(k plan.Key, r *Result, settles bool) plan.Observation {
	return plan.Observation{
		Key:        k,
		Kind:       r.kind(),
		Settles:    settles,
		FromTarget: r.Status == StatusReply || isFromTarget(r),
		Late:       r.Late,
		Duplicate:  r.Duplicate,
		Suspect:    r.Suspect,
		Responder:  r.Responder,
		Sent:       r.Sent,
		RTT:        r.RTT,
		MTU:        r.MTU,
		Err:        r.Cause,
	}
}

// kind returns what r is to a plan.
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

// aliases remembers from which other addresses hosts have answered echo requests:
// addresses of those hosts, for such a reply has a nonce that only the host was sent.
// It remembers the newest maxAliases. The zero value is ready for use.
type aliases struct {
	mu    sync.Mutex
	known map[addressPair]struct{}
	order []addressPair // as they were learned; a ring when it is full
	next  int           // the oldest of a full ring
}

// addressPair is the address that was probed, and another one that answered.
type addressPair struct{ host, other netip.Addr }

const maxAliases = 4096

// add remembers a pair.
func (a *aliases) add(pair addressPair) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.known[pair]; ok {
		return
	}
	if a.known == nil {
		a.known = map[addressPair]struct{}{}
	}
	a.known[pair] = struct{}{}
	if len(a.order) < maxAliases {
		a.order = append(a.order, pair)
		return
	}
	delete(a.known, a.order[a.next])
	a.order[a.next] = pair
	a.next = (a.next + 1) % maxAliases
}

// has reports whether a pair is remembered.
func (a *aliases) has(pair addressPair) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.known[pair]
	return ok
}
