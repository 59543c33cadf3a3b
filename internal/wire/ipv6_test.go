package wire

import (
	"net/netip"
	"testing"

	xipv6 "golang.org/x/net/ipv6"
)

// ipv6Vectors are headers and what they mean, of a payload of 64 bytes.
var ipv6Vectors = []struct {
	name   string
	wire   string
	header IPv6
}{
	{
		"the header of an echo request",
		"60000000 0040 3a 40 20010db8000000000000000000000001 20010db80000000000000000000000c8",
		IPv6{PayloadLen: 64, NextHeader: ProtocolICMPv6, HopLimit: 64},
	},
	{
		"a traffic class lies across the first two bytes",
		"6b800000 0040 11 01 20010db8000000000000000000000001 20010db80000000000000000000000c8",
		IPv6{TrafficClass: 0xb8, PayloadLen: 64, NextHeader: ProtocolUDP, HopLimit: 1},
	},
	{
		"a flow label of 20 bits",
		"600edcba 0040 06 ff 20010db8000000000000000000000001 20010db80000000000000000000000c8",
		IPv6{FlowLabel: 0xedcba, PayloadLen: 64, NextHeader: ProtocolTCP, HopLimit: 255},
	},
	{
		"every bit of the class and the label",
		"6fffffff 0040 00 00 20010db8000000000000000000000001 20010db80000000000000000000000c8",
		IPv6{TrafficClass: 0xff, FlowLabel: 0xfffff, PayloadLen: 64},
	},
}

func TestIPv6Parse(t *testing.T) {
	for _, tt := range ipv6Vectors {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.header
			want.Source, want.Destination = source6, destination6
			var got IPv6
			if err := got.Parse(unhex(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestIPv6AppendWritesWhatParseReads(t *testing.T) {
	for _, tt := range ipv6Vectors {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.header
			h.Source, h.Destination = source6, destination6
			before := unhex("decade")
			checkBytes(t, h.Append(before, 64), append(before, unhex(tt.wire)...))
		})
	}
}

func TestIPv6AppendLeavesOutWhatIsNotOnTheWire(t *testing.T) {
	plain := IPv6{FlowLabel: 0xfffff, Source: netip.MustParseAddr("fe80::1"), Destination: netip.MustParseAddr("fe80::2")}
	for _, tt := range []struct {
		name   string
		header IPv6
	}{
		{"the zones of addresses", IPv6{
			FlowLabel: 0xfffff, Source: plain.Source.WithZone("eth0"), Destination: plain.Destination.WithZone("eth0"),
		}},
		{"what of a flow label is above its 20 bits", IPv6{
			FlowLabel: 0xffffffff, Source: plain.Source, Destination: plain.Destination,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkBytes(t, tt.header.Append(nil, 8), plain.Append(nil, 8))
		})
	}
}

func TestIPv6ParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		b      []byte
		reason string
	}{
		{"nothing at all", nil, "truncated"},
		{"a header short by one byte", unhex(ipv6Vectors[0].wire)[:39], "truncated"},
		{"an IPv4 header", append(unhex(ipv4Vectors[0].wire), make([]byte, 64)...), "another version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h IPv6
			checkRefused(t, h.Parse(tt.b), tt.reason)
		})
	}
}

func TestIPv6DoesNotAllocate(t *testing.T) {
	header := IPv6{Source: source6, Destination: destination6}
	buf := make([]byte, 0, IPv6HeaderLen)
	packet := header.Append(nil, 0)
	var h IPv6
	t.Run("to parse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet) }) })
	t.Run("to refuse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet[:39]) }) })
	t.Run("to append where there is room", func(t *testing.T) {
		checkNoAllocs(t, func() { header.Append(buf, 64) })
	})
}

func FuzzIPv6(f *testing.F) {
	for _, tt := range ipv6Vectors {
		f.Add(unhex(tt.wire))
	}
	f.Add([]byte{0x60})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h IPv6
		if err := h.Parse(b); err != nil {
			checkRefused(t, err, "")
			return
		}
		checkBytes(t, h.Append(nil, h.PayloadLen), b[:IPv6HeaderLen])
		checkAgainstXNetIPv6(t, &h, b)
	})
}

// checkAgainstXNetIPv6 compares h with what golang.org/x/net reads from b.
func checkAgainstXNetIPv6(t *testing.T, h *IPv6, b []byte) {
	t.Helper()
	x, err := xipv6.ParseHeader(b)
	if err != nil {
		t.Fatalf("golang.org/x/net refuses it: %v", err)
	}
	source, _ := netip.AddrFromSlice(x.Src)
	destination, _ := netip.AddrFromSlice(x.Dst)
	want := IPv6{
		TrafficClass: uint8(x.TrafficClass),
		FlowLabel:    uint32(x.FlowLabel),
		PayloadLen:   x.PayloadLen,
		NextHeader:   uint8(x.NextHeader),
		HopLimit:     uint8(x.HopLimit),
		Source:       source,
		Destination:  destination,
	}
	if *h != want {
		t.Errorf("got           %+v\nx/net has it  %+v", *h, want)
	}
}

func BenchmarkIPv6Parse(b *testing.B) {
	packet := unhex(ipv6Vectors[0].wire)
	var h IPv6
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Parse(packet)
	}
}

func BenchmarkIPv6Append(b *testing.B) {
	h := IPv6{HopLimit: 64, NextHeader: ProtocolICMPv6, Source: source6, Destination: destination6}
	buf := make([]byte, 0, IPv6HeaderLen)
	b.ReportAllocs()
	for b.Loop() {
		h.Append(buf, 64)
	}
}
