package netlab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
)

// AddVeth makes a pair of interfaces: what goes into one comes out of the other.
func AddVeth(name, peer string) error {
	m := newMessage(rtmNewLink, createNew, linkBody(0)...)
	m.text(syscall.IFLA_IFNAME, name)
	m.attribute(iflaLinkInfo|nestedBit, func() {
		m.text(iflaInfoKind, "veth")
		m.attribute(iflaInfoData|nestedBit, func() {
			m.attribute(vethInfoPeer|nestedBit, func() {
				m.b = append(m.b, linkBody(0)...)
				m.text(syscall.IFLA_IFNAME, peer)
			})
		})
	})
	return failed(m.send(), "add veth %s", name)
}

// RemoveLink removes an interface; its veth peer goes with it.
func RemoveLink(name string) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	return failed(newMessage(syscall.RTM_DELLINK, 0, linkBody(index)...).send(), "remove %s", name)
}

// MoveLink moves an interface to the network namespace of a process.
func MoveLink(name string, pid int) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	m := newMessage(rtmNewLink, 0, linkBody(index)...)
	m.uint32(iflaNetNSPID, uint32(pid))
	return failed(m.send(), "move %s to the namespace of process %d", name, pid)
}

// Take moves an interface from the test's namespace to this one.
func (n *Namespace) Take(name string) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	m := newMessage(rtmNewLink, 0, linkBody(index)...)
	m.uint32(iflaNetNSFD, uint32(n.file.Fd()))
	return failed(m.send(), "move %s to another namespace", name)
}

// SetMTU sets the size of the largest packet that an interface sends.
func SetMTU(name string, mtu int) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	m := newMessage(rtmNewLink, 0, linkBody(index)...)
	m.uint32(syscall.IFLA_MTU, uint32(mtu))
	return failed(m.send(), "set the MTU of %s to %d", name, mtu)
}

// AddAddress gives an interface an address, usable at once.
func AddAddress(name string, prefix netip.Prefix) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	family := familyOf(prefix.Addr())
	body := []byte{family, byte(prefix.Bits()), noDAD, 0}
	m := newMessage(syscall.RTM_NEWADDR, createNew, binary.NativeEndian.AppendUint32(body, uint32(index))...)
	m.bytes(syscall.IFA_LOCAL, prefix.Addr().AsSlice())
	m.bytes(syscall.IFA_ADDRESS, prefix.Addr().AsSlice())
	return failed(m.send(), "add address %v to %s", prefix, name)
}

// RemoveAddress takes an address away from an interface.
func RemoveAddress(name string, prefix netip.Prefix) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	body := []byte{familyOf(prefix.Addr()), byte(prefix.Bits()), 0, 0}
	m := newMessage(syscall.RTM_DELADDR, 0, binary.NativeEndian.AppendUint32(body, uint32(index))...)
	m.bytes(syscall.IFA_LOCAL, prefix.Addr().AsSlice())
	m.bytes(syscall.IFA_ADDRESS, prefix.Addr().AsSlice())
	return failed(m.send(), "remove address %v from %s", prefix, name)
}

// AddRoute sends what is for a prefix out of an interface, to a gateway where
// one is given.
func AddRoute(prefix netip.Prefix, gateway netip.Addr, name string) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	scope := byte(syscall.RT_SCOPE_UNIVERSE)
	if !gateway.IsValid() {
		scope = syscall.RT_SCOPE_LINK
	}
	return failed(addRoute(prefix, gateway, index, scope, syscall.RTN_UNICAST), "add route to %v", prefix)
}

// AddLocal makes the whole of a prefix addresses of this host: on the loopback
// interface, one route gives a host as many addresses as a test may want.
func AddLocal(prefix netip.Prefix) error {
	index, err := indexOf("lo")
	if err != nil {
		return err
	}
	return failed(addRoute(prefix, netip.Addr{}, index, syscall.RT_SCOPE_HOST, syscall.RTN_LOCAL), "add local %v", prefix)
}

func addRoute(prefix netip.Prefix, gateway netip.Addr, index int, scope, typ byte) error {
	table := byte(syscall.RT_TABLE_MAIN)
	if typ == syscall.RTN_LOCAL {
		table = syscall.RT_TABLE_LOCAL
	}
	// struct rtmsg
	body := []byte{familyOf(prefix.Addr()), byte(prefix.Bits()), 0, 0, table, syscall.RTPROT_STATIC, scope, typ, 0, 0, 0, 0}
	m := newMessage(syscall.RTM_NEWROUTE, createNew, body...)
	m.bytes(syscall.RTA_DST, prefix.Masked().Addr().AsSlice())
	if gateway.IsValid() {
		m.bytes(syscall.RTA_GATEWAY, gateway.AsSlice())
	}
	m.uint32(syscall.RTA_OIF, uint32(index))
	return m.send()
}

func familyOf(a netip.Addr) byte {
	if a.Is4() {
		return syscall.AF_INET
	}
	return syscall.AF_INET6
}

func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
