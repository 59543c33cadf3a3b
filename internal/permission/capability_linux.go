package permission

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	statusFile = "/proc/self/status"

	// cureBounding: neither root nor a capability of the file brings back a
	// capability that is not in the bounding set (capabilities(7)).
	cureBounding = "give it where the process is started: docker or podman run --cap-add NET_RAW;" +
		" Kubernetes: securityContext.capabilities.add [NET_RAW]; systemd: CapabilityBoundingSet=CAP_NET_RAW," +
		" and AmbientCapabilities=CAP_NET_RAW for an ordinary user"

	curePolicy = "change the policy that denied it, which the kernel's log may name: dmesg | grep -i denied"
)

// Raw explains a denied raw socket by the capability that it needs (capabilities(7)).
func Raw() (obstacle, cure string) {
	b, err := os.ReadFile(statusFile)
	if err != nil {
		return "CAP_NET_RAW is needed", cureCapability(program())
	}
	return capabilityObstacle(string(b), program())
}

// Mark explains a denied routing mark (socket(7)).
func Mark(mark uint32) (obstacle, cure string) {
	obstacle = fmt.Sprintf("the routing mark %d needs CAP_NET_ADMIN or CAP_NET_RAW", mark)
	if b, err := os.ReadFile(statusFile); err == nil && hasNetRaw(string(b), "CapEff:") {
		return obstacle + ", before Linux 5.17 the first of them",
			"as root: setcap cap_net_admin,cap_net_raw+ep " + quoted(program())
	}
	_, cure = Raw()
	return obstacle, cure
}

// capabilityObstacle explains the capability sets in a status file of proc(5), and how
// to give the capability to the program at a path.
func capabilityObstacle(status, program string) (obstacle, cure string) {
	switch {
	case hasNetRaw(status, "CapEff:"):
		return "CAP_NET_RAW is there, but a security module, a seccomp filter" +
			" or a user namespace that does not own the network denied the socket", curePolicy
	case !hasNetRaw(status, "CapBnd:"):
		return "CAP_NET_RAW was taken from this process for good, as container runtimes do", cureBounding
	case valueOf(status, "NoNewPrivs:") == "1":
		return "CAP_NET_RAW is missing, and no_new_privs keeps this process from gaining it",
			"run as root, or start it without no_new_privs (Kubernetes: allowPrivilegeEscalation: true;" +
				" systemd: NoNewPrivileges=no), and as root: " + setCapability(program)
	}
	return "CAP_NET_RAW is missing", cureCapability(program)
}

// cureCapability returns how to give CAP_NET_RAW to a program.
func cureCapability(program string) string {
	return "run as root, or as root: " + setCapability(program)
}

func setCapability(program string) string { return "setcap cap_net_raw+ep " + quoted(program) }

// program returns the path of this program.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return "FILE"
	}
	return path
}

// quoted quotes a word for a shell.
func quoted(word string) string {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/._-+,:@%", r)
	}
	if !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// hasNetRaw reports whether CAP_NET_RAW is in one of the sets.
func hasNetRaw(status, set string) bool {
	const capNetRaw = 13
	bits, err := strconv.ParseUint(valueOf(status, set), 16, 64)
	return err == nil && bits&(1<<capNetRaw) != 0
}

// valueOf returns the value of a name in a status file, or "".
func valueOf(status, name string) string {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
