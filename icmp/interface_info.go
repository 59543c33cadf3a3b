package icmp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// InterfaceRole is the part that an interface of an [InterfaceInfo] plays
// (RFC 5837 section 4.1).
type InterfaceRole uint8

// Roles of an interface, as seen from the quoted packet.
const (
	RoleIncoming InterfaceRole = iota // the packet arrived on it
	RoleSubIP                         // the sub-IP component on which the packet arrived
	RoleOutgoing                      // the router would have sent the packet from it
	RoleNextHop                       // the router would have sent the packet to it
)

var interfaceRoles = [...]string{"incoming", "sub-IP", "outgoing", "next hop"}

// String returns the role in words, such as "incoming".
func (r InterfaceRole) String() string { return interfaceRoles[r&3] }

// MarshalText returns the word that String returns.
func (r InterfaceRole) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a word that String returns. Any other word is an error.
func (r *InterfaceRole) UnmarshalText(text []byte) error {
	i := slices.Index(interfaceRoles[:], string(text))
	if i < 0 {
		return fmt.Errorf("icmp: %q is no role of an interface: one of %q is allowed", text, interfaceRoles)
	}
	*r = InterfaceRole(i)
	return nil
}

// InterfaceInfo is a router's description of an interface (RFC 5837).
type InterfaceInfo struct {
	Role    InterfaceRole // its part in the path of the packet
	Index   uint32        // ifIndex of RFC 2863; 0: not given
	Address netip.Addr    // zero: not given
	Name    string        // ifName of RFC 2863; "": not given
	MTU     int           // bytes; 0: not given
}

const (
	classInterface = 2 // RFC 5837 section 4

	// Bits of the C-Type (section 4.1).
	interfaceRoleShift = 6
	interfaceIndex     = 1 << 3
	interfaceAddress   = 1 << 2
	interfaceName      = 1 << 1
	interfaceMTU       = 1 << 0

	// Address families (section 4.2).
	familyIPv4 = 1
	familyIPv6 = 2
)

// AppendInterfaces appends the descriptions of interfaces (RFC 5837), in order, and
// returns the extended slice. It skips malformed ones.
func (e Extensions) AppendInterfaces(dst []InterfaceInfo) []InterfaceInfo {
	for object := range e.Objects() {
		if object.Class != classInterface {
			continue
		}
		var info InterfaceInfo
		if info.parse(object.CType, object.Payload) {
			dst = append(dst, info)
		}
	}
	return dst
}

// parse reads the parts that the C-Type announces, which follow one another in
// the order of its bits.
func (i *InterfaceInfo) parse(ctype uint8, b []byte) bool {
	i.Role = InterfaceRole(ctype >> interfaceRoleShift)
	if ctype&interfaceIndex != 0 {
		if len(b) < 4 {
			return false
		}
		i.Index, b = binary.BigEndian.Uint32(b), b[4:]
	}
	if ctype&interfaceAddress != 0 {
		n := i.parseAddress(b)
		if n == 0 {
			return false
		}
		b = b[n:]
	}
	if ctype&interfaceName != 0 {
		n := i.parseName(b)
		if n == 0 {
			return false
		}
		b = b[n:]
	}
	if ctype&interfaceMTU != 0 {
		if len(b) < 4 {
			return false
		}
		i.MTU = int(binary.BigEndian.Uint32(b))
	}
	return true
}

// parseAddress reads an IP address sub-object (section 4.2) and returns its
// length, 0 if it is malformed.
func (i *InterfaceInfo) parseAddress(b []byte) int {
	const header = 4
	if len(b) < header {
		return 0
	}
	switch family := binary.BigEndian.Uint16(b); {
	case family == familyIPv4 && len(b) >= header+4:
		i.Address = netip.AddrFrom4([4]byte(b[header:]))
		return header + 4
	case family == familyIPv6 && len(b) >= header+16:
		i.Address = netip.AddrFrom16([16]byte(b[header:]))
		return header + 16
	}
	return 0
}

// parseName reads an interface name sub-object (section 4.3) and returns its
// length, which is its first byte; 0 if it is malformed.
func (i *InterfaceInfo) parseName(b []byte) int {
	if len(b) == 0 || b[0] < 1 || int(b[0]) > len(b) {
		return 0
	}
	n := int(b[0])
	name := b[1:n]
	for len(name) > 0 && name[len(name)-1] == 0 { // padding to four bytes
		name = name[:len(name)-1]
	}
	i.Name = string(name)
	return n
}
