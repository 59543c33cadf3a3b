package netlab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stageVariable tells a process of the test binary how far it has come.
const stageVariable = "ICMPLIB_NETLAB"

// tryVariable tells it which try it is, from 1.
const tryVariable = "ICMPLIB_NETLAB_TRY"

// The stages: the test as it was started; the process that owns the namespace;
// and the one without privileges in it.
const (
	stageStart = ""
	stageOwner = "owner"
	stageUser  = "user"
)

func run(t *testing.T, cfg Config, f func(t *testing.T)) {
	t.Helper()
	switch stage := os.Getenv(stageVariable); {
	case stage == stageStart:
		again(t, stageOwner, newNamespace(), max(1, cfg.Tries))
	case stage == stageOwner:
		setUp(t, cfg)
		if cfg.Unprivileged {
			again(t, stageUser, noPrivileges(), 1)
			return
		}
		f(t)
	case stage == stageUser:
		f(t)
	}
}

func slowness() int {
	try, err := strconv.Atoi(os.Getenv(tryVariable))
	if err != nil {
		return 1
	}
	times := 1
	for range try - 1 {
		times *= 3
	}
	return times
}

// newNamespace makes a process that owns a new network namespace.
func newNamespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// nobody is the user and group without privileges.
const nobody = 65534

// noPrivileges makes a process without capabilities over the namespace. In a
// user namespace, where no other user exists, that is one in a user namespace
// below it.
func noPrivileges() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if mapsAllUsers() {
		attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		return attr
	}
	attr.Cloneflags = syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: 0, Size: 1}}
	return attr
}

// mapsAllUsers reports whether this process's users are those of the machine.
func mapsAllUsers() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	fields := strings.Fields(string(b))
	return err == nil && len(fields) == 3 && fields[2] == "4294967295"
}

// again runs this one test in another process of the test binary, up to so many
// times until it passes.
func again(t *testing.T, stage string, attr *syscall.SysProcAttr, tries int) {
	t.Helper()
	for try := 1; ; try++ {
		var env []string
		if stage == stageOwner { // others inherit it
			env = []string{tryVariable + "=" + strconv.Itoa(try)}
		}
		out, err := inProcess(t, stage, attr, env)
		var exit *exec.ExitError
		switch {
		case err != nil && !errors.As(err, &exit):
			t.Skipf("the system forbids a process with a network namespace of its own: %v", err)
		case err != nil && try < tries:
			t.Logf("in the namespace (%s), try %d: %v\n%s", stage, try, err, indent(out))
			continue
		case err != nil:
			t.Fatalf("in the namespace (%s): %v\n%s", stage, err, indent(out))
		case strings.Contains(out, "--- SKIP: "+t.Name()+" "):
			t.Skipf("in the namespace (%s):\n%s", stage, indent(out))
		case !strings.Contains(out, "--- PASS: "+t.Name()+" "):
			t.Fatalf("the test did not run in the namespace (%s):\n%s", stage, indent(out))
		}
		if testing.Verbose() {
			t.Logf("in the namespace (%s):\n%s", stage, indent(out))
		}
		return
	}
}

// inProcess runs this one test in another process and returns what it printed.
func inProcess(t *testing.T, stage string, attr *syscall.SysProcAttr, env []string) (output string, err error) {
	// The link leads to the binary even for a user who may not enter the
	// directory that it is in.
	cmd := exec.Command("/proc/self/exe", "-test.run="+onlyThis(t), "-test.v=true", "-test.count=1",
		"-test.timeout="+remaining(t).String())
	// The race detector sleeps for a second before a process exits, by default.
	cmd.Env = append(append(os.Environ(), stageVariable+"="+stage, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE")), env...)
	cmd.SysProcAttr = attr
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// onlyThis returns a pattern that matches this test, or subtest, alone.
func onlyThis(t *testing.T) string {
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + quote(p) + "$"
	}
	return strings.Join(parts, "/")
}

func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// remaining leaves the outer test the time to report what the inner one did.
func remaining(t *testing.T) time.Duration {
	deadline, ok := t.Deadline()
	if !ok {
		return 0
	}
	return max(time.Second, time.Until(deadline)-5*time.Second)
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ")
}

// setUp prepares a new namespace, in which nothing is up.
func setUp(t *testing.T, cfg Config) {
	t.Helper()
	if err := LinkUp("lo"); err != nil {
		t.Fatalf("setting the loopback interface up: %v", err)
	}
	if cfg.PingGroups {
		if err := openPingGroups(); err != nil {
			t.Fatal(err)
		}
	}
	if cfg.Setup != nil {
		cfg.Setup(t)
	}
}

// openPingGroups opens datagram ICMP sockets, which a new namespace closes to
// all. In a user namespace only the groups that it maps can be named.
func openPingGroups() error {
	value := "0 2147483647"
	if !mapsAllUsers() {
		value = "0 0"
	}
	const file = "/proc/sys/net/ipv4/ping_group_range"
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		return fmt.Errorf("setting who may ping: %w", err)
	}
	return nil
}
