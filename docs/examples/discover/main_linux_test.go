package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// buildLAN makes hosts 10.0.0.1 to 10.0.0.3, each a network stack of its own, on
// one bridge, which has the address 10.0.0.100 of the test's own namespace.
func buildLAN(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip is not installed: Debian has it in the package iproute2")
	}
	noWait(t, func(f func() error) error { return f() })
	ip(t, "link", "add", "lan", "type", "bridge")
	must(t, netlab.AddAddress("lan", netip.MustParsePrefix("10.0.0.100/24")))
	must(t, netlab.LinkUp("lan"))
	ip(t, "route", "add", "224.0.0.0/4", "dev", "lan")
	for i := 1; i <= 3; i++ {
		port, far := fmt.Sprintf("port%d", i), fmt.Sprintf("far%d", i)
		must(t, netlab.AddVeth(port, far))
		ip(t, "link", "set", port, "master", "lan")
		must(t, netlab.LinkUp(port))
		host := netlab.NewNamespace(t)
		noWait(t, host.Do)
		must(t, host.Take(far))
		must(t, host.Do(func() error {
			// By default Linux does not answer broadcasts.
			if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts", []byte("0"), 0); err != nil {
				return err
			}
			if err := netlab.AddAddress(far, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 24)); err != nil {
				return err
			}
			return netlab.LinkUp(far)
		}))
	}
}

// noWait has IPv6 addresses be of use at once, without asking for others first.
func noWait(t *testing.T, in func(func() error) error) {
	t.Helper()
	must(t, in(func() error {
		for _, which := range []string{"all", "default"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/accept_dad", []byte("0"), 0); err != nil {
				return err
			}
		}
		return nil
	}))
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if said, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, said)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAllHostsOfANetworkAreFound(t *testing.T) {
	for _, tt := range []struct {
		name, group string
		hosts       int
		want        string // what all addresses begin with
	}{
		{"broadcast", "10.0.0.255", 3, "10.0.0."},
		{"multicast", "224.0.0.1", 3, "10.0.0."},
		{"IPv6 multicast", "ff02::1%lan", 4, "fe80::"}, // this host is one of them
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{Setup: buildLAN, PingGroups: true, Unprivileged: true, Tries: 3}, func(t *testing.T) {
				prober, err := icmplib.NewProber(nil)
				must(t, err)
				defer prober.Close()
				var found []string
				for r, err := range discover(t.Context(), prober, tt.group) {
					must(t, err)
					found = append(found, r.Responder.String())
					if len(found) == tt.hosts {
						break
					}
				}
				slices.Sort(found)
				for _, addr := range found {
					if !strings.HasPrefix(addr, tt.want) {
						t.Errorf("%s answered", addr)
					}
				}
				if len(slices.Compact(found)) != tt.hosts {
					t.Errorf("found are %q, want %d hosts", found, tt.hosts)
				}
			})
		})
	}
}
