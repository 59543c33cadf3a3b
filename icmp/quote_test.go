package icmp_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

func TestQuoteReadsTheHeaderThatTheRouterSaw(t *testing.T) {
	var q icmp.Quote
	if err := q.Parse(icmp.V4, packet4(1, nil, echo(8))); err != nil {
		t.Fatal(err)
	}
	if q.Source != source4 || q.Destination != target4 || q.TTL != 1 || q.TrafficClass != 0x20 ||
		q.IPID != 0xbeef || !q.DontFragment || q.Length != 32 || q.Protocol != icmp.ICMP {
		t.Errorf("IPv4: %+v", q)
	}
	if err := q.Parse(icmp.V6, packet6(58, echo(128))); err != nil {
		t.Fatal(err)
	}
	if q.Source != source6 || q.Destination != target6 || q.TTL != 1 || q.TrafficClass != 0x20 ||
		q.FlowLabel != 0xabcde || q.Length != 52 || q.Protocol != icmp.ICMPv6 || q.IPID != 0 {
		t.Errorf("IPv6: %+v", q)
	}
}

func TestQuoteReadsUpperLayerHeaders(t *testing.T) {
	udp := (&wire.UDP{SourcePort: 40000, DestinationPort: 33434}).Append(nil, source4, target4, []byte("data"))
	tcp := (&wire.TCP{SourcePort: 40000, DestinationPort: 80, Sequence: 0x01020304, Flags: wire.TCPFlagSYN, Options: []byte{2, 4, 5, 0xb4}}).Append(nil, source4, target4, []byte("data"))
	sctp := (&wire.SCTP{SourcePort: 40000, DestinationPort: 80, VerificationTag: 0x0a0b0c0d}).Append(nil, []byte{1, 0, 0, 4})
	tests := []struct {
		name    string
		bytes   []byte
		payload string
		check   func(q *icmp.Quote) bool
	}{
		{"whole UDP", packet4(17, nil, udp), "data", func(q *icmp.Quote) bool { return q.DestinationPort == 33434 && q.Checksum != 0 }},
		{"eight bytes of UDP", packet4(17, nil, udp)[:28], "", func(q *icmp.Quote) bool { return q.DestinationPort == 33434 && q.Checksum != 0 }},
		{"whole TCP with options", packet4(6, nil, tcp), "data", func(q *icmp.Quote) bool {
			return q.DestinationPort == 80 && q.TCPSequence == 0x01020304 && q.Checksum != 0
		}},
		{"eight bytes of TCP", packet4(6, nil, tcp)[:28], "", func(q *icmp.Quote) bool { return q.TCPSequence == 0x01020304 && q.Checksum == 0 }},
		{"whole SCTP", packet4(132, nil, sctp), "\x01\x00\x00\x04", func(q *icmp.Quote) bool { return q.DestinationPort == 80 && q.VerificationTag == 0x0a0b0c0d }},
		{"eight bytes of SCTP", packet4(132, nil, sctp)[:28], "", func(q *icmp.Quote) bool { return q.VerificationTag == 0x0a0b0c0d }},
		{"IPv4 options before UDP", packet4(17, []byte{7, 7, 4, 0, 0, 0, 0, 0}, udp), "data", func(q *icmp.Quote) bool { return q.SourcePort == 40000 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var q icmp.Quote
			if err := q.Parse(icmp.V4, tt.bytes); err != nil {
				t.Fatal(err)
			}
			if q.SourcePort != 40000 || !tt.check(&q) || string(q.Payload) != tt.payload {
				t.Errorf("%+v", q)
			}
		})
	}
}

func TestQuoteWalksIPv6ExtensionHeaders(t *testing.T) {
	hops := wire.AppendOptionsHeader(nil, wire.ProtocolRouting, nil)
	routing := wire.AppendRoutingHeader(nil, wire.ProtocolDestinationOptions, 4, 0, make([]byte, 20))
	options := wire.AppendOptionsHeader(nil, wire.ProtocolICMPv6, []byte{1, 2, 0, 0})
	var q icmp.Quote
	if err := q.Parse(icmp.V6, packet6(wire.ProtocolHopByHop, join(hops, routing, options, echo(128)))); err != nil {
		t.Fatal(err)
	}
	if q.Protocol != icmp.ICMPv6 || q.Type != icmp.V6EchoRequest || q.Sequence != 7 || string(q.Payload) != "ping" {
		t.Errorf("%+v", q)
	}
}

func TestQuoteOfALaterFragmentHasNoUpperLayerHeader(t *testing.T) {
	later := packet4(17, nil, []byte("these bytes look like ports"))
	later[6], later[7] = 0, 185 // 1480 bytes
	var q icmp.Quote
	if err := q.Parse(icmp.V4, later); err != nil {
		t.Fatal(err)
	}
	if q.FragmentOffset != 1480 || q.SourcePort != 0 || q.Payload != nil {
		t.Errorf("%+v", q)
	}
	fragment := wire.AppendFragmentHeader(nil, wire.ProtocolUDP, 1448, false, 9)
	if err := q.Parse(icmp.V6, packet6(wire.ProtocolFragment, join(fragment, []byte("as in IPv4")))); err != nil {
		t.Fatal(err)
	}
	if q.FragmentOffset != 1448 || q.SourcePort != 0 || q.Protocol != icmp.UDP {
		t.Errorf("%+v", q)
	}
}

func TestQuoteCutsThePaddingBeforeExtensions(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		b := packet4(1, nil, echo(8))
		if v == icmp.V6 {
			b = packet6(58, echo(128))
		}
		var q icmp.Quote
		if err := q.Parse(v, pad(b, 128)); err != nil {
			t.Fatal(err)
		}
		if string(q.Payload) != "ping" {
			t.Errorf("%v: payload is %q", v, q.Payload)
		}
	}
}

func TestQuoteDoesNotBelieveAnAlteredLength(t *testing.T) {
	b := packet4(1, nil, echo(8))
	b[2], b[3] = 0, 12 // less the header, as some systems leave it
	var q icmp.Quote
	if err := q.Parse(icmp.V4, b); err != nil {
		t.Fatal(err)
	}
	if string(q.Payload) != "ping" {
		t.Errorf("payload is %q", q.Payload)
	}
}

func TestParseTransportKeepsTheAddresses(t *testing.T) {
	q := icmp.Quote{Version: icmp.V4, Destination: target4}
	if err := q.ParseTransport(icmp.ICMP, echo(8)); err != nil {
		t.Fatal(err)
	}
	if q.Destination != target4 || q.Type != icmp.V4EchoRequest || q.Sequence != 7 {
		t.Errorf("%+v", q)
	}
}
