package icmplib

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/zone"
)

// A name with addresses of both families is probed over IPv4 where there is a route
// to that address, by the source in use, and over IPv6 else.
func TestTheFamilyOfANameIsOneThatThereIsARouteFor(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip of iproute2 is missing")
	}
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		z := &zone.Zone{Hosts: map[string][]string{
			"both.test.": {"10.0.9.9", "2001:db8:9::9"},
			"four.test.": {"10.0.9.9"},
		}}
		ip := func(line string) {
			t.Helper()
			if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v\n%s", line, err, out)
			}
		}
		for _, line := range []string{
			"link add a0 type veth peer name b0", "link set a0 up", "link set b0 up",
			"addr add 2001:db8::1/64 dev a0 nodad", "-6 route add default dev a0",
		} {
			ip(line)
		}
		family := func(name string, family Family, packet Packet, cfg Config) string {
			t.Helper()
			cfg.Resolver = z.Resolver()
			p, err := NewProber(&cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			addrs, err := p.resolveFor(t.Context(), name, family, &packet)
			if err != nil {
				return err.Error()
			}
			return addrs[0].String()
		}
		v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
		check := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		check("without an IPv4 route", family("both.test.", AnyFamily, Packet{}, Config{}), "2001:db8:9::9")
		check("IPv4 is asked for", family("both.test.", IPv4, Packet{}, Config{}), "10.0.9.9")
		check("there is no IPv6 address", family("four.test.", AnyFamily, Packet{}, Config{}), "10.0.9.9")
		check("a literal address", family("10.0.9.9", AnyFamily, Packet{}, Config{}), "10.0.9.9")
		ip("addr add 192.0.2.1/24 dev a0")
		ip("route add default dev a0")
		check("with a route", family("both.test.", AnyFamily, Packet{}, Config{}), "10.0.9.9")
		check("an IPv6 source", family("both.test.", AnyFamily, Packet{Source: v6}, Config{}), "2001:db8:9::9")
		check("an IPv4 source", family("both.test.", AnyFamily, Packet{Source: v4}, Config{}), "10.0.9.9")
		check("a source that is not ours", family("both.test.", AnyFamily, Packet{}, Config{Source4: netip.MustParseAddr("192.0.2.77")}), "2001:db8:9::9")
		ip("route del default dev a0")
		check("after the route was lost", family("both.test.", AnyFamily, Packet{}, Config{}), "2001:db8:9::9")

		// An operation goes where there is a route: over IPv6, which answers on lo.
		z.Set("here.test.", "10.0.9.9", "::1")
		p, err := NewProber(&Config{Resolver: z.Resolver()})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		opts := &MultiPingOptions{Count: 1}
		hosts, err := p.MultiPing(t.Context(), []string{"here.test."}, opts)
		if err != nil || !hosts[0].IsAlive() || hosts[0].Address != netip.IPv6Loopback() {
			t.Errorf("MultiPing: %+v, %v", hosts, err)
		}
		host, err := p.Ping(t.Context(), "here.test.", &PingOptions{Count: 1})
		if err != nil || !host.IsAlive() {
			t.Errorf("Ping: %+v, %v", host, err)
		}
	})
}
