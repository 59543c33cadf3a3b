package transport

import (
	"encoding/binary"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// The window that a SYN and an INIT advertise, and the streams of an INIT (RFC
// 9260 section 3.3.2: neither number is 0). No data ever comes of them.
const (
	window  = 0xffff
	streams = 1
)

// mss4 and mss6 are the options of a SYN: the maximum segment size (RFC 9293
// section 3.7.1) of Ethernet. Some firewalls drop a SYN that has none.
var (
	mss4 = []byte{2, 4, 1460 >> 8, 1460 & 0xff}
	mss6 = []byte{2, 4, 1440 >> 8, 1440 & 0xff}
)

// appendPacket appends the transport packet of a valid probe, which goes from
// source. All of it is made here, checksum included, so that no network card
// has to complete it: routers then quote what was built here.
func appendPacket(b []byte, protocol icmp.Protocol, p *Probe, source netip.Addr) []byte {
	destination := p.Destination.Unmap()
	switch protocol {
	case icmp.UDP:
		h := wire.UDP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort}
		start := len(b)
		b = h.Append(b, source, destination, p.Payload)
		if p.Checksum != 0 {
			balance(b[start:], p.Checksum, p.Balance)
		}
		return b
	case icmp.TCP:
		h := wire.TCP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort,
			Sequence: p.Identity, Flags: wire.TCPFlagSYN, Window: window, Options: mss4}
		if destination.Is6() {
			h.Options = mss6
		}
		return h.Append(b, source, destination, nil)
	}
	h := wire.SCTP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort} // tag 0: an INIT
	var chunk [32]byte
	return h.Append(b, wire.AppendInit(chunk[:0], &wire.Init{InitiateTag: p.Identity, ReceiverWindow: window,
		OutboundStreams: streams, InboundStreams: streams, InitialTSN: p.Identity}))
}

// balance makes checksum the right one for a datagram by a choice of the two
// bytes at offset of its payload. In ones' complement arithmetic the sum of the
// packet is the complement of its checksum, and to subtract is to add the
// complement (RFC 1071, RFC 1624).
func balance(datagram []byte, checksum uint16, offset int) {
	field, word := datagram[6:], datagram[wire.UDPHeaderLen+offset:]
	more := wire.Combine(^checksum, binary.BigEndian.Uint16(field)) // the sum wanted less that there is
	binary.BigEndian.PutUint16(word, wire.Combine(binary.BigEndian.Uint16(word), more))
	binary.BigEndian.PutUint16(field, checksum)
}
