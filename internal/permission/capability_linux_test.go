package permission

import (
	"os"
	"strings"
	"testing"
)

func TestWhatTheCapabilitiesMean(t *testing.T) {
	const program = "/usr/local/bin/icmp"
	for _, tt := range []struct {
		name, status string
		obstacle     string
		cure         string
		helpless     string // what the cure must not advise, for it does not help
	}{
		{"an ordinary user", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n",
			"CAP_NET_RAW is missing", "setcap cap_net_raw+ep /usr/local/bin/icmp", "--cap-add"},
		{"an ordinary user who can gain nothing", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\n",
			"no_new_privs keeps this process from gaining it", "start it without no_new_privs", "--cap-add"},
		{"root in a container that dropped it", "CapEff:\t00000000a80405fb\nCapBnd:\t00000000a80405fb\nNoNewPrivs:\t0\n",
			"taken from this process for good", "--cap-add NET_RAW", "setcap"},
		{"a capability that does not help", "CapEff:\t0000000000002000\nCapBnd:\t0000000000002000\nNoNewPrivs:\t0\n",
			"seccomp", "change the policy", "setcap"},
		{"a file that says nothing", "", "taken from this process for good", "--cap-add NET_RAW", "setcap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			obstacle, cure := capabilityObstacle(tt.status, program)
			if !strings.Contains(obstacle, tt.obstacle) {
				t.Errorf("%q does not say %q", obstacle, tt.obstacle)
			}
			if !strings.Contains(cure, tt.cure) || strings.Contains(cure, tt.helpless) {
				t.Errorf("it is cured by %q, want %q and not %q", cure, tt.cure, tt.helpless)
			}
		})
	}
}

func TestTheProgramIsAWordOfAShell(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"/usr/local/bin/icmp", "/usr/local/bin/icmp"},
		{"/home/a b/icmp", "'/home/a b/icmp'"},
		{"/home/a'b/icmp", `'/home/a'\''b/icmp'`},
		{"/tmp/$(x)/icmp", "'/tmp/$(x)/icmp'"},
		{"/tmp/x y", "'/tmp/x y'"},
	} {
		if got := quoted(tt.path); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
		}
	}
	if path := program(); path == "FILE" {
		t.Error("it does not know its own path")
	} else if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
