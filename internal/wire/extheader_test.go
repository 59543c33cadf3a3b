package wire

import (
	"bytes"
	"testing"
)

func TestExtensionHeadersOnTheWire(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  []byte
		want []byte
	}{
		{"options that need no padding", AppendOptionsHeader(nil, 58, unhex("c20400010000")), unhex("3a 00 c20400010000")},
		{"one byte of padding is a Pad1", AppendOptionsHeader(nil, 58, unhex("0103000000")), unhex("3a 00 0103000000 00")},
		{"two bytes of padding are an empty PadN", AppendOptionsHeader(nil, 58, unhex("05020000")), unhex("3a 00 05020000 0100")},
		{"no options are a PadN", AppendOptionsHeader(nil, 58, nil), unhex("3a 00 010400000000")},
		{"seven bytes of padding", AppendOptionsHeader(nil, 58, unhex("01050000000000")), unhex("3a 01 01050000000000 01050000000000")},
		{
			"a segment routing header (RFC 8754) of one segment",
			AppendRoutingHeader(nil, 58, 4, 0, unhex("00000000 20010db80000000000000000000000c8")),
			unhex("3a 02 04 00 00000000 20010db80000000000000000000000c8"),
		},
		{"a routing header that has to be filled up", AppendRoutingHeader(nil, 58, 253, 3, unhex("aabbccddee")), unhex("3a 01 fd 03 aabbccddee 00000000000000")},
		{"the first fragment", AppendFragmentHeader(nil, 58, 0, true, 0xdecade01), unhex("3a 00 0001 decade01")},
		{"a fragment in the middle", AppendFragmentHeader(nil, 58, 1448, true, 1), unhex("3a 00 05a9 00000001")},
		{"the last fragment that there can be", AppendFragmentHeader(nil, 58, 65528, false, 1), unhex("3a 00 fff8 00000001")},
		{
			"an authentication header with 96 bits of check value, its length counted less 8 bytes",
			AppendAuthenticationHeader(nil, 58, 0x01020304, 5, bytes.Repeat([]byte{0xcc}, 12)),
			unhex("3a 04 0000 01020304 00000005 cccccccccccccccccccccccc"),
		},
		{
			"an authentication header that has to be filled up",
			AppendAuthenticationHeader(nil, 58, 1, 2, nil),
			unhex("3a 02 0000 00000001 00000002 00000000"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) { checkBytes(t, tt.got, tt.want) })
	}
}

func TestTheLongestExtensionHeadersCanBeFound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header uint8
		b      []byte
		length int
	}{
		{"options of 2046 bytes", ProtocolHopByHop, AppendOptionsHeader(nil, ProtocolICMPv6, make([]byte, 2046)), 2048},
		{"routing data of 2044 bytes", ProtocolRouting, AppendRoutingHeader(nil, ProtocolICMPv6, 253, 0, make([]byte, 2044)), 2048},
		{"a check value of 1012 bytes", ProtocolAuthentication, AppendAuthenticationHeader(nil, ProtocolICMPv6, 1, 1, make([]byte, 1012)), 1024},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var u UpperLayer
			if err := u.Find(tt.header, tt.b); err != nil {
				t.Fatal(err)
			}
			if want := (UpperLayer{Protocol: ProtocolICMPv6, Offset: tt.length}); u != want {
				t.Errorf("got %+v, want %+v", u, want)
			}
		})
	}
}

func TestExtensionHeadersDoNotAllocateWhereThereIsRoom(t *testing.T) {
	buf := make([]byte, 0, 64)
	data := make([]byte, 5)
	for _, tt := range []struct {
		name   string
		append func()
	}{
		{"an options header", func() { AppendOptionsHeader(buf, 58, nil) }},
		{"a routing header", func() { AppendRoutingHeader(buf, 58, 253, 0, data) }},
		{"a fragment header", func() { AppendFragmentHeader(buf, 58, 8, true, 1) }},
		{"an authentication header", func() { AppendAuthenticationHeader(buf, 58, 1, 1, data) }},
	} {
		t.Run(tt.name, func(t *testing.T) { checkNoAllocs(t, tt.append) })
	}
}
