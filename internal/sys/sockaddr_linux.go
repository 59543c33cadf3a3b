package sys

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sockaddr has room for an address of either family.
type sockaddr = unix.RawSockaddrInet6

// putSockaddr writes the destination of out and returns its length for the kernel.
func putSockaddr(sa *sockaddr, out *Outbound) uint32 {
	if out.To.Is4() {
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		*sa4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swap(out.Port), Addr: out.To.As4()}
		return unix.SizeofSockaddrInet4
	}
	*sa = sockaddr{Family: unix.AF_INET6, Port: swap(out.Port), Addr: out.To.As16(), Scope_id: out.Zone}
	binary.BigEndian.PutUint32((*[4]byte)(unsafe.Pointer(&sa.Flowinfo))[:], out.FlowLabel)
	return unix.SizeofSockaddrInet6
}

// getSockaddr reads the address that the kernel wrote; the zero Addr if it wrote none.
func getSockaddr(sa *sockaddr) (addr netip.Addr, zone uint32, port uint16) {
	switch sa.Family {
	case unix.AF_INET:
		sa4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrFrom4(sa4.Addr), 0, swap(sa4.Port)
	case unix.AF_INET6:
		return netip.AddrFrom16(sa.Addr), sa.Scope_id, swap(sa.Port)
	}
	return netip.Addr{}, 0, 0
}

// swap converts a port between the byte orders of the machine and of the network.
func swap(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}
