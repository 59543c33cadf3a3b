package permission

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	pingGroupRange = "/proc/sys/net/ipv4/ping_group_range"
	statusFile     = "/proc/self/status"

	// overflowGroup is what a user namespace shows in place of a group that it
	// does not map (user_namespaces(7)).
	overflowGroup = 65534

	cureGroups = `as root: sysctl -w net.ipv4.ping_group_range="0 2147483647"` +
		` (for a container: --sysctl with the same setting)`
	// cureCapability gives CAP_NET_RAW.
	cureCapability = "run as root, or give the program the capability: setcap cap_net_raw+ep FILE" +
		" (for a container: --cap-add NET_RAW)"
)

// Datagram reads the one knob that admits groups to datagram ICMP
// sockets, IPv6 ones included (icmp(7)).
func Datagram() (obstacle, cure string) {
	b, err := os.ReadFile(pingGroupRange)
	if err != nil {
		return fmt.Sprintf("the groups that may ping cannot be read (%v)", err), cureGroups
	}
	groups, _ := os.Getgroups()
	return groupObstacle(string(b), append(groups, os.Getegid())), cureGroups
}

// groupObstacle explains what a range means for a process of the given groups.
func groupObstacle(setting string, groups []int) string {
	fields := strings.Fields(setting)
	name := fmt.Sprintf("net.ipv4.ping_group_range is %q", strings.Join(fields, " "))
	if len(fields) != 2 {
		return name
	}
	low, err1 := strconv.ParseUint(fields[0], 10, 32)
	high, err2 := strconv.ParseUint(fields[1], 10, 32)
	if err1 != nil || err2 != nil {
		return name
	}
	switch {
	case low > high:
		return name + ", which admits no group"
	case low == overflowGroup && high == overflowGroup:
		return name + ", which is how a user namespace shows groups outside of it: none of its own is admitted"
	}
	admitted := func(g int) bool { return uint64(g) >= low && uint64(g) <= high }
	if slices.ContainsFunc(groups, admitted) {
		return name + ", which admits this process: a security module or seccomp filter must have denied it"
	}
	slices.Sort(groups)
	return fmt.Sprintf("%s, which admits none of this process's groups %v", name, slices.Compact(groups))
}

// Raw looks for the capability that raw sockets need (capabilities(7)).
func Raw() (obstacle, cure string) {
	b, err := os.ReadFile(statusFile)
	if err != nil {
		return "CAP_NET_RAW is needed", cureCapability
	}
	return capabilityObstacle(string(b)), cureCapability
}

// capabilityObstacle explains the capability sets in a status file of proc(5).
func capabilityObstacle(status string) string {
	switch effective, bounding := hasNetRaw(status, "CapEff:"), hasNetRaw(status, "CapBnd:"); {
	case effective:
		return "CAP_NET_RAW is there, but a security module, a seccomp filter" +
			" or a user namespace that does not own the network denied the socket"
	case !bounding:
		return "CAP_NET_RAW was taken from this process for good, as container runtimes do"
	}
	return "CAP_NET_RAW is missing"
}

// hasNetRaw looks for CAP_NET_RAW in one of the sets.
func hasNetRaw(status, set string) bool {
	const capNetRaw = 13
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, set); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return err == nil && bits&(1<<capNetRaw) != 0
		}
	}
	return false
}
