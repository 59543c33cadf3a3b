package netsim

import (
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

// probe is a packet from the client.
type probe struct {
	to      string
	ttl     int // 0: 64
	id, seq uint16
	port    uint16 // destination port; the source port is 1000 + id
	size    int    // of the payload
	tc      uint8
	df      bool
	label   uint32
	from    netip.Addr
	flags   uint8 // of TCP; 0: SYN
}

func (q probe) addresses() (from, to netip.Addr) {
	to = netip.MustParseAddr(q.to)
	from = netip.MustParseAddr("192.0.2.1")
	if to.Is6() {
		from = netip.MustParseAddr("2001:db8::1")
	}
	if q.from.IsValid() {
		from = q.from
	}
	return from, to
}

// packet puts an IP header before an upper layer.
func (q probe) packet(protocol uint8, upper []byte) []byte {
	from, to := q.addresses()
	ttl := uint8(64)
	if q.ttl > 0 {
		ttl = uint8(q.ttl)
	}
	if to.Is6() {
		h := wire.IPv6{NextHeader: protocol, HopLimit: ttl, TrafficClass: q.tc, FlowLabel: q.label, Source: from, Destination: to}
		return append(h.Append(nil, len(upper)), upper...)
	}
	h := wire.IPv4{ID: 0x4711, TTL: ttl, Protocol: protocol, TrafficClass: q.tc, DontFragment: q.df, Source: from, Destination: to}
	return append(h.Append(nil, len(upper)), upper...)
}

func (q probe) echo() []byte {
	_, to := q.addresses()
	upper := make([]byte, icmpHeader+q.size)
	upper[0] = echoRequest4
	if to.Is6() {
		upper[0] = echoRequest6
	}
	put16(upper[4:], q.id)
	put16(upper[6:], q.seq)
	for i := range q.size {
		upper[icmpHeader+i] = byte(i)
	}
	b := q.packet(icmpProtocol(to.Is6()), upper)
	p, _ := parsePacket(b)
	p.seal()
	return b
}

func (q probe) udp() []byte {
	from, to := q.addresses()
	h := wire.UDP{SourcePort: 1000 + q.id, DestinationPort: q.port}
	return q.packet(wire.ProtocolUDP, h.Append(nil, from, to, make([]byte, q.size)))
}

func (q probe) tcp() []byte {
	from, to := q.addresses()
	h := wire.TCP{SourcePort: 1000 + q.id, DestinationPort: q.port, Sequence: 77, Acknowledgment: 99, Flags: max(q.flags, wire.TCPFlagSYN)}
	if q.flags != 0 {
		h.Flags = q.flags
	}
	return q.packet(wire.ProtocolTCP, h.Append(nil, from, to, nil))
}

func (q probe) sctp(chunk []byte) []byte {
	h := wire.SCTP{SourcePort: 1000 + q.id, DestinationPort: q.port}
	return q.packet(wire.ProtocolSCTP, h.Append(nil, chunk))
}

// echoes are requests with the sequences 1 to n.
func echoes(n int, q probe) (packets [][]byte) {
	for i := range n {
		q.seq = uint16(i + 1)
		packets = append(packets, q.echo())
	}
	return packets
}

// traces are requests with the TTLs 1 to n.
func traces(n int, q probe) (packets [][]byte) {
	for i := range n {
		q.ttl, q.seq = i+1, uint16(i+1)
		packets = append(packets, q.echo())
	}
	return packets
}
