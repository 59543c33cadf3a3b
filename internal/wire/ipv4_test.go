package wire

import (
	"net/netip"
	"reflect"
	"runtime"
	"testing"

	xipv4 "golang.org/x/net/ipv4"
)

// ipv4Vectors are headers and what they mean. The payload is 64 bytes long,
// where TotalLen is right.
var ipv4Vectors = []struct {
	name   string
	wire   string
	header IPv4
}{
	{
		"the header of an echo request",
		"45 00 0054 a6f2 0000 40 01 e6b9 c0000201 c63364c8",
		IPv4{HeaderLen: 20, TotalLen: 84, ID: 0xa6f2, TTL: 64, Protocol: ProtocolICMP, Checksum: 0xe6b9},
	},
	{
		"a traffic class, and a packet that nobody may fragment",
		"45 b8 0054 0000 4000 01 11 8be4 c0000201 c63364c8",
		IPv4{HeaderLen: 20, TrafficClass: 0xb8, TotalLen: 84, DontFragment: true, TTL: 1, Protocol: ProtocolUDP, Checksum: 0x8be4},
	},
	{
		"a fragment with more behind it, its offset counted in units of 8 bytes",
		"45 00 0054 1234 20b9 ff 06 9bb9 c0000201 c63364c8",
		IPv4{HeaderLen: 20, TotalLen: 84, ID: 0x1234, MoreFragments: true, FragmentOffset: 1480, TTL: 255, Protocol: ProtocolTCP, Checksum: 0x9bb9},
	},
	{
		"the last fragment that there can be",
		"45 00 0054 1234 1fff ff 06 9c73 c0000201 c63364c8",
		IPv4{HeaderLen: 20, TotalLen: 84, ID: 0x1234, FragmentOffset: 65528, TTL: 255, Protocol: ProtocolTCP, Checksum: 0x9c73},
	},
	{
		"options: a router alert (RFC 2113)",
		"46 00 0058 0000 0000 01 02 37a3 c0000201 c63364c8 94040000",
		IPv4{HeaderLen: 24, TotalLen: 88, TTL: 1, Protocol: 2, Checksum: 0x37a3, Options: unhex("94040000")},
	},
	{
		"options: a record of eight routes and an end of list fill what room there is",
		"4f 00 007c 0000 0000 40 01 7861 c0000201 c63364c8" +
			"07 23 04 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00 00000000",
		IPv4{
			HeaderLen: 60, TotalLen: 124, TTL: 64, Protocol: ProtocolICMP, Checksum: 0x7861,
			Options: append(unhex("072304"), make([]byte, 37)...),
		},
	},
}

func TestIPv4Parse(t *testing.T) {
	for _, tt := range ipv4Vectors {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.header
			want.Source, want.Destination = source4, destination4
			if want.Options == nil {
				want.Options = []byte{}
			}
			var got IPv4
			if err := got.Parse(unhex(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestIPv4AppendWritesWhatParseReads(t *testing.T) {
	for _, tt := range ipv4Vectors {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.header
			h.Source, h.Destination = source4, destination4
			before := unhex("decade")
			got := h.Append(before, 64)
			checkBytes(t, got, append(before, unhex(tt.wire)...))
			if sum := Checksum(got[len(before):]); sum != 0 {
				t.Errorf("the checksum is wrong by %#04x", sum)
			}
		})
	}
}

func TestIPv4AppendMakesOptionsFit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options []byte
		want    []byte
	}{
		{"none stay none", nil, nil},
		{"one byte is filled up with End of Option List", unhex("01"), unhex("01000000")},
		{"six bytes are filled up to eight", unhex("940400000101"), unhex("9404000001010000")},
		{"38 bytes are filled up to 40", make([]byte, 38), make([]byte, 40)},
		{"more than 40 bytes are cut", make([]byte, 44), make([]byte, 40)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := IPv4{Source: source4, Destination: destination4, Options: tt.options}
			var got IPv4
			if err := got.Parse(h.Append(nil, 0)); err != nil {
				t.Fatal(err)
			}
			checkBytes(t, got.Options, tt.want)
			if want := IPv4MinHeaderLen + len(tt.want); got.HeaderLen != want || got.TotalLen != want {
				t.Errorf("HeaderLen %d, TotalLen %d: both have to be %d", got.HeaderLen, got.TotalLen, want)
			}
		})
	}
}

func TestIPv4AppendTakesMappedAddresses(t *testing.T) {
	plain := IPv4{TTL: 64, Source: source4, Destination: destination4}
	mapped := plain
	mapped.Source = netip.AddrFrom16(source4.As16())
	mapped.Destination = netip.AddrFrom16(destination4.As16())
	checkBytes(t, mapped.Append(nil, 8), plain.Append(nil, 8))
}

