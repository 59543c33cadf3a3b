package netlab

import (
	"testing"

	"github.com/goicmp/icmplib/socket"
)

// Config is the namespace that a test wants.
type Config struct {
	// Unprivileged takes all capabilities from the test's function, after the
	// namespace was set up.
	Unprivileged bool

	// PingGroups opens the namespace for datagram ICMP sockets to the test's
	// group, and closes it to every group otherwise.
	PingGroups bool

	// Tries is how often the function is run, in a new namespace each time,
	// until it passes; 0 means once. It is for networks whose timeouts pass in
	// real time: a machine that stands still for half a second spoils them.
	// What the test makes longer by Slowness passes on any machine.
	Tries int

	// Setup, if not nil, is run with all capabilities before the function, in
	// the process that sets the namespace up. It lives until the function has
	// ended.
	Setup func(t *testing.T)
}

// Test runs f in a network namespace of its own, with its loopback interface up.
// The test or subtest is run again in there, from its start, so that it may call
// Test only once: several namespaces are several subtests.
func Test(t *testing.T, cfg Config, f func(t *testing.T)) {
	t.Helper()
	run(t, cfg, f)
}

// Slowness is what a test with several Tries multiplies its timeouts and the delays of its
// network by: 1 in the first try, and three times more in each that follows.
func Slowness() int { return slowness() }

// EachSocket runs a test once for each kind of socket and of privilege, all at the same
// time, each in a namespace of its own.
func EachSocket(t *testing.T, setup func(t *testing.T), f func(t *testing.T, mode socket.Mode)) {
	for _, kind := range []struct {
		name         string
		mode         socket.Mode
		unprivileged bool
	}{
		{"raw", socket.Raw, false},
		{"datagram", socket.Datagram, false},
		{"datagram without privileges", socket.Datagram, true},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			Test(t, Config{PingGroups: true, Unprivileged: kind.unprivileged, Setup: setup}, func(t *testing.T) { f(t, kind.mode) })
		})
	}
}
