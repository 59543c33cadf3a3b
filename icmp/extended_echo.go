package icmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

var errExtendedEcho = wire.Malformed("no extended echo message")

// ExtendedEcho is an extended echo request or reply (PROBE, RFC 8335). A request asks a
// node for the state of one of its own interfaces, or of a neighbor's interface on its
// link. It has ID, Sequence, Local and exactly one of Name, Index and Address. A reply has
// ID, Sequence and the state.
type ExtendedEcho struct {
	ID       uint16 // of the sender; package socket sets it
	Sequence uint8  // has only 8 bits

	// Local asks for an interface of the node itself. Without it, the request asks for
	// the neighbor with Address in the node's ARP table or neighbor cache.
	Local bool

	Name    string     // ifName of RFC 2863, such as eth0; up to 255 bytes
	Index   uint32     // ifIndex of RFC 2863
	Address netip.Addr // of the interface, or of the neighbor

	State  NeighborState // set if the code is 0 and the request was not Local
	Active bool          // whether the interface is active; known if the code is 0
	IPv4   bool          // whether it runs IPv4; can be set only if Active is
	IPv6   bool          // whether it runs IPv6; can be set only if Active is
}

// NeighborState is the state of an entry of an ARP table or a neighbor cache (RFC
// 8335 section 3).
type NeighborState uint8

// States of a neighbor.
const (
	NeighborUnknown NeighborState = iota // also for an interface of the node itself
	NeighborIncomplete
	NeighborReachable
	NeighborStale
	NeighborDelay
	NeighborProbe
	NeighborFailed
)

var neighborStates = [...]string{"unknown", "incomplete", "reachable", "stale", "delay", "probe", "failed"}

// String returns the state in words, such as "reachable".
func (s NeighborState) String() string {
	if int(s) < len(neighborStates) {
		return neighborStates[s]
	}
	return neighborStates[NeighborUnknown]
}

// MarshalText returns the word that String returns.
func (s NeighborState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a word that String returns. Any other word is an error.
func (s *NeighborState) UnmarshalText(text []byte) error {
	i := slices.Index(neighborStates[:], string(text))
	if i < 0 {
		return fmt.Errorf("icmp: %q is no state of a neighbor: one of %q is allowed", text, neighborStates)
	}
	*s = NeighborState(i)
	return nil
}

const (
	classInterfaceQuery = 3 // RFC 8335 section 2.1

	// C-Types.
	queryByName    = 1
	queryByIndex   = 2
	queryByAddress = 3

	queryLocal = 1 << 0 // L of a request

	// Fields of a reply after the sequence number (section 3).
	replyStateShift = 5
	replyActive     = 1 << 2
	replyIPv4       = 1 << 1
	replyIPv6       = 1 << 0

	maxInterfaceName = 255
)

// Request returns the request as a message of version v. It returns a [*FieldError] unless
// exactly one of Name, Index and Address is set, Name has at most 255 bytes, and Local is
// set with a Name or an Index.
func (e *ExtendedEcho) Request(v Version) (*Message, error) {
	m := &Message{Type: V4ExtendedEchoRequest}
	if v == V6 {
		m.Type = V6ExtendedEchoRequest
	}
	ctype, object, err := e.query()
	if err != nil {
		return nil, err
	}
	var flags byte
	if e.Local {
		flags = queryLocal
	}
	b := binary.BigEndian.AppendUint16(nil, e.ID)
	b = append(b, e.Sequence, flags)
	start := len(b)
	b = append(b, extensionVersion<<4, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(objectHeaderLen+len(object)))
	b = append(b, classInterfaceQuery, ctype)
	b = append(b, object...)
	binary.BigEndian.PutUint16(b[start+2:], wire.Checksum(b[start:]))
	m.Payload = b
	return m, nil
}

// query returns the C-Type and the payload of the interface identification object.
func (e *ExtendedEcho) query() (ctype uint8, object []byte, err error) {
	given := 0
	if e.Name != "" {
		ctype, object = queryByName, []byte(e.Name)
		for len(object)%4 != 0 {
			object = append(object, 0)
		}
		given++
	}
	if e.Index != 0 {
		ctype, object = queryByIndex, binary.BigEndian.AppendUint32(nil, e.Index)
		given++
	}
	if e.Address.IsValid() {
		ctype, object = queryByAddress, e.appendAddress(nil)
		given++
	}
	switch {
	case given != 1:
		return 0, nil, &FieldError{Field: "Name, Index and Address", Value: given, Allowed: "one of them: it says which interface is asked about"}
	case len(e.Name) > maxInterfaceName:
		return 0, nil, &FieldError{Field: "Name", Value: len(e.Name), Allowed: "up to 255 bytes"}
	case !e.Local && ctype != queryByAddress:
		return 0, nil, &FieldError{Field: "Local", Value: false, Allowed: "true with a Name or an Index: a neighbor is known by its Address"}
	}
	return ctype, object, nil
}

// appendAddress appends the address with its family and length (section 2.1).
func (e *ExtendedEcho) appendAddress(b []byte) []byte {
	addr := e.Address.Unmap()
	family := uint16(familyIPv6)
	if addr.Is4() {
		family = familyIPv4
	}
	b = binary.BigEndian.AppendUint16(b, family)
	b = append(b, uint8(addr.BitLen()/8), 0)
	return append(b, addr.AsSlice()...)
}

// Parse reads an extended echo request or reply, and overwrites all of e. For any other
// message, the error wraps [ErrMalformed]. The caller must check the Code: a reply whose
// Code is not 0 says nothing about the interface.
func (e *ExtendedEcho) Parse(m *Message) error {
	*e = ExtendedEcho{}
	b := m.Payload
	if len(b) < headerLen-minLen {
		return errExtendedEcho
	}
	e.ID, e.Sequence = binary.BigEndian.Uint16(b), b[2]
	switch m.Type {
	case V4ExtendedEchoReply, V6ExtendedEchoReply:
		if m.Code == 0 {
			e.State = NeighborState(b[3] >> replyStateShift)
			e.Active, e.IPv4, e.IPv6 = b[3]&replyActive != 0, b[3]&replyIPv4 != 0, b[3]&replyIPv6 != 0
		}
		return nil
	case V4ExtendedEchoRequest, V6ExtendedEchoRequest:
		e.Local = b[3]&queryLocal != 0
		return e.parseQuery(b[4:])
	}
	return errExtendedEcho
}

// parseQuery reads the interface identification object of a request.
func (e *ExtendedEcho) parseQuery(b []byte) error {
	var x Extensions
	if err := x.Parse(b); err != nil {
		return err
	}
	for o := range x.Objects() {
		if o.Class != classInterfaceQuery {
			continue
		}
		var info InterfaceInfo
		switch {
		case o.CType == queryByName && len(o.Payload) > 0:
			e.Name = string(bytes.TrimRight(o.Payload, "\x00")) // which pads it to four bytes
		case o.CType == queryByIndex && len(o.Payload) >= 4:
			e.Index = binary.BigEndian.Uint32(o.Payload)
		case o.CType == queryByAddress && info.parseAddress(o.Payload) > 0:
			e.Address = info.Address
		}
	}
	if e.Name == "" && e.Index == 0 && !e.Address.IsValid() {
		return errExtendedEcho
	}
	return nil
}