func TestIPv4ParseRefuses(t *testing.T) {
	whole := unhex(ipv4Vectors[4].wire)
	for _, tt := range []struct {
		name   string
		b      []byte
		reason string
	}{
		{"nothing at all", nil, "truncated"},
		{"a header short by one byte", unhex(ipv4Vectors[0].wire)[:19], "truncated"},
		{"an IPv6 header", unhex(ipv6Vectors[0].wire), "another version"},
		{"a header that says it is 16 bytes long", append([]byte{0x44}, whole[1:]...), "length is below 20"},
		{"options short by one byte", whole[:23], "options are truncated"},
		{"options that are not there", append([]byte{0x4f}, whole[1:]...), "options are truncated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h IPv4
			checkRefused(t, h.Parse(tt.b), tt.reason)
		})
	}
}

func TestIPv4ParseIgnoresWhatTheQuoterAltered(t *testing.T) {
	b := unhex("45 00 ffff a6f2 0000 00 01 dead c0000201 c63364c8")
	var h IPv4
	if err := h.Parse(b); err != nil {
		t.Fatal(err)
	}
	if h.TotalLen != 0xffff || h.Checksum != 0xdead || h.TTL != 0 {
		t.Errorf("got %+v, want the fields as they stand in the header", h)
	}
}

func TestIPv4DoesNotAllocate(t *testing.T) {
	header := IPv4{Source: source4, Destination: destination4, Options: unhex("94040000")}
	buf := make([]byte, 0, IPv4MaxHeaderLen)
	packet := header.Append(nil, 0)
	truncated := packet[:21]
	var h IPv4
	t.Run("to parse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(packet) }) })
	t.Run("to refuse", func(t *testing.T) { checkNoAllocs(t, func() { _ = h.Parse(truncated) }) })
	t.Run("to append where there is room", func(t *testing.T) {
		checkNoAllocs(t, func() { header.Append(buf, 64) })
	})
}

func FuzzIPv4(f *testing.F) {
	for _, tt := range ipv4Vectors {
		f.Add(unhex(tt.wire))
	}
	f.Add([]byte{0x4f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h IPv4
		if err := h.Parse(b); err != nil {
			checkRefused(t, err, "")
			return
		}
		checkAgainstXNetIPv4(t, &h, b)
		again := h.Append(nil, max(0, h.TotalLen-h.HeaderLen))
		checkIPv4RoundTrip(t, &h, again)
	})
}

// checkIPv4RoundTrip parses what was appended and compares. The bit that RFC
// 791 reserves, the stated length and the checksum are no part of a round trip.
func checkIPv4RoundTrip(t *testing.T, h *IPv4, b []byte) {
	t.Helper()
	var got IPv4
	if err := got.Parse(b); err != nil {
		t.Fatal(err)
	}
	want := *h
	want.TotalLen, want.Checksum = got.TotalLen, got.Checksum
	if !reflect.DeepEqual(got, want) {
		t.Errorf("after a round trip\ngot  %+v\nwant %+v", got, want)
	}
	if Checksum(b) != 0 {
		t.Error("the appended header has a wrong checksum")
	}
}

// checkAgainstXNetIPv4 compares h with what golang.org/x/net reads from b. That
// package takes headers as they come from a raw socket, in which some systems
// alter the length and the fragment offset.
func checkAgainstXNetIPv4(t *testing.T, h *IPv4, b []byte) {
	t.Helper()
	x, err := xipv4.ParseHeader(b)
	if err != nil {
		t.Fatalf("golang.org/x/net refuses it: %v", err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	source, _ := netip.AddrFromSlice(x.Src.To4())
	destination, _ := netip.AddrFromSlice(x.Dst.To4())
	want := IPv4{
		HeaderLen:      x.Len,
		TrafficClass:   uint8(x.TOS),
		TotalLen:       x.TotalLen,
		ID:             uint16(x.ID),
		DontFragment:   x.Flags&xipv4.DontFragment != 0,
		MoreFragments:  x.Flags&xipv4.MoreFragments != 0,
		FragmentOffset: x.FragOff * 8,
		TTL:            uint8(x.TTL),
		Protocol:       uint8(x.Protocol),
		Checksum:       uint16(x.Checksum),
		Source:         source,
		Destination:    destination,
		Options:        append([]byte{}, x.Options...),
	}
	if !reflect.DeepEqual(*h, want) {
		t.Errorf("got           %+v\nx/net has it  %+v", *h, want)
	}
}

func BenchmarkIPv4Parse(b *testing.B) {
	packet := unhex(ipv4Vectors[0].wire)
	var h IPv4
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Parse(packet)
	}
}

func BenchmarkIPv4Append(b *testing.B) {
	h := IPv4{TTL: 64, Protocol: ProtocolICMP, Source: source4, Destination: destination4}
	buf := make([]byte, 0, IPv4MaxHeaderLen)
	b.ReportAllocs()
	for b.Loop() {
		h.Append(buf, 64)
	}
}
