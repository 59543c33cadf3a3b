package icmp_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestParseReadsEchoMessagesOfBothVersions(t *testing.T) {
	tests := []struct {
		name    string
		version icmp.Version
		hex     string
		want    icmp.Type
		kind    icmp.Kind
	}{
		{"an IPv4 echo request", icmp.V4, "08 00 abcd 1234 0007 70696e67", icmp.V4EchoRequest, icmp.KindEchoRequest},
		{"an IPv4 echo reply", icmp.V4, "00 00 abcd 1234 0007 70696e67", icmp.V4EchoReply, icmp.KindEchoReply},
		{"an IPv6 echo request", icmp.V6, "80 00 abcd 1234 0007 70696e67", icmp.V6EchoRequest, icmp.KindEchoRequest},
		{"an IPv6 echo reply", icmp.V6, "81 00 abcd 1234 0007 70696e67", icmp.V6EchoReply, icmp.KindEchoReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m icmp.Message
			if err := m.Parse(tt.version, unhex(t, tt.hex)); err != nil {
				t.Fatal(err)
			}
			if m.Type != tt.want || m.Kind() != tt.kind || m.Checksum != 0xabcd {
				t.Errorf("type %v, kind %v, checksum %#x", m.Type, m.Kind(), m.Checksum)
			}
			if m.ID != 0x1234 || m.Sequence != 7 || string(m.Payload) != "ping" {
				t.Errorf("id %#x, sequence %d, payload %q", m.ID, m.Sequence, m.Payload)
			}
		})
	}
}

func TestParseReadsEveryErrorMessage(t *testing.T) {
	quoted4, quoted6 := packet4(1, nil, echo(8)), packet6(58, echo(128))
	tests := []struct {
		name    string
		version icmp.Version
		bytes   []byte
		kind    icmp.Kind
		check   func(m *icmp.Message) bool
	}{
		{"IPv4 time exceeded", icmp.V4, errorMessage(11, 0, [4]byte{}, quoted4), icmp.KindTimeExceeded, nil},
		{"IPv4 host unreachable", icmp.V4, errorMessage(3, 1, [4]byte{}, quoted4), icmp.KindDestinationUnreachable, nil},
		{"IPv4 fragmentation needed with the MTU", icmp.V4, errorMessage(3, 4, [4]byte{0, 0, 0x05, 0x78}, quoted4), icmp.KindPacketTooBig,
			func(m *icmp.Message) bool { return m.MTU == 1400 }},
		{"IPv4 fragmentation needed of a router that does not say", icmp.V4, errorMessage(3, 4, [4]byte{}, quoted4), icmp.KindPacketTooBig,
			func(m *icmp.Message) bool { return m.MTU == 0 }},
		{"an MTU field in another code is no MTU", icmp.V4, errorMessage(3, 3, [4]byte{0, 0, 5, 0x78}, quoted4), icmp.KindDestinationUnreachable,
			func(m *icmp.Message) bool { return m.MTU == 0 }},
		{"IPv4 parameter problem", icmp.V4, errorMessage(12, 0, [4]byte{20}, quoted4), icmp.KindParameterProblem,
			func(m *icmp.Message) bool { return m.Pointer == 20 }},
		{"IPv4 redirect", icmp.V4, errorMessage(5, 1, [4]byte{192, 0, 2, 254}, quoted4), icmp.KindRedirect,
			func(m *icmp.Message) bool { return m.Gateway == netip.MustParseAddr("192.0.2.254") }},
		{"IPv4 source quench", icmp.V4, errorMessage(4, 0, [4]byte{}, quoted4), icmp.KindSourceQuench, nil},
		{"IPv6 time exceeded", icmp.V6, errorMessage(3, 0, [4]byte{}, quoted6), icmp.KindTimeExceeded, nil},
		{"IPv6 no route", icmp.V6, errorMessage(1, 0, [4]byte{}, quoted6), icmp.KindDestinationUnreachable, nil},
		{"IPv6 packet too big", icmp.V6, errorMessage(2, 0, [4]byte{0, 0, 5, 0}, quoted6), icmp.KindPacketTooBig,
			func(m *icmp.Message) bool { return m.MTU == 1280 }},
		{"IPv6 parameter problem", icmp.V6, errorMessage(4, 1, [4]byte{0, 0, 0, 40}, quoted6), icmp.KindParameterProblem,
			func(m *icmp.Message) bool { return m.Pointer == 40 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m icmp.Message
			if err := m.Parse(tt.version, tt.bytes); err != nil {
				t.Fatal(err)
			}
			if m.Kind() != tt.kind {
				t.Errorf("kind is %v, want %v", m.Kind(), tt.kind)
			}
			if tt.check != nil && !tt.check(&m) {
				t.Errorf("MTU %d, pointer %d, gateway %v", m.MTU, m.Pointer, m.Gateway)
			}
			if q := m.Quote; !q.Type.IsEchoRequest() || q.ID != 0x1234 || q.Sequence != 7 || string(q.Payload) != "ping" {
				t.Errorf("quotes %v, id %#x, sequence %d, payload %q", q.Type, q.ID, q.Sequence, q.Payload)
			}
		})
	}
}

