package icmp

import (
	"errors"
	"fmt"

	"github.com/goicmp/icmplib/internal/wire"
)

// ErrMalformed is the error that the errors of every parser of this package wrap. Their
// text states the reason.
var ErrMalformed = wire.ErrMalformed

// Kinds of ICMP error messages. errors.Is finds them in an [Error].
var (
	ErrTimeExceeded = errors.New("time exceeded")
	ErrUnreachable  = errors.New("destination unreachable")
	ErrPacketTooBig = errors.New("packet too big")
)

// FieldError reports an invalid option or field, before anything is sent.
type FieldError struct {
	Field   string // the option's name
	Value   any    // its value, or its length in bytes
	Allowed string // the allowed values
}

// Error names the field, its value and the allowed values.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s is %v: allowed is %s", e.Field, e.Value, e.Allowed)
}

// Error is an ICMP error message as a Go error. errors.Is with [ErrTimeExceeded],
// [ErrUnreachable] or [ErrPacketTooBig] reports its kind.
type Error struct {
	Reply *Reply // the message and the circumstances of its arrival; nil: unknown
}

// Error names the sender and the message.
func (e *Error) Error() string {
	r := e.Reply
	if r == nil {
		return "an ICMP error without a message"
	}
	s := r.Type.String()
	if code := r.Type.CodeString(r.Code); code != "" {
		s += ", " + code
	}
	if r.Kind() == KindPacketTooBig && r.MTU > 0 {
		s += fmt.Sprintf(" (MTU %d)", r.MTU)
	}
	if r.Source.IsValid() {
		s = r.Source.String() + ": " + s
	}
	return s
}

// Is reports whether the message is of target's kind.
func (e *Error) Is(target error) bool {
	if e.Reply == nil {
		return false
	}
	switch e.Reply.Kind() {
	case KindTimeExceeded:
		return target == ErrTimeExceeded
	case KindDestinationUnreachable:
		return target == ErrUnreachable
	case KindPacketTooBig:
		return target == ErrPacketTooBig
	}
	return false
}
