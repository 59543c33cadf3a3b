package icmplib

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
)

// outcomeResult says in the terms of this package what the engine found.
func outcomeResult(o *engine.Outcome, dst netip.Addr) Result {
	return Result{
		Dst:               dst,
		Responder:         o.Responder,
		Status:            outcomeStatus(o),
		RTT:               o.RTT,
		Seq:               int(o.Tag),
		TTL:               o.TTL,
		ReplyTTL:          o.ReplyTTL,
		ReplyTrafficClass: o.TrafficClass,
		Size:              o.Size,
		Type:              o.Type.Number(),
		Code:              o.Code,
		MTU:               o.MTU,
		MPLS:              o.MPLS,
		Sent:              o.Sent,
		Late:              o.Fate == engine.Late,
		Duplicate:         o.Fate == engine.Duplicate,
		Altered:           o.PayloadChanged,
		Suspect:           o.Suspect,
	}
}

func outcomeStatus(o *engine.Outcome) Status {
	switch o.Fate {
	case engine.Silent:
		return StatusNoReply
	case engine.Altered:
		return StatusAltered
	}
	return messageStatus(o.Type, o.Code)
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
func refusedResult(dst netip.Addr, seq int, err error) Result {
	return Result{Dst: dst, Seq: seq, Status: refusedStatus(err), Cause: err}
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
