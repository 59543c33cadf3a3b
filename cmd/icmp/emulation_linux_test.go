package main

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// emulator returns qemu-user for this machine, which knows few socket options.
func emulator(t *testing.T) string {
	t.Helper()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "i386", "s390x": "s390x"}[runtime.GOARCH]
	qemu, err := exec.LookPath("qemu-" + machine)
	if err != nil {
		t.Skipf("qemu-user is not installed: %v", err)
	}
	return qemu
}

// Where options of sockets are missing, as in emulations, all works that can, and
// what is not known is not made up.
func TestOptionsThatAreMissingStopNothing(t *testing.T) {
	qemu := emulator(t)
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		tool := filepath.Join(t.TempDir(), "icmp")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", tool, ".")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Skipf("the tool cannot be built here: %v\n%s", err, out)
		}
		for _, tt := range []struct{ line, want string }{
			{"ping -c 2 127.0.0.1", "2 received, 0% packet loss"},
			{"ping -c 2 ::1", "2 received, 0% packet loss"},
			{"ping -c 1 --mode raw 127.0.0.1", "1 received"},
			{"ping -c 1 --mode raw ::1", "1 received"},
			{"traceroute -n 127.0.0.1", "reached"},
			{"traceroute -n -U 127.0.0.1", "reached"},
			{"traceroute -n -U ::1", "reached"},
			{"traceroute -n -T 127.0.0.1", "reached"},
			{"traceroute -n -T --mode datagram 127.0.0.1", "reached"},
			{"traceroute -n -T --mode datagram ::1", "reached"},
			{"traceroute -n -U --mode datagram ::1", "reached"},
			{"ping -c 1 -M do ::1", "lacks what is needed"}, // IPV6_DONTFRAG is asked for
		} {
			out, _ := exec.Command(qemu, append([]string{tool}, strings.Fields(tt.line)...)...).CombinedOutput()
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("icmp %s: want %q in\n%s", tt.line, tt.want, out)
			}
		}
	})
}
