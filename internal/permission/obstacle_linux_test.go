package permission

import (
	"strings"
	"testing"
)

func TestWhatTheGroupRangeMeans(t *testing.T) {
	for _, tt := range []struct {
		setting string
		groups  []int
		want    string
	}{
		{"1\t0\n", []int{0}, `"1 0", which admits no group`},
		{"100\t200\n", []int{1000, 27, 1000}, `"100 200", which admits none of this process's groups [27 1000]`},
		{"0\t2147483647\n", []int{1000}, "a security module or seccomp filter must have denied it"},
		{"65534\t65534\n", []int{65534}, "how a user namespace shows groups outside of it"},
		{"garbage", []int{0}, `net.ipv4.ping_group_range is "garbage"`},
	} {
		if got := groupObstacle(tt.setting, tt.groups); !strings.Contains(got, tt.want) {
			t.Errorf("%q for %v: %q does not say %q", tt.setting, tt.groups, got, tt.want)
		}
	}
}

func TestWhatTheCapabilitiesMean(t *testing.T) {
	for _, tt := range []struct {
		name, status, want string
	}{
		{"an ordinary user", "CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n", "CAP_NET_RAW is missing"},
		{"root in a container that dropped it", "CapEff:\t00000000a80405fb\nCapBnd:\t00000000a80405fb\n", "taken from this process for good"},
		{"a capability that does not help", "CapEff:\t0000000000002000\nCapBnd:\t0000000000002000\n", "seccomp"},
		{"a file that says nothing", "", "taken from this process for good"},
	} {
		if got := capabilityObstacle(tt.status); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q does not say %q", tt.name, got, tt.want)
		}
	}
}
