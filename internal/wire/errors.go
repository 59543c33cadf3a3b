package wire

import "errors"

// ErrMalformed is wrapped by every parse error.
var ErrMalformed = errors.New("malformed packet")

// Malformed returns an error that wraps [ErrMalformed] and adds the reason.
// Parsers return values made once, at package level, for hostile input must
// not cost an allocation.
func Malformed(reason string) error { return &malformedError{reason} }

type malformedError struct{ reason string }

func (e *malformedError) Error() string { return ErrMalformed.Error() + ": " + e.reason }

func (e *malformedError) Unwrap() error { return ErrMalformed }
