package netlab_test

import (
	"net"
	"os"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

func TestTheNamespaceHasNothingButLoopback(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			if ip, _, err := net.ParseCIDR(a.String()); err != nil || !ip.IsLoopback() {
				t.Errorf("the namespace has the address %v", a)
			}
		}
		if len(addrs) == 0 {
			t.Error("the loopback interface has no address")
		}
	})
}

func TestThePrivilegesAreAsConfigured(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      netlab.Config
		raw      bool
		datagram bool
	}{
		{"all, and datagram sockets closed", netlab.Config{}, true, false},
		{"all, and datagram sockets open", netlab.Config{PingGroups: true}, true, true},
		{"none, and datagram sockets closed", netlab.Config{Unprivileged: true}, false, false},
		{"none, and datagram sockets open", netlab.Config{Unprivileged: true, PingGroups: true}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.cfg, func(t *testing.T) {
				conn, err := net.ListenPacket("ip4:icmp", "127.0.0.1")
				if got := err == nil; got != tt.raw {
					t.Errorf("a raw socket could be opened: %v, want %v (%v)", got, tt.raw, err)
				}
				if err == nil {
					conn.Close()
				}
				if got := datagramOpen(); got != tt.datagram {
					b, _ := os.ReadFile("/proc/sys/net/ipv4/ping_group_range")
					t.Errorf("a datagram socket could be opened: %v, want %v (ping_group_range is %q)", got, tt.datagram, b)
				}
			})
		})
	}
}
