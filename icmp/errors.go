package icmp

import (
	"errors"
	"fmt"

	"github.com/goicmp/icmplib/internal/wire"
)

// ErrMalformed is wrapped by the error of every parser of this package; the
// error's text states the reason.
var ErrMalformed = wire.ErrMalformed

// What an ICMP error message comes down to. errors.Is finds them in an [Error].
var (
	ErrTimeExceeded = errors.New("time exceeded")
	ErrUnreachable  = errors.New("destination unreachable")
	ErrPacketTooBig = errors.New("packet too big")
)

// FieldError is an option that cannot be used: it is found before anything is
// sent.
type FieldError struct {
	Field   string // the option's name
	Value   any    // what it was set to
	Allowed string // what it may be set to
}

// Error names the field, its value and what is allowed.
func (e *FieldError) Error() string {
	return fmt.Sprintf("%s is %v: allowed is %s", e.Field, e.Value, e.Allowed)
}

// Error is an ICMP error message as a Go error.
// errors.Is(err, ErrTimeExceeded), ErrUnreachable and ErrPacketTooBig tell what
// kind it is.
type Error struct {
	Reply *Reply // the message and how it came
}

// Error says who sent which message.
func (e *Error) Error() string {
	r := e.Reply
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

// Is tells whether the message is of the kind that target stands for.
func (e *Error) Is(target error) bool {
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
