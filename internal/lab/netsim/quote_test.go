package netsim

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/wire"
)

func TestQuotes(t *testing.T) {
	const icmpAndHeader = 28
	for _, tc := range []struct {
		words string
		size  int // of the probe's payload
		want  int // bytes quoted
	}{
		{"quote=8", 500, 28}, {"quote=28", 500, 48}, {"quote=128", 500, 148}, {"quote=all", 100, 128},
		{"", 1400, 576 - icmpAndHeader}, {"quote=8 mpls=16001", 500, 128 + 12}, {"mpls=16001/1/2,17/7/255", 500, 528 + 16},
		{"mpls=16001 extensions=old", 500, 128 + 12},
	} {
		n := MustParse(clients + routed(tc.words, ""))
		ds := n.Send(start, probe{to: target4, ttl: 1, size: tc.size}.echo())
		if got := len(ds[0].Packet) - icmpAndHeader; got != tc.want {
			t.Errorf("%q quotes %d bytes, want %d", tc.words, got, tc.want)
		}
	}
}

func TestExtensions(t *testing.T) {
	cases := []struct {
		name, words string
		v6          bool
		length      byte   // of the quote, in the units of the field
		want        string // the structure with its checksum cleared, in hexadecimal
	}{
		{"an MPLS label stack", "quote=8 mpls=16001/1/2,17/7/255", false, 32, "2000 0000 000c0101 03e81202 00011fff"},
		{"the same over IPv6", "quote=8 mpls=16001/1/2,17/7/255", true, 16, "2000 0000 000c0101 03e81202 00011fff"},
		{"without a length, in the old form", "quote=8 mpls=16/0/1 extensions=old", false, 0, ""},
		{"with a wrong checksum", "quote=8 mpls=16/0/1 extensions=bad-checksum", false, 32, ""},
		{"without a checksum", "quote=8 mpls=16/0/1 extensions=no-checksum", false, 32, "2000 0000 00080101 00010101"},
		{
			"interface information", "quote=8 interface=in,3,10.0.1.1,eth0,1500", false, 32,
			"2000 0000 001c020f 00000003 00010000 0a000101 08 65746830 000000 000005dc",
		},
		{"any object", "quote=8 object=247/9/cafe0102", false, 32, "2000 0000 0008f709 cafe0102"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			n := MustParse(clients + routed(tc.words, ""))
			to := target4
			if tc.v6 {
				to = target6
			}
			p, _ := parsePacket(n.Send(start, probe{to: to, ttl: 1, size: 100}.echo())[0].Packet)
			msg := p.transport()
			length := msg[5]
			if tc.v6 {
				length = msg[4]
			}
			ext := msg[icmpHeader+minQuote:]
			if length != tc.length || !p.verify() {
				t.Errorf("length %d, want %d", length, tc.length)
			}
			if sum := wire.Checksum(ext); (sum == 0) == strings.Contains(tc.words, "-checksum") {
				t.Errorf("checksum of %x", ext)
			}
			put16(ext[2:], 0)
			if want := strings.ReplaceAll(tc.want, " ", ""); want != "" && hex.EncodeToString(ext) != want {
				t.Errorf("got  %x\nwant %s", ext, want)
			}
		})
	}
}
