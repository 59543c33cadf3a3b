package wire

import (
	"encoding/binary"
	"net/netip"
)

const (
	// IPv4MinHeaderLen and IPv4MaxHeaderLen are the lengths of the IPv4 header
	// without options and with the maximum of options.
	IPv4MinHeaderLen = 20
	IPv4MaxHeaderLen = 60

	flagDontFragment  = 0x4000
	flagMoreFragments = 0x2000
	fragmentOffset    = 0x1fff
)

var (
	errIPv4Short   = Malformed("IPv4 header is truncated")
	errIPv4Version = Malformed("IPv4 header of another version")
	errIPv4IHL     = Malformed("IPv4 header length is below 20")
	errIPv4Options = Malformed("IPv4 options are truncated")
)

// IPv4 is an IPv4 header (RFC 791 section 3.1).
type IPv4 struct {
	HeaderLen      int // with options; set by Parse, not read by Append
	TrafficClass   uint8
	TotalLen       int // as stated; set by Parse, not read by Append
	ID             uint16
	DontFragment   bool
	MoreFragments  bool
	FragmentOffset int
	TTL            uint8
	Protocol       uint8
	Checksum       uint16 // set by Parse, not read by Append
	Source         netip.Addr
	Destination    netip.Addr
	Options        []byte // up to 40 bytes
}

// Parse reads the header at the start of b. It verifies neither the header's checksum nor
// that b has TotalLen bytes, because some systems hand out headers in which both are
// altered.
func (h *IPv4) Parse(b []byte) error {
	if len(b) < IPv4MinHeaderLen {
		return errIPv4Short
	}
	if b[0]>>4 != 4 {
		return errIPv4Version
	}
	headerLen := int(b[0]&0xf) * 4
	if headerLen < IPv4MinHeaderLen {
		return errIPv4IHL
	}
	if headerLen > len(b) {
		return errIPv4Options
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	*h = IPv4{
		HeaderLen:      headerLen,
		TrafficClass:   b[1],
		TotalLen:       int(binary.BigEndian.Uint16(b[2:])),
		ID:             binary.BigEndian.Uint16(b[4:]),
		DontFragment:   fragment&flagDontFragment != 0,
		MoreFragments:  fragment&flagMoreFragments != 0,
		FragmentOffset: int(fragment&fragmentOffset) * 8,
		TTL:            b[8],
		Protocol:       b[9],
		Checksum:       binary.BigEndian.Uint16(b[10:]),
		Source:         netip.AddrFrom4([4]byte(b[12:16])),
		Destination:    netip.AddrFrom4([4]byte(b[16:20])),
		Options:        b[IPv4MinHeaderLen:headerLen],
	}
	return nil
}

// Append appends the header of a packet with payloadLen bytes after it, and computes its
// checksum. It pads Options with End of Option List to a multiple of 4 bytes, and omits the
// bytes after the first 40, for which the header has no room.
func (h *IPv4) Append(b []byte, payloadLen int) []byte {
	start := len(b)
	options := h.Options[:min(len(h.Options), IPv4MaxHeaderLen-IPv4MinHeaderLen)]
	headerLen := IPv4MinHeaderLen + (len(options)+3)&^3
	b = append(b, 4<<4|uint8(headerLen/4), h.TrafficClass)
	b = binary.BigEndian.AppendUint16(b, uint16(headerLen+payloadLen))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, h.fragmentWord())
	b = append(b, h.TTL, h.Protocol, 0, 0)
	source, destination := h.Source.As4(), h.Destination.As4()
	b = append(b, source[:]...)
	b = append(b, destination[:]...)
	b = append(b, options...)
	for len(b) < start+headerLen {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:]))
	return b
}

// fragmentWord returns the flags and the fragment offset in units of 8 bytes.
func (h *IPv4) fragmentWord() uint16 {
	word := uint16(h.FragmentOffset/8) & fragmentOffset
	if h.DontFragment {
		word |= flagDontFragment
	}
	if h.MoreFragments {
		word |= flagMoreFragments
	}
	return word
}
