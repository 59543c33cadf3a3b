package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// maxLabels is how many MPLS labels an answer carries at the most.
const maxLabels = 8

// sendProbe sends a probe and answers with its fate.
func (s *server) sendProbe(ctx context.Context, c command) {
	r, err := parseRequest(&c)
	if err != nil {
		s.answers.answer(c.token, "invalid-argument")
		return
	}
	result, err := s.prober.Probe(ctx, r.dst, &r.options)
	switch {
	case ctx.Err() != nil: // nobody listens any more
	case err != nil:
		s.answers.answer(c.token, failure(err))
	default:
		s.answers.answer(c.token, answer(&result))
	}
}

// answer puts a result into the protocol's words.
func answer(r *icmplib.Result) string {
	word := resultWord(r)
	if !r.Responder.IsValid() {
		return word
	}
	version := "ip-4"
	if r.Responder.Is6() {
		version = "ip-6"
	}
	return fmt.Sprintf("%s %s %s round-trip-time %d%s", word, version, r.Responder, r.RTT.Microseconds(), labels(r.MPLS))
}

// resultWord returns the word for a result. The protocol has one for all that
// makes a destination unreachable, a packet that is too big included.
func resultWord(r *icmplib.Result) string {
	switch r.Status {
	case icmplib.StatusPacketTooBig, icmplib.StatusParameterProblem:
		if r.Cause != nil {
			return failure(r.Cause)
		}
		return icmplib.StatusUnreachable.String()
	case icmplib.StatusSendError:
		return failure(r.Cause)
	}
	return r.Status.String()
}

// labels writes a label stack as "mpls LABEL,CLASS,BOTTOM,TTL,...".
func labels(stack []icmp.MPLSLabel) string {
	if len(stack) == 0 {
		return ""
	}
	var numbers []string
	for _, l := range stack[:min(len(stack), maxLabels)] {
		bottom := 0
		if l.BottomOfStack {
			bottom = 1
		}
		numbers = append(numbers, strconv.Itoa(int(l.Label)), strconv.Itoa(int(l.TrafficClass)),
			strconv.Itoa(bottom), strconv.Itoa(int(l.TTL)))
	}
	return " mpls " + strings.Join(numbers, ",")
}

// failure puts the reason why nothing was sent into the protocol's words.
func failure(err error) string {
	var errno syscall.Errno
	if _, ok := errors.AsType[*icmplib.ConfigError](err); ok {
		return "invalid-argument"
	}
	switch {
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
