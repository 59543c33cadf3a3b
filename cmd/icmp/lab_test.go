package main

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// command is what a command line did.
type command struct {
	code           int
	stdout, stderr string
}

// runLine executes a command line in this process.
func runLine(ctx context.Context, line ...string) command {
	return runLineWith(ctx, "", line...)
}

// runLineWith does the same with something on standard input.
func runLineWith(ctx context.Context, stdin string, line ...string) command {
	var stdout, stderr strings.Builder
	code := run(ctx, line, strings.NewReader(stdin), &stdout, &stderr)
	return command{code, stdout.String(), stderr.String()}
}

// check compares the exit code and tells all that was printed where it fails.
func (c command) check(t *testing.T, code int) {
	t.Helper()
	if c.code != code {
		t.Errorf("the exit code is %d, want %d\n%s%s", c.code, code, c.stdout, c.stderr)
	}
}

// checkRefusal checks that the command line was refused with a message that says
// each of the words.
func (c command) checkRefusal(t *testing.T, says []string) {
	t.Helper()
	c.check(t, exitUsage)
	for _, want := range append(says, "Try 'icmp ") {
		if !strings.Contains(c.stderr, want) {
			t.Errorf("the message does not say %q:\n%s", want, c.stderr)
		}
	}
}

// checkOutput checks the exit code and the whole output, by a pattern.
func (c command) checkOutput(t *testing.T, code int, pattern string) {
	t.Helper()
	c.check(t, code)
	if !regexp.MustCompile(pattern).MatchString(c.stdout) {
		t.Errorf("got\n%s\nwant\n%s", c.stdout, pattern)
	}
	if c.stderr != "" {
		t.Errorf("it complains: %s", c.stderr)
	}
}

// eachPrivilege runs f wherever pinging is allowed.
func eachPrivilege(t *testing.T, f func(t *testing.T)) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
	}{
		{"as root", netlab.Config{}},
		{"without privileges", netlab.Config{Unprivileged: true, PingGroups: true}},
	} {
		t.Run(tt.name, func(t *testing.T) { netlab.Test(t, tt.lab, f) })
	}
}

// silence has the kernel of the namespace answer no echo request over IPv4.
func silence(t *testing.T) {
	if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_all", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
}

// packetsSent counts what left by the loopback interface of the namespace.
func packetsSent(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if figures, ok := strings.CutPrefix(strings.TrimSpace(line), "lo:"); ok {
			const transmitted = 9 // behind eight figures of reception, and the bytes
			n, err := strconv.Atoi(strings.Fields(figures)[transmitted])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("there is no loopback interface")
	return 0
}

// seesAllGroups reports whether this process can read a setting that is made of
// groups. Where the tests are not run by root it is in a user namespace, to
// which all groups but its own are the same one.
func seesAllGroups(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/self/gid_map")
	if err != nil {
		t.Fatal(err)
	}
	return len(strings.Fields(string(b))) == 3 && strings.Fields(string(b))[2] == "4294967295"
}

// interrupted is a context that has ended as Ctrl-C ends it.
func interrupted(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
