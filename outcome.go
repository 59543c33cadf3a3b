package icmplib

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/transport"
)

// outcomeResult says in the terms of this package what the engine found.
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
		Type:              o.Type.Number(),
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
	case udp && o.Responder.WithZone("") == dst.WithZone("") && isPortUnreachable(o.Type, o.Code):
		return StatusReply
	}
	return messageStatus(o.Type, o.Code)
}

// isFromTarget tells whether a target itself says that it does not know the port
// or the protocol of a probe: it was reached.
func isFromTarget(r *Result) bool {
	if r.Responder.WithZone("") != r.Dst.WithZone("") {
		return false
	}
	t := icmp.MakeType(icmp.VersionOf(r.Dst), r.Type)
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
	{syscall.EHOSTDOWN, StatusHostDown},
	{syscall.EPERM, StatusPermissionDenied},
	{syscall.EACCES, StatusPermissionDenied},
	{syscall.EMSGSIZE, StatusPacketTooBig},
	{syscall.EINVAL, StatusInvalidArgument},
	{syscall.EADDRINUSE, StatusAddressInUse},
	{syscall.EADDRNOTAVAIL, StatusAddressNotAvailable},
}

func refusedStatus(err error) Status {
	for _, r := range refusals {
		if errors.Is(err, r.errno) {
			return r.status
		}
	}
	return StatusSendError
}
