package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// Exit codes, as those of fping.
const (
	exitAlive   = 0 // all targets answered
	exitDead    = 1 // some did not
	exitNoName  = 2 // some names were not found
	exitUsage   = 3 // the command line cannot be used
	exitFailure = 4 // no permission, or the system failed
)

// errDead ends a command whose output has said everything.
var errDead = errors.New("some targets did not answer")

// errInterrupted ends a command that was interrupted: its targets did not all answer.
var errInterrupted = fmt.Errorf("%w: %w", context.Canceled, errDead)

// failures are what went wrong with several targets.
type failures []error

// with adds an error, unless it says what another one has said: that the
// permission is missing is told once, not for each target.
func (f failures) with(err error) failures {
	said := func(e error) bool { return e.Error() == err.Error() }
	if slices.ContainsFunc(f, said) {
		return f
	}
	return append(f, err)
}

// orDead returns the failures, and if there are none, whether a target is dead.
func (f failures) orDead(dead bool) error {
	switch {
	case len(f) > 0:
		return f
	case dead:
		return errDead
	}
	return nil
}

// verdictOf returns what the verdicts on several targets come to.
func verdictOf[T any](targets []T, verdict func(T) error) error {
	var faults failures
	dead := false
	for _, target := range targets {
		switch err := verdict(target); {
		case err == errDead:
			dead = true
		case err != nil:
			faults = faults.with(err)
		}
	}
	return faults.orDead(dead)
}

func (f failures) Error() string { return errors.Join(f...).Error() }

// exitCode returns the code for the error that a command ended with: of several
// faults, that of the gravest.
func exitCode(err error) int {
	var several failures
	if !errors.As(err, &several) {
		return codeOf(err)
	}
	code := exitAlive
	for _, err := range several {
		code = max(code, codeOf(err))
	}
	return code
}

// codeOf returns the code for one fault. What it does not know is the command
// line's: that is where cobra's errors come from, which have no type.
func codeOf(err error) int {
	var opErr *socket.OpError
	var sysErr *os.SyscallError
	switch {
	case err == nil:
		return exitAlive
	case errors.Is(err, errDead):
		return exitDead
	case errors.Is(err, icmplib.ErrNameLookup):
		return exitNoName
	case errors.Is(err, os.ErrPermission), errors.As(err, &opErr), errors.As(err, &sysErr):
		return exitFailure
	}
	return exitUsage
}

// exitMessages returns what is still to be said of an error.
func exitMessages(err error) []string {
	if err == nil || errors.Is(err, errDead) {
		return nil
	}
	var several failures
	if !errors.As(err, &several) {
		several = failures{err}
	}
	messages := make([]string, len(several))
	for i, err := range several {
		// Causes joined with errors.Join stand on lines of their own.
		messages[i] = strings.ReplaceAll(err.Error(), "\n", "\n      ")
	}
	return messages
}
