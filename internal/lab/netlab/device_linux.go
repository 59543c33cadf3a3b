package netlab

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

// openDevice makes a device and returns the network's end of it.
func openDevice(t testing.TB, device Device) port {
	t.Helper()
	if device.Kind != Veth {
		tun, err := openTUN(device.Name)
		if err == nil {
			return tun
		}
		if device.Kind == TUN || !forbidden(err) {
			t.Skipf("the system forbids a TUN device: %v", err)
		}
	}
	veth, err := openVeth(t, device)
	if err != nil {
		t.Skipf("the system forbids a pair of virtual interfaces with a packet socket: %v", err)
	}
	return veth
}

// forbidden reports whether a file is missing, or may not be used.
func forbidden(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) ||
		errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO)
}

// refused reports whether the kernel does not take this packet, which is as if it
// were lost at its doorstep: noise may be no IP at all.
func refused(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EMSGSIZE)
}

// queueLength is how many packets the kernel may send while the network is busy
// with others.
const queueLength = 16384

// configureDevice makes a device the client's way to everywhere.
func configureDevice(device Device, client []netip.Addr) error {
	index, err := indexOf(device.Name)
	if err != nil {
		return err
	}
	if err := set(clientSettings(device.Name, client)...); err != nil {
		return err
	}
	if err := SetMTU(device.Name, device.MTU); err != nil {
		return err
	}
	m := newMessage(rtmNewLink, 0, linkBody(index)...)
	m.uint32(syscall.IFLA_TXQLEN, queueLength)
	if err := m.send(); err != nil {
		return failed(err, "set the queue length of %s", device.Name)
	}
	if err := changeFlags(device.Name, syscall.IFF_UP|syscall.IFF_NOARP); err != nil {
		return err
	}
	families := map[byte]bool{}
	for _, a := range client {
		if err := AddAddress(device.Name, netip.PrefixFrom(a, a.BitLen())); err != nil {
			return err
		}
		if err := awaitAddress(a); err != nil {
			return err
		}
		families[familyOf(a)] = true
	}
	for family := range families {
		if err := addDefaultRoute(family, index); err != nil {
			return failed(err, "add a default route through %s", device.Name)
		}
	}
	return nil
}

// clientSettings let answers come from anywhere (RFC 3704 would have them come
// where the way to their source leads), and keep the kernel from what it would
// say about IPv6 on its own account.
func clientSettings(name string, client []netip.Addr) []setting {
	all := []setting{{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/" + name + "/rp_filter", "0"}}
	for _, a := range client {
		if a.Is6() {
			conf := "ipv6/conf/" + name + "/"
			return append(all, setting{conf + "disable_ipv6", "0"}, setting{conf + "addr_gen_mode", "1"},
				setting{conf + "accept_dad", "0"}, setting{conf + "router_solicitations", "0"})
		}
	}
	if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
		all = append(all, setting{"ipv6/conf/" + name + "/disable_ipv6", "1"})
	}
	return all
}

// addDefaultRoute sends everything of a family out of an interface, unless an
// older one does.
func addDefaultRoute(family byte, index int) error {
	body := []byte{family, 0, 0, 0, syscall.RT_TABLE_MAIN, syscall.RTPROT_STATIC, syscall.RT_SCOPE_LINK, syscall.RTN_UNICAST}
	m := newMessage(syscall.RTM_NEWROUTE, createNew, binary.NativeEndian.AppendUint32(body, 0)...)
	m.uint32(syscall.RTA_OIF, uint32(index))
	m.uint32(syscall.RTA_PRIORITY, uint32(index))
	return m.send()
}
