package permission

import (
	"strings"
	"testing"
)

func TestWhatTheGroupRangeMeans(t *testing.T) {
	const everybody = `as root: sysctl -w net.ipv4.ping_group_range="0 2147483647"`
	for _, tt := range []struct {
		setting  string
		groups   []int
		obstacle string
		cure     string
	}{
		{"1\t0\n", []int{0}, `"1 0", which admits no group`, everybody},
		{"100\t200\n", []int{1000, 27, 1000}, `"100 200", which admits none of this process's groups [27 1000]`, everybody},
		{"0\t2147483647\n", []int{1000}, "a security module or seccomp filter must have denied it", "change the policy"},
		{"65534\t65534\n", []int{27, 0}, "how a user namespace shows groups outside of it", `as root of the namespace: sysctl -w net.ipv4.ping_group_range="0 0"`},
		{"65534\t0\n", []int{0}, "how a user namespace shows groups outside of it", `as root of the namespace: sysctl -w net.ipv4.ping_group_range="0 0"`},
		{"garbage", []int{0}, `net.ipv4.ping_group_range is "garbage"`, everybody},
		{"low high", []int{0}, `net.ipv4.ping_group_range is "low high"`, everybody},
	} {
		obstacle, cure := groupObstacle(tt.setting, tt.groups)
		if !strings.Contains(obstacle, tt.obstacle) {
			t.Errorf("%q for %v: %q does not say %q", tt.setting, tt.groups, obstacle, tt.obstacle)
		}
		if !strings.HasPrefix(cure, tt.cure) {
			t.Errorf("%q for %v: it is cured by %q, want %q", tt.setting, tt.groups, cure, tt.cure)
		}
	}
}
