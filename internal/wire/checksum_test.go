package wire

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// plainSum is RFC 1071 word for word: the reference that Sum is held against.
func plainSum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		sum += word
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func TestChecksum(t *testing.T) {
	tests := []struct {
		name string
		b    []byte
		want uint16
	}{
		{"of nothing is all ones", nil, 0xffff},
		{"of the example of RFC 1071 section 3", []byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, ^uint16(0xddf2)},
		{"takes an odd last byte as the high one", []byte{0x12}, ^uint16(0x1200)},
		{"wraps the carry around", []byte{0xff, 0xff, 0x00, 0x01}, 0xfffe},
		{
			"of an IPv4 header that contains its checksum is 0",
			[]byte{0x45, 0, 0, 0x54, 0xa6, 0xf2, 0, 0, 0x40, 0x01, 0x4e, 0xee, 0xc0, 0, 2, 1, 0xc0, 0, 2, 0xc7},
			0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Checksum(tt.b); got != tt.want {
				t.Errorf("Checksum = %#04x, want %#04x", got, tt.want)
			}
		})
	}
}

func TestSumIsThatOfRFC1071AtEveryLengthAndAlignment(t *testing.T) {
	rng := rand.New(rand.NewPCG(1071, 1))
	buf := make([]byte, 300)
	for i := range buf {
		buf[i] = byte(rng.Uint32()) | 0x80 // many carries
	}
	for start := range 9 {
		for end := start; end <= len(buf); end++ {
			if got, want := Sum(buf[start:end]), plainSum(buf[start:end]); got != want {
				t.Fatalf("Sum of bytes %d to %d = %#04x, want %#04x", start, end, got, want)
			}
		}
	}
}

func TestSumOfAllOnesDoesNotLoseTheLastCarry(t *testing.T) {
	b := make([]byte, 64)
	for i := range b {
		b[i] = 0xff
	}
	for n := range len(b) + 1 {
		if got, want := Sum(b[:n]), plainSum(b[:n]); got != want {
			t.Errorf("Sum of %d bytes = %#04x, want %#04x", n, got, want)
		}
	}
}

func TestCombineJoinsTheSumsOfEvenParts(t *testing.T) {
	b := []byte{0xff, 0xfe, 0x80, 0x01, 0x7f, 0xff, 0x00, 0x09, 0xab}
	for cut := 0; cut < len(b); cut += 2 {
		if got, want := Combine(Sum(b[:cut]), Sum(b[cut:])), Sum(b); got != want {
			t.Errorf("cut at %d: %#04x, want %#04x", cut, got, want)
		}
	}
}

func TestPseudoHeaderSum(t *testing.T) {
	tests := []struct {
		name        string
		source      netip.Addr
		destination netip.Addr
		protocol    uint8
		length      int
		header      []byte // laid out as the RFC draws it
	}{
		{
			"of IPv4 has addresses, protocol and a 16-bit length (RFC 9293 section 3.1)",
			netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.200"), ProtocolUDP, 0x1234,
			[]byte{192, 0, 2, 1, 198, 51, 100, 200, 0, 17, 0x12, 0x34},
		},
		{
			"of IPv6 has a 32-bit length (RFC 8200 section 8.1)",
			netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fe80::2%eth0"), ProtocolICMPv6, 0x12345,
			[]byte{
				0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
				0, 1, 0x23, 0x45, 0, 0, 0, 58,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := PseudoHeaderSum(tt.source, tt.destination, tt.protocol, tt.length)
			if want := plainSum(tt.header); got != want {
				t.Errorf("PseudoHeaderSum = %#04x, want %#04x", got, want)
			}
		})
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := Sum(b), plainSum(b); got != want {
			t.Errorf("Sum(%x) = %#04x, want %#04x", b, got, want)
		}
	})
}

func BenchmarkChecksum64(b *testing.B)   { benchmarkChecksum(b, 64) }
func BenchmarkChecksum1500(b *testing.B) { benchmarkChecksum(b, 1500) }

func benchmarkChecksum(b *testing.B, size int) {
	packet := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		Checksum(packet)
	}
}
