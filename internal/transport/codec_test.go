package transport

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

var (
	from4, to4 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	from6, to6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::7")
)

func TestADatagramHasTheChecksumThatItIsToHave(t *testing.T) {
	for _, tt := range []struct {
		name    string
		payload string
		balance int
	}{
		{"two bytes of balance alone", "\x00\x00", 0},
		{"at the start", "\xff\xffabcdef", 0},
		{"in the middle of an odd length", "abcdefghi", 4},
		{"at the end", "abcdef\x12\x34", 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, want := range []uint16{1, 0x1234, 0x8000, 0xfffe, 0xffff} {
				for _, pair := range [][2]netip.Addr{{from4, to4}, {from6, to6}} {
					p := Probe{Destination: pair[1], SourcePort: 33434, DestinationPort: 33435,
						Payload: []byte(tt.payload), Checksum: want, Balance: tt.balance}
					b := appendPacket(nil, icmp.UDP, &p, pair[0])
					sum := wire.TransportChecksum(pair[0], pair[1], wire.ProtocolUDP, b)
					if got := binary.BigEndian.Uint16(b[6:]); got != want || sum != 0 {
						t.Errorf("the checksum is %#04x, want %#04x, and is wrong by %#04x", got, want, sum)
					}
					if string(p.Payload) != tt.payload {
						t.Error("the caller's payload was changed")
					}
					copy(b[8+tt.balance:], tt.payload[tt.balance:tt.balance+2])
					if as := (&wire.UDP{SourcePort: 33434, DestinationPort: 33435}).Append(nil, pair[0], pair[1], p.Payload); string(b[:6]) != string(as[:6]) || string(b[8:]) != tt.payload {
						t.Error("more than two bytes were chosen")
					}
				}
			}
		})
	}
}

// FuzzBalance: the checksum is right whatever the payload.
func FuzzBalance(f *testing.F) {
	f.Add([]byte("abcdefgh"), uint16(7), uint8(2))
	f.Add([]byte{0xff, 0xff, 0}, uint16(0xffff), uint8(0))
	f.Fuzz(func(t *testing.T, payload []byte, checksum uint16, offset uint8) {
		p := Probe{Destination: to6, DestinationPort: 1, Payload: payload, Checksum: checksum, Balance: int(offset)}
		if checksum == 0 || p.validateProtocol(icmp.UDP) != nil {
			return
		}
		b := appendPacket(nil, icmp.UDP, &p, from6)
		if wire.TransportChecksum(from6, to6, wire.ProtocolUDP, b) != 0 || binary.BigEndian.Uint16(b[6:]) != checksum {
			t.Errorf("checksum of %x", b)
		}
	})
}

func TestDirectAnswers(t *testing.T) {
	const mine, theirs = 40000, 80
	tcp := func(flags uint8, ack uint32) []byte {
		h := wire.TCP{SourcePort: theirs, DestinationPort: mine, Flags: flags, Acknowledgment: ack}
		return h.Append(nil, to4, from4, nil)
	}
	udp := wire.UDP{SourcePort: theirs, DestinationPort: mine}
	datagram := udp.Append(nil, to4, from4, []byte("pong"))
	for _, tt := range []struct {
		name       string
		protocol   icmp.Protocol
		packet     []byte
		want       verdict
		kind       Kind
		identified bool
		identity   uint32
	}{
		{"a SYN-ACK acknowledges the SYN, which counts as one", icmp.TCP, tcp(0x12, 8), keep, SYNACK, true, 7},
		{"a RST acknowledges it too", icmp.TCP, tcp(0x14, 0), keep, RST, true, 0xffffffff},
		{"a RST without ACK may be anybody's", icmp.TCP, tcp(0x04, 0), ignore, None, false, 0},
		{"and so may one that numbers a SYN", icmp.TCP, tcp(0x06, 8), ignore, None, false, 0},
		{"a RST goes before all", icmp.TCP, tcp(0x16, 8), keep, RST, true, 7},
		{"an ACK is of some connection", icmp.TCP, tcp(0x10, 8), ignore, None, false, 0},
		{"a segment with a wrong checksum", icmp.TCP, spoil(tcp(0x12, 8), 16), malformed, None, false, 0},
		{"a segment that was never completed", icmp.TCP, partial(tcp(0x12, 8), 16, wire.ProtocolTCP), keep, SYNACK, true, 7},
		{"a datagram", icmp.UDP, datagram, keep, Datagram, false, 0},
		{"a datagram without checksum", icmp.UDP, put(datagram, 6, 0), keep, Datagram, false, 0},
		{"a datagram with a wrong checksum", icmp.UDP, spoil(datagram, 6), malformed, None, false, 0},
		{"a datagram that is longer than it is", icmp.UDP, put(datagram, 4, 99), malformed, None, false, 0},
		{"a datagram that is shorter than its header", icmp.UDP, put(datagram, 4, 7), malformed, None, false, 0},
		{"half a header", icmp.TCP, tcp(0x12, 8)[:10], malformed, None, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := Arrival{Protocol: tt.protocol}
			a.Source, a.Destination = to4, from4
			got := parseSegment(&a, tt.packet)
			if got != tt.want || got == keep && (a.Segment.Kind != tt.kind || a.Segment.SourcePort != theirs || a.Segment.DestinationPort != mine) {
				t.Errorf("verdict %d: %+v", got, a.Segment)
			}
			if a.Identified != tt.identified || a.Identity != tt.identity {
				t.Errorf("it is about %#x (%v)", a.Identity, a.Identified)
			}
		})
	}
}

// put returns a copy of a packet with another 16-bit field.
func put(packet []byte, at int, value uint16) []byte {
	b := append([]byte{}, packet...)
	binary.BigEndian.PutUint16(b[at:], value)
	return b
}

func spoil(packet []byte, at int) []byte {
	return put(packet, at, binary.BigEndian.Uint16(packet[at:])^0x0100)
}

// partial leaves the checksum as the kernel does for a card to complete it.
func partial(packet []byte, at int, protocol uint8) []byte {
	return put(packet, at, wire.PseudoHeaderSum(to4, from4, protocol, len(packet)))
}

func FuzzArrivals(f *testing.F) {
	h := wire.TCP{SourcePort: 80, DestinationPort: 40000, Flags: 0x12}
	f.Add(h.Append(nil, to4, from4, nil))
	s := wire.SCTP{SourcePort: 80, DestinationPort: 40000, VerificationTag: 7}
	f.Add(s.Append(nil, wire.AppendAbort(nil, false)))
	f.Add(message(icmp.V4TimeExceeded, packet4(icmp.SCTP, 0, s.Append(nil, wire.AppendInit(nil, &wire.Init{InitiateTag: 7})))))
	f.Add(message(icmp.V6TimeExceeded, packet6(icmp.TCP, ports(40000, 80, 0, 0))))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP, icmp.SCTP} {
			a := Arrival{Protocol: protocol}
			if parseSegment(&a, b) == keep && a.Segment.Kind == None {
				t.Error("an answer of no kind")
			}
			for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
				a := Arrival{Protocol: protocol}
				if parseError(&a, v, b, 40000, 10) == keep && (a.Quote.Protocol != protocol || a.Quote.SourcePort-40000 >= 10) {
					t.Errorf("kept what quotes %v from port %d", a.Quote.Protocol, a.Quote.SourcePort)
				}
			}
		}
	})
}
