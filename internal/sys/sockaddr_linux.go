package sys

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr has room for an address of either family.
type sockaddr = unix.RawSockaddrInet6

// put writes addr and zone and returns the length that the kernel wants.
func putSockaddr(sa *sockaddr, addr netip.Addr, zone uint32) uint32 {
	if addr.Is4() {
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		*sa4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.As4()}
		return unix.SizeofSockaddrInet4
	}
	*sa = sockaddr{Family: unix.AF_INET6, Addr: addr.As16(), Scope_id: zone}
	return unix.SizeofSockaddrInet6
}

// getSockaddr reads what the kernel wrote; the zero Addr if it wrote none.
func getSockaddr(sa *sockaddr) (netip.Addr, uint32) {
	switch sa.Family {
	case unix.AF_INET:
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(sa)).Addr), 0
	case unix.AF_INET6:
		return netip.AddrFrom16(sa.Addr), sa.Scope_id
	}
	return netip.Addr{}, 0
}
