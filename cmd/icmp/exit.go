package main

import (
	"errors"
	"os"
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

// errDead and errReported end a command whose output has said everything.
var errDead = errors.New("some targets did not answer")

// exitCode returns the code for the error that a command ended with. What it
// does not know is the command line's fault: that is where cobra's errors come
// from, which have no type.
func exitCode(err error) int {
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

// exitMessage returns what is still to be said of an error.
func exitMessage(err error) string {
	if err == nil || errors.Is(err, errDead) {
		return ""
	}
	// Causes joined with errors.Join stand on lines of their own.
	return strings.ReplaceAll(err.Error(), "\n", "\n      ")
}
