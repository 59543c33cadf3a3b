package main

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// maxLabels is how many MPLS labels an answer carries at the most.
const maxLabels = 8

// appendAnswer appends the line that answers a probe.
func appendAnswer(b []byte, token int, r *icmplib.Result) []byte {
	b = strconv.AppendInt(b, int64(token), 10)
	b = append(b, ' ')
	b = append(b, resultWord(r)...)
	if r.Responder.IsValid() {
		if r.Responder.Is6() {
			b = append(b, " ip-6 "...)
		} else {
			b = append(b, " ip-4 "...)
		}
		b = r.Responder.AppendTo(b)
		b = append(b, " round-trip-time "...)
		b = strconv.AppendInt(b, r.RTT.Microseconds(), 10)
		b = appendLabels(b, r.MPLS)
	}
	return append(b, '\n')
}

// resultWord returns the word for a result. The protocol has one for all that
// makes a destination unreachable, a packet that is too big included.
func resultWord(r *icmplib.Result) string {
	switch {
	case isConfigError(r.Cause), r.Status == icmplib.StatusSendError:
		return failure(r.Cause)
	case r.Status == icmplib.StatusRefused:
		return icmplib.StatusReply.String() // whoever says that the port is closed
	case r.Status == icmplib.StatusPacketTooBig, r.Status == icmplib.StatusParameterProblem:
		if r.Cause != nil {
			return failure(r.Cause)
		}
		return icmplib.StatusUnreachable.String()
	}
	return r.Status.String()
}

// appendLabels appends a label stack as " mpls LABEL,CLASS,BOTTOM,TTL,...".
func appendLabels(b []byte, stack []icmp.MPLSLabel) []byte {
	separator := " mpls "
	for _, l := range stack[:min(len(stack), maxLabels)] {
		bottom := 0
		if l.BottomOfStack {
			bottom = 1
		}
		for _, n := range [...]int{int(l.Label), int(l.TrafficClass), bottom, int(l.TTL)} {
			b = append(b, separator...)
			b = strconv.AppendInt(b, int64(n), 10)
			separator = ","
		}
	}
	return b
}

func isConfigError(err error) bool {
	_, ok := errors.AsType[*icmplib.ConfigError](err)
	return ok
}

// failure puts the reason why nothing was sent into the protocol's words.
func failure(err error) string {
	var errno syscall.Errno
	switch {
	case isConfigError(err):
		return "invalid-argument"
	case errors.Is(err, errors.ErrUnsupported):
		return "invalid-argument reason protocol-not-supported"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		return "invalid-argument reason ip-version-not-supported"
	case errors.Is(err, os.ErrPermission):
		return icmplib.StatusPermissionDenied.String()
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return icmplib.StatusAddressNotAvailable.String()
	case errors.Is(err, syscall.EADDRINUSE):
		return icmplib.StatusAddressInUse.String()
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "probes-exhausted"
	case errors.As(err, &errno):
		return "unexpected-error errno " + strconv.Itoa(int(errno))
	}
	return "unexpected-error errno 0"
}
