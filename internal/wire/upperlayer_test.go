package wire

import (
	"slices"
	"testing"
)

// echo6 stands for what follows the extension headers.
const echo6 = "8000 0000 0001 0002"

func TestUpperLayerFind(t *testing.T) {
	for _, tt := range []struct {
		name string
		next uint8
		wire string
		want UpperLayer
	}{
		{"no extension header", ProtocolICMPv6, echo6, UpperLayer{Protocol: ProtocolICMPv6}},
		{"nothing follows the IPv6 header", ProtocolUDP, "", UpperLayer{Protocol: ProtocolUDP}},
		{"a packet that says that nothing follows", ProtocolNoNextHeader, "", UpperLayer{Protocol: ProtocolNoNextHeader}},
		{"hop-by-hop options", ProtocolHopByHop, "3a 00 050200000100" + echo6, UpperLayer{Protocol: ProtocolICMPv6, Offset: 8}},
		{"destination options of 16 bytes", ProtocolDestinationOptions, "11 01 010c000000000000000000000000" + echo6, UpperLayer{Protocol: ProtocolUDP, Offset: 16}},
		{"a routing header", ProtocolRouting, "06 00 fd0000000000", UpperLayer{Protocol: ProtocolTCP, Offset: 8}},
		{"an authentication header, which counts in words of 4 bytes", ProtocolAuthentication, "3a 04 0000 00000001 00000002 aabbccddeeff001122334455" + echo6, UpperLayer{Protocol: ProtocolICMPv6, Offset: 24}},
		{"encryption ends the walk", ProtocolDestinationOptions, "32 00 010400000000" + echo6, UpperLayer{Protocol: ProtocolESP, Offset: 8}},
		{"what is unknown ends the walk", 253, "3a00010400000000", UpperLayer{Protocol: 253}},
		{
			"an atomic fragment (RFC 6946) is a whole packet", ProtocolFragment, "3a 00 0000 decade01" + echo6,
			UpperLayer{Protocol: ProtocolICMPv6, Offset: 8, Fragment: true, FragmentID: 0xdecade01},
		},
		{
			"behind the first fragment header the walk goes on", ProtocolFragment, "3c 00 0001 decade01 3a00010400000000" + echo6,
			UpperLayer{Protocol: ProtocolICMPv6, Offset: 16, Fragment: true, MoreFragments: true, FragmentID: 0xdecade01},
		},
		{
			"in a later fragment there are no headers to read", ProtocolFragment, "3c 00 05a9 decade01 ffffffffffffffff",
			UpperLayer{
				Protocol: ProtocolDestinationOptions, Offset: 8,
				Fragment: true, MoreFragments: true, FragmentOffset: 1448, FragmentID: 0xdecade01,
			},
		},
		{
			"the bits that RFC 8200 reserves in a fragment header mean nothing", ProtocolFragment, "3a ff 0006 decade01",
			UpperLayer{Protocol: ProtocolICMPv6, Offset: 8, Fragment: true, FragmentID: 0xdecade01},
		},
		{
			"all of them, in the order of RFC 8200 section 4.1", ProtocolHopByHop,
			"3c00010400000000 2b00010400000000 2c00fd0000000000 3300000000000001 3c02000000000001 0000000200000000 3a00010400000000" + echo6,
			UpperLayer{Protocol: ProtocolICMPv6, Offset: 56, Fragment: true, FragmentID: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := UpperLayer{FragmentOffset: 8, Fragment: true} // of the packet before
			if err := got.Find(tt.next, unhex(tt.wire)); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestUpperLayerFindSaysHowFarItCame(t *testing.T) {
	for _, tt := range []struct {
		name   string
		next   uint8
		wire   string
		reason string
		want   UpperLayer
	}{
		{"a header of which nothing is there", ProtocolHopByHop, "", "truncated", UpperLayer{Protocol: ProtocolHopByHop}},
		{"a header without its length", ProtocolHopByHop, "3a", "truncated", UpperLayer{Protocol: ProtocolHopByHop}},
		{"a header short by one byte", ProtocolHopByHop, "3a 00 0104000000", "truncated", UpperLayer{Protocol: ProtocolHopByHop}},
		{"a fragment header short by one byte", ProtocolFragment, "3a 00 0001 decade", "truncated", UpperLayer{Protocol: ProtocolFragment}},
		{"an authentication header short by one byte", ProtocolAuthentication, "3a 00 0000 000000", "truncated", UpperLayer{Protocol: ProtocolAuthentication}},
		{"the second header is short", ProtocolHopByHop, "3c 00 010400000000 3a 01 010400000000", "truncated", UpperLayer{Protocol: ProtocolDestinationOptions, Offset: 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got UpperLayer
			checkRefused(t, got.Find(tt.next, unhex(tt.wire)), tt.reason)
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestUpperLayerFindBoundsTheChain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers int
		refused bool
	}{
		{"16 extension headers are tolerated", 16, false},
		{"17 are not", 17, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := slices.Repeat(unhex("3c00010400000000"), tt.headers)
			b[len(b)-8] = ProtocolICMPv6
			var u UpperLayer
			err := u.Find(ProtocolDestinationOptions, b)
			if !tt.refused && (err != nil || u.Protocol != ProtocolICMPv6) {
				t.Errorf("got %+v, %v", u, err)
			}
			if tt.refused {
				checkRefused(t, err, "too many extension headers")
			}
		})
	}
}

func TestUpperLayerDoesNotAllocate(t *testing.T) {
	b := unhex("2c00010400000000 3a00000100000001" + echo6)
	var u UpperLayer
	t.Run("to find", func(t *testing.T) { checkNoAllocs(t, func() { _ = u.Find(ProtocolHopByHop, b) }) })
	t.Run("to refuse", func(t *testing.T) { checkNoAllocs(t, func() { _ = u.Find(ProtocolHopByHop, b[:7]) }) })
}

func FuzzUpperLayer(f *testing.F) {
	f.Add(ProtocolHopByHop, unhex("2c00010400000000 3a00000100000001"+echo6))
	f.Add(ProtocolFragment, unhex("3c0005a9decade01ffffffffffffffff"))
	f.Add(ProtocolAuthentication, unhex("3a04"))
	f.Add(ProtocolDestinationOptions, slices.Repeat(unhex("3c00010400000000"), 17))
	f.Add(ProtocolTCP, []byte(nil))
	f.Fuzz(func(t *testing.T, next uint8, b []byte) {
		var u UpperLayer
		err := u.Find(next, b)
		if u.Offset < 0 || u.Offset > len(b) || u.Offset%4 != 0 {
			t.Fatalf("offset %d in %d bytes", u.Offset, len(b))
		}
		if !u.Fragment && (u.MoreFragments || u.FragmentOffset != 0 || u.FragmentID != 0) {
			t.Errorf("without a fragment header: %+v", u)
		}
		header := isExtensionHeader(u.Protocol) && u.FragmentOffset == 0
		if err != nil {
			checkRefused(t, err, "")
		}
		if header != (err != nil) {
			t.Errorf("the walk ended at %+v with %v", u, err)
		}
	})
}

func BenchmarkUpperLayerFind(b *testing.B) {
	packet := unhex("2c00010400000000 3a00000100000001" + echo6)
	var u UpperLayer
	b.ReportAllocs()
	for b.Loop() {
		_ = u.Find(ProtocolHopByHop, packet)
	}
}