func TestParseGivesOtherMessagesAsTheyAre(t *testing.T) {
	var m icmp.Message
	if err := m.Parse(icmp.V4, unhex(t, "0e 00 0000 1234 0001 00000001")); err != nil {
		t.Fatal(err)
	}
	if m.Type != icmp.V4TimestampReply || m.Kind() != icmp.KindOther || m.ID != 0 || len(m.Payload) != 8 {
		t.Errorf("%v, id %d, payload %x", m.Type, m.ID, m.Payload)
	}
}

func TestParseOverwritesWhatWasParsedBefore(t *testing.T) {
	var m icmp.Message
	first := errorMessage(11, 0, [4]byte{0, 32}, pad(packet4(1, nil, echo(8)), 128), extensions(labels()))
	if err := m.Parse(icmp.V4, first); err != nil {
		t.Fatal(err)
	}
	if err := m.Parse(icmp.V4, echo(0)); err != nil {
		t.Fatal(err)
	}
	if m.Quote.Transport != nil || m.Extensions.Raw != nil || m.Quote.ID != 0 {
		t.Errorf("left over from another message: %+v", m)
	}
}

func TestParseRefusesMalformedMessages(t *testing.T) {
	tests := []struct {
		name    string
		version icmp.Version
		bytes   []byte
	}{
		{"nothing", icmp.V4, nil},
		{"three bytes", icmp.V6, []byte{129, 0, 0}},
		{"an echo reply without sequence number", icmp.V4, []byte{0, 0, 0, 0, 1, 2}},
		{"an error without its second word", icmp.V4, []byte{11, 0, 0, 0}},
		{"an error without quote", icmp.V4, errorMessage(11, 0, [4]byte{})},
		{"half of a quoted IPv4 header", icmp.V4, errorMessage(11, 0, [4]byte{}, packet4(1, nil, echo(8))[:12])},
		{"a quoted header of the other version", icmp.V4, errorMessage(11, 0, [4]byte{}, packet6(58, echo(128)))},
		{"a quoted header length below 20", icmp.V4, errorMessage(11, 0, [4]byte{}, append([]byte{0x44}, make([]byte, 40)...))},
		{"quoted options that are not there", icmp.V4, errorMessage(11, 0, [4]byte{}, append([]byte{0x4f}, make([]byte, 40)...))},
		{"seven bytes of quoted ICMP", icmp.V4, errorMessage(11, 0, [4]byte{}, packet4(1, nil, echo(8)[:7]))},
		{"ICMPv6 quoted in IPv4", icmp.V4, errorMessage(11, 0, [4]byte{}, packet4(58, nil, echo(128)))},
		{"ICMPv4 quoted in IPv6", icmp.V6, errorMessage(3, 0, [4]byte{}, packet6(1, echo(8)))},
		{"half of a quoted IPv6 header", icmp.V6, errorMessage(3, 0, [4]byte{}, packet6(58, nil)[:39])},
		{"an extension header that is cut", icmp.V6, errorMessage(3, 0, [4]byte{}, packet6(0, []byte{58, 200, 0, 0, 0, 0, 0, 0}))},
		{"an IP version that there is not", icmp.Version(5), echo(0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m icmp.Message
			err := m.Parse(tt.version, tt.bytes)
			if !errors.Is(err, icmp.ErrMalformed) {
				t.Fatalf("Parse: %v, want ErrMalformed", err)
			}
			if err.Error() == icmp.ErrMalformed.Error() {
				t.Error("no reason is given")
			}
			if n := testing.AllocsPerRun(10, func() { _ = m.Parse(tt.version, tt.bytes) }); n != 0 {
				t.Errorf("a refusal costs %v allocations", n)
			}
		})
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	var m icmp.Message
	message := errorMessage(11, 0, [4]byte{0, 32}, pad(packet4(1, nil, echo(8)), 128), extensions(labels()))
	var stack [8]icmp.MPLSLabel
	n := testing.AllocsPerRun(100, func() {
		if err := m.Parse(icmp.V4, message); err != nil {
			t.Fatal(err)
		}
		if got := m.Extensions.AppendMPLS(stack[:0]); len(got) != 2 {
			t.Fatal(got)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
