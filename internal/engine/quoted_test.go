package engine

import (
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// The checksum of an echo request tells of no probe and no size, so that what
// is left of a quoted one is what somebody on the way did.
func TestTheChecksumOfEchoRequestsIsThatOfTheirID(t *testing.T) {
	local, remote := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	const id = 0xbeef
	for _, size := range []int{10, 11, 56, 57, 1232, 1472} {
		p := newPayload(&OpConfig{Size: size})
		for seq := uint16(1); seq < 2000; seq += 37 {
			packet := []byte{8, 0, 0, 0, id >> 8, id & 0xff, byte(seq >> 8), byte(seq)}
			packet = p.appendTo(packet, newNonce(), seq)
			r := &icmp.Reply{Destination: local}
			r.Quote = icmp.Quote{Protocol: icmp.ICMP, Type: icmp.V4EchoRequest, Checksum: wire.Checksum(packet)}
			if got := shiftOf(r, id, seq, &p); got != (Shift{Known: true, FromSent: true}) {
				t.Fatalf("size %d, sequence %d: %+v", size, seq, got)
			}
			packet[0] = icmp.V6EchoRequest.Number()
			r.Quote = icmp.Quote{
				Protocol: icmp.ICMPv6, Type: icmp.V6EchoRequest, Destination: remote,
				Checksum: wire.TransportChecksum(local, remote, uint8(icmp.ICMPv6), packet),
			}
			if got := shiftOf(r, id, seq, &p); got != (Shift{Known: true, FromSent: true, Addresses: true}) {
				t.Fatalf("IPv6, size %d, sequence %d: %+v", size, seq, got)
			}
		}
	}
}

func TestWhatIsNotKnownOfAChecksum(t *testing.T) {
	given, short := newPayload(&OpConfig{Custom: true, Payload: "given by the caller"}), newPayload(&OpConfig{Size: 9})
	numbered := newPayload(&OpConfig{Size: 56, Numbered: true})
	for _, tt := range []struct {
		name  string
		quote icmp.Quote
		p     *payload
		want  Shift
	}{
		{"none is quoted", icmp.Quote{Protocol: icmp.UDP}, &numbered, Shift{}},
		{"that of SCTP", icmp.Quote{Protocol: icmp.SCTP, Checksum: 5}, &given, Shift{}},
		{"a payload of the caller's", icmp.Quote{Protocol: icmp.ICMP, Type: icmp.V4EchoRequest, Checksum: 5}, &given, Shift{}},
		{"a payload without room for a balance", icmp.Quote{Protocol: icmp.ICMP, Type: icmp.V4EchoRequest, Checksum: 5}, &short, Shift{}},
		{"that of UDP is the number", icmp.Quote{Protocol: icmp.UDP, Checksum: 9}, &numbered, Shift{Known: true, FromSent: true, Addresses: true}},
		{"and less if it was changed", icmp.Quote{Protocol: icmp.UDP, Checksum: 7}, &numbered, Shift{Known: true, Sum: 2, FromSent: true, Addresses: true}},
		{"of TCP without the number", icmp.Quote{Protocol: icmp.TCP, TCPSequence: 0x00010002, Checksum: ^uint16(10)}, &given, Shift{Known: true, Sum: 7, Addresses: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &icmp.Reply{}
			r.Quote = tt.quote
			if got := shiftOf(r, 1, 9, tt.p); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDescribingAQuoteAllocatesNothing(t *testing.T) {
	p := newPayload(&OpConfig{Size: 56, Numbered: true})
	r := &icmp.Reply{}
	r.Type = icmp.V4TimeExceeded
	r.Quote = icmp.Quote{Length: 84, Protocol: icmp.UDP, Checksum: 3, Source: netip.MustParseAddr("192.0.2.1")}
	var q Quoted
	if n := testing.AllocsPerRun(100, func() { q.describe(r, 1, 3, &p) }); n != 0 || !q.Known {
		t.Errorf("%v allocations, %+v", n, q)
	}
}
