package netlab_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

func TestADeviceIsAsItWasAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		device netlab.Device
		ifname string
		mtu    int
	}{
		{"the default", netlab.Device{}, "sim0", 65535},
		{"of the default kind", netlab.Device{Name: "wan", MTU: 1280}, "wan", 1280},
		{"TUN", netlab.Device{Name: "wan", Kind: netlab.TUN, MTU: 1280}, "wan", 1280},
		{"veth", netlab.Device{Name: "wan", Kind: netlab.Veth, MTU: 1280}, "wan", 1280},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				netlab.Carry(t, netsim.MustParse(carried), tt.device)
				ifi, err := net.InterfaceByName(tt.ifname)
				if err != nil {
					t.Fatal(err)
				}
				if ifi.MTU != tt.mtu {
					t.Errorf("its MTU is %d, want %d", ifi.MTU, tt.mtu)
				}
				addrs, err := ifi.Addrs()
				if err != nil || len(addrs) != 2 {
					t.Fatalf("its addresses are %v (%v), want those of the client alone", addrs, err)
				}
				for i, want := range []string{"192.0.2.1/32", "2001:db8::1/128"} {
					if addrs[i].String() != want {
						t.Errorf("its address is %v, want %s", addrs[i], want)
					}
				}
			})
		})
	}
}

// A network of one family leaves no way for the other.
func TestADeviceHasTheFamiliesOfItsClient(t *testing.T) {
	for _, kind := range devices {
		t.Run(kind.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				netlab.Carry(t, netsim.MustParse("client 192.0.2.1\nnode t 10.0.9.9\npath 10.0.9.9 t"), netlab.Device{Kind: kind})
				c := open(t, icmp.V6, &socket.Config{Mode: socket.Raw})
				_, err := c.SendBatch([]icmp.Request{{Destination: targets[icmp.V6]}})
				if !errors.Is(err, syscall.ENETUNREACH) {
					t.Errorf("sending over IPv6: %v, want that the network is unreachable", err)
				}
			})
		})
	}
}

func TestAFurtherNamespaceIsApart(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		other := netlab.NewNamespace(t)
		err := other.Do(func() error {
			return errors.Join(netlab.AddVeth("one", "two"), netlab.AddAddress("one", netip.MustParsePrefix("192.0.2.9/24")))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := net.InterfaceByName("one"); err == nil {
			t.Error("its interfaces are in this namespace, too")
		}
		const file = "/proc/sys/net/ipv4/ip_forward"
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The other value, 0 or 1.
		if err := other.Do(func() error { return os.WriteFile(file, []byte{before[0] ^ 1}, 0) }); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, before) {
			t.Errorf("its settings are those of this namespace: %q became %q (%v)", before, after, err)
		}
	})
}

func TestKindsOfDevicesHaveNames(t *testing.T) {
	for kind, want := range map[netlab.DeviceKind]string{
		netlab.AnyDevice: "any device", netlab.TUN: "TUN", netlab.Veth: "veth", 9: "DeviceKind(9)",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is %q, want %q", kind, got, want)
		}
	}
}
