package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

const network = `
client 192.0.2.1 2001:db8::1
node r 10.0.1.1 2001:db8:1::1 delay=1ms
node dark 10.0.2.1 2001:db8:2::1 silent
node t 10.0.9.9 2001:db8:9::9 delay=1ms
path 10.0.9.0/24 2001:db8:9::/64 r dark t
`

func TestItFindsTheHops(t *testing.T) {
	netlab.Test(t, netlab.Config{
		PingGroups: true, Unprivileged: true, Tries: 3,
		Setup: func(t *testing.T) { netlab.Carry(t, netsim.MustParse(network), netlab.Device{}) },
	}, func(t *testing.T) {
		for _, hops := range [][]string{{"10.0.1.1", "10.0.9.9"}, {"2001:db8:1::1", "2001:db8:9::9"}} {
			to := netip.MustParseAddr(hops[1])
			s, err := socket.Listen(icmp.VersionOf(to), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var out bytes.Buffer
			if err := trace(s, to, &out); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if len(lines) != 3 || !strings.HasPrefix(lines[0], "1 "+hops[0]+" ") || lines[1] != "2 *" || !strings.HasPrefix(lines[2], "3 "+hops[1]+" ") {
				t.Errorf("got %q, want the hops %q", lines, hops)
			}
		}
	})
}
