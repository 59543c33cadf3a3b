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

	// overflowGroup is what a user namespace shows in place of a group that it
	// does not map (user_namespaces(7)).
	overflowGroup = 65534

	setGroups  = `sysctl -w net.ipv4.ping_group_range=`
	allGroups  = `"0 2147483647"`
	cureGroups = "as root: " + setGroups + allGroups +
		" (for a container, where it is started: --sysctl net.ipv4.ping_group_range=" + allGroups + ")"
)

// Datagram explains a denied datagram ICMP socket by the setting that admits groups to
// these sockets, including those of IPv6 (icmp(7)).
func Datagram() (obstacle, cure string) {
	b, err := os.ReadFile(pingGroupRange)
	if err != nil {
		return fmt.Sprintf("the groups that may ping cannot be read (%v)", err), cureGroups
	}
	groups, _ := os.Getgroups()
	return groupObstacle(string(b), append(groups, os.Getegid()))
}

// groupObstacle explains the range in setting for a process with the given groups, the
// last of which is its effective group.
func groupObstacle(setting string, groups []int) (obstacle, cure string) {
	fields := strings.Fields(setting)
	name := fmt.Sprintf("net.ipv4.ping_group_range is %q", strings.Join(fields, " "))
	if len(fields) != 2 {
		return name, cureGroups
	}
	low, err1 := strconv.ParseUint(fields[0], 10, 32)
	high, err2 := strconv.ParseUint(fields[1], 10, 32)
	if err1 != nil || err2 != nil {
		return name, cureGroups
	}
	switch {
	case low == overflowGroup && (high == overflowGroup || high < low):
		return name + ", which is how a user namespace shows groups outside of it: none of its own is admitted",
			cureInNamespace(groups[len(groups)-1])
	case low > high:
		return name + ", which admits no group", cureGroups
	}
	admitted := func(g int) bool { return uint64(g) >= low && uint64(g) <= high }
	if slices.ContainsFunc(groups, admitted) {
		return name + ", which admits this process: a security module or seccomp filter must have denied it", curePolicy
	}
	slices.Sort(groups)
	return fmt.Sprintf("%s, which admits none of this process's groups %v", name, slices.Compact(groups)), cureGroups
}

// cureInNamespace returns the cure inside a user namespace, which can only name groups
// that it maps: that of the process is one of them.
func cureInNamespace(group int) string {
	return fmt.Sprintf("as root of the namespace: %s\"%d %d\", or as root outside of it, if the network is from there: %s%s",
		setGroups, group, group, setGroups, allGroups)
}
