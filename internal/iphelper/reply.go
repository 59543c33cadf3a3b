// Package iphelper reads and writes what the IP Helper API of Windows
// (IcmpSendEcho2Ex, Icmp6SendEcho2) takes and gives: structures in memory, status
// codes and error numbers. It makes no system call, so that all of it is tested on
// any system.
package iphelper

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

const (
	// Untouched is the status that a reply buffer is given before the call. A
	// system without room completes a request and leaves the buffer as it was: a
	// status of 0 would read as a reply.
	Untouched Status = 0xffffffff

	// MaxData is how many bytes of payload a request may carry: what the total
	// length of IPv4 (65,535) leaves behind the two headers.
	MaxData = 65507

	// DontFragment is the flag of an IP_OPTION_INFORMATION that sets the flag of
	// the IPv4 header (RFC 791 section 3.1).
	DontFragment = 2

	echoHeader = 8                  // of an ICMP echo message (RFC 792)
	errorData  = 8                  // that an ICMP error message may carry beside the reply
	statusIO   = 16                 // IO_STATUS_BLOCK
	slack      = 16                 // beyond what is documented
	family6    = 23                 // AF_INET6
	address6   = 6                  // of ICMPV6_ECHO_REPLY, packed: the address,
	scope6     = address6 + 16      // its scope,
	status6    = 28                 // the status,
	data6      = status6 + 4 + 4    // and behind the round-trip time the payload
	status4    = 4                  // of ICMP_ECHO_REPLY: behind the address
	size4      = status4 + 4 + 4    // the size of the payload
	pointer4   = size4 + 2 + 2      // where it is
	data4      = pointer4 + echoPad // the payload: behind the options
	echoPad    = 8 + 16
)

var errReply = errors.New("the IP Helper API returned a reply buffer that does not hold together")

// Family is one of the two forms of the API, on 64-bit systems.
type Family bool

// The two forms.
const (
	V4 Family = false
	V6 Family = true
)

// BufferSize returns how large the reply buffer of a request with a payload of
// size bytes is.
func (f Family) BufferSize(size int) int {
	return f.data() + max(size, errorData) + errorData + statusIO + slack
}

// Prepare marks a reply buffer as untouched.
func (f Family) Prepare(buf []byte) {
	clear(buf[:f.data()])
	binary.LittleEndian.PutUint32(buf[f.status():], uint32(Untouched))
}

// Status reads the status of a reply buffer.
func (f Family) Status(buf []byte) Status {
	return Status(binary.LittleEndian.Uint32(buf[f.status():]))
}

func (f Family) status() int {
	if f == V6 {
		return status6
	}
	return status4
}

func (f Family) data() int {
	if f == V6 {
		return data6
	}
	return data4
}

// Reply is a reply buffer, read.
type Reply struct {
	Status       Status
	Source       netip.Addr // the target, or the router that reports an error
	Zone         uint32     // interface index that scopes Source; 0: none
	TTL          int        // on arrival; 0: not known, as always of IPv6
	TrafficClass uint8      // on arrival; 0 of IPv6
	Data         []byte     // the payload of an echo reply; it is part of the buffer
	offset       int        // of Data in the buffer
}

// Parse reads the reply buffer of a request with a payload of size bytes. Base is
// the address of the buffer, to which that of an IPv4 payload is relative. (The API
// does not say how long an IPv6 payload is: it is as long as what was sent.)
func (f Family) Parse(buf []byte, base uint64, size int) (Reply, error) {
	if len(buf) < f.BufferSize(size) {
		return Reply{}, errReply
	}
	r := Reply{Status: f.Status(buf)}
	if f == V6 {
		r.Source = netip.AddrFrom16([16]byte(buf[address6:]))
		r.Zone = binary.LittleEndian.Uint32(buf[scope6:])
		r.offset = data6
	} else {
		r.Source = netip.AddrFrom4([4]byte(buf))
		r.TTL, r.TrafficClass = int(buf[pointer4+8]), buf[pointer4+9]
		size = int(binary.LittleEndian.Uint16(buf[size4:]))
		r.offset = data4
		if size > 0 {
			r.offset = int(binary.LittleEndian.Uint64(buf[pointer4:]) - base)
		}
	}
	if r.Status != Success {
		return r, nil
	}
	if r.offset < f.data() || r.offset > len(buf) || size > len(buf)-r.offset {
		return Reply{}, errReply
	}
	r.Data = buf[r.offset : r.offset+size]
	return r, nil
}

// Message turns the buffer of an echo reply into the ICMP message that it stands
// for, with the id and sequence number of its request. The header takes the place of
// what stood before the payload. Its checksum, which the API does not give, is 0.
func (f Family) Message(buf []byte, r *Reply, id, sequence uint16) []byte {
	start := r.offset - echoHeader
	m := buf[start : r.offset+len(r.Data)]
	clear(m[:echoHeader])
	if f == V6 {
		m[0] = 129 // echo reply (RFC 4443 section 4.2)
	}
	binary.BigEndian.PutUint16(m[4:], id)
	binary.BigEndian.PutUint16(m[6:], sequence)
	return m
}

// Options is an IP_OPTION_INFORMATION without IP options.
func Options(ttl, trafficClass uint8, flags uint8) [16]byte {
	return [16]byte{ttl, trafficClass, flags}
}

// Address4 is an IPAddr: an IPv4 address in network order, as the number that it
// reads as on this machine. The zero Addr is the unspecified address.
func Address4(a netip.Addr) uint32 {
	if !a.IsValid() {
		return 0
	}
	b := a.As4()
	return binary.LittleEndian.Uint32(b[:])
}

// Address6 is a sockaddr_in6. The zero Addr is the unspecified address.
func Address6(a netip.Addr, zone uint32) (b [28]byte) {
	binary.LittleEndian.PutUint16(b[:], family6)
	if a.IsValid() {
		addr := a.As16()
		copy(b[8:], addr[:])
	}
	binary.LittleEndian.PutUint32(b[24:], zone)
	return b
}
