package sys

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlSize is the room for all control messages that we request together: timestamps,
// TTL, traffic class, packet info and the extended error with its address.
const controlSize = 320

const cmsgHeader = unix.SizeofCmsghdr

// parseControl decodes the control messages b into m, and skips unknown ones.
func parseControl(b []byte, m *Inbound) {
	for len(b) >= cmsgHeader {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		end := int(h.Len)
		if end < cmsgHeader || end > len(b) {
			return
		}
		parseControlMessage(h.Level, h.Type, b[cmsgHeader:end], m)
		b = b[min(unix.CmsgSpace(end-cmsgHeader), len(b)):]
	}
}

func parseControlMessage(level, typ int32, data []byte, m *Inbound) {
	switch level {
	case unix.SOL_SOCKET:
		switch typ {
		case unix.SO_TIMESTAMPNS:
			m.Stamp = timespec(data)
		case unix.SO_TIMESTAMPING:
			// struct scm_timestamping { struct timespec ts[3] }; the first one
			// is the software stamp.
			m.Departed = timespec(data[:len(data)/3])
		}
	case unix.SOL_IP:
		parseIPv4Control(typ, data, m)
	case unix.SOL_IPV6:
		parseIPv6Control(typ, data, m)
	}
}

func parseIPv4Control(typ int32, data []byte, m *Inbound) {
	switch typ {
	case unix.IP_TTL:
		m.TTL = int(nativeInt(data))
	case unix.IP_TOS:
		if len(data) > 0 { // the one control message of a single byte
			m.TrafficClass = data[0]
		}
	case unix.IP_PKTINFO:
		// struct in_pktinfo { int ifindex; in_addr spec_dst; in_addr addr }
		if len(data) >= unix.SizeofInet4Pktinfo {
			m.InterfaceIndex = int(nativeInt(data))
			m.To = netip.AddrFrom4([4]byte(data[8:12]))
		}
	case unix.IP_RECVERR:
		parseQueuedError(data, m)
	}
}

func parseIPv6Control(typ int32, data []byte, m *Inbound) {
	switch typ {
	case unix.IPV6_HOPLIMIT:
		m.TTL = int(nativeInt(data))
	case unix.IPV6_TCLASS:
		m.TrafficClass = uint8(nativeInt(data))
	case unix.IPV6_PKTINFO:
		// struct in6_pktinfo { in6_addr addr; unsigned ifindex }
		if len(data) >= unix.SizeofInet6Pktinfo {
			m.To = netip.AddrFrom16([16]byte(data[:16]))
			m.InterfaceIndex = int(nativeInt(data[16:]))
		}
	case unix.IPV6_RECVERR:
		parseQueuedError(data, m)
	}
}

// parseQueuedError reads struct sock_extended_err and the address of the offender after it
// (ip(7), SO_EE_OFFENDER).
func parseQueuedError(data []byte, m *Inbound) {
	const size = 16
	if len(data) < size {
		return
	}
	m.Failed = true
	m.Err = QueuedError{
		Errno:  binary.NativeEndian.Uint32(data),
		Origin: Origin(data[4]),
		Type:   data[5],
		Code:   data[6],
		Info:   binary.NativeEndian.Uint32(data[8:]),
		Data:   binary.NativeEndian.Uint32(data[12:]),
	}
	if m.Err.Origin == OriginLocal || m.Err.Origin == OriginTimestamping {
		return // the address is that of this host, or none
	}
	var sa sockaddr
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&sa)), unsafe.Sizeof(sa)), data[size:])
	m.Err.Offender, m.Err.Zone, _ = getSockaddr(&sa)
}

// timespec returns a struct timespec of either word size in nanoseconds.
func timespec(data []byte) int64 {
	switch len(data) {
	case 8: // 32-bit time_t
		sec := int32(binary.NativeEndian.Uint32(data))
		nsec := int32(binary.NativeEndian.Uint32(data[4:]))
		return int64(sec)*1e9 + int64(nsec)
	case 16:
		sec := int64(binary.NativeEndian.Uint64(data))
		nsec := int64(binary.NativeEndian.Uint64(data[8:]))
		return sec*1e9 + nsec
	}
	return 0
}

func nativeInt(data []byte) int32 {
	if len(data) < 4 {
		return 0
	}
	return int32(binary.NativeEndian.Uint32(data))
}

// appendControl appends a control message that holds one int.
func appendControl(b []byte, level, typ, value int) []byte {
	start := len(b)
	b = extend(b, unix.CmsgSpace(4))
	setHeader(b[start:], level, typ, 4)
	binary.NativeEndian.PutUint32(b[start+cmsgHeader:], uint32(int32(value)))
	return b
}

// appendSource appends the control message that sets the source address
// (ip(7), IP_PKTINFO; RFC 3542 section 6.2).
func appendSource(b []byte, source netip.Addr, zone uint32) []byte {
	start := len(b)
	if source.Is4() {
		b = extend(b, unix.CmsgSpace(unix.SizeofInet4Pktinfo))
		setHeader(b[start:], unix.SOL_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		addr := source.As4()
		copy(b[start+cmsgHeader+4:], addr[:]) // after the interface index
		return b
	}
	b = extend(b, unix.CmsgSpace(unix.SizeofInet6Pktinfo))
	setHeader(b[start:], unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	addr := source.As16()
	copy(b[start+cmsgHeader:], addr[:])
	binary.NativeEndian.PutUint32(b[start+cmsgHeader+16:], zone)
	return b
}

// extend appends n zero bytes. (append with make would also do without a second slice,
// but not with the race detector.)
func extend(b []byte, n int) []byte {
	b = slices.Grow(b, n)[:len(b)+n]
	clear(b[len(b)-n:])
	return b
}

func setHeader(b []byte, level, typ, size int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = int32(level), int32(typ)
	h.SetLen(unix.CmsgLen(size))
}
