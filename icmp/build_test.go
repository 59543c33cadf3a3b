package icmp_test

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/wire"
)

// What the packets of these tests have in common.
var (
	source4 = netip.MustParseAddr("192.0.2.1")
	target4 = netip.MustParseAddr("198.51.100.7")
	source6 = netip.MustParseAddr("2001:db8::1")
	target6 = netip.MustParseAddr("2001:db8:7::7")
)

// unhex reads hexadecimal digits, which may be spaced for the reader.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// join concatenates the parts of a packet.
func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// packet4 returns an IPv4 packet from source4 to target4.
func packet4(protocol uint8, options, payload []byte) []byte {
	ip := wire.IPv4{TTL: 1, TrafficClass: 0x20, ID: 0xbeef, DontFragment: true, Protocol: protocol, Source: source4, Destination: target4, Options: options}
	return append(ip.Append(nil, len(payload)), payload...)
}

// packet6 returns an IPv6 packet from source6 to target6, whose extension
// headers, if any, are at the start of the payload.
func packet6(next uint8, payload []byte) []byte {
	ip := wire.IPv6{HopLimit: 1, TrafficClass: 0x20, FlowLabel: 0xabcde, NextHeader: next, Source: source6, Destination: target6}
	return append(ip.Append(nil, len(payload)), payload...)
}

// echo is an echo request with id 0x1234, sequence number 7 and data "ping"; of
// type 8 or 128.
func echo(number byte) []byte {
	return []byte{number, 0, 0xab, 0xcd, 0x12, 0x34, 0, 7, 'p', 'i', 'n', 'g'}
}

// errorMessage returns an ICMP error: its type, code and the 4 bytes behind the
// checksum, then the quoted packet.
func errorMessage(number, code byte, rest [4]byte, quoted ...[]byte) []byte {
	return append([]byte{number, code, 0, 0, rest[0], rest[1], rest[2], rest[3]}, join(quoted...)...)
}

// pad fills b up with zeros to n bytes.
func pad(b []byte, n int) []byte { return append(b, make([]byte, n-len(b))...) }

// extensions returns an extension structure with a valid checksum.
func extensions(objects ...[]byte) []byte {
	b := append([]byte{0x20, 0, 0, 0}, join(objects...)...)
	binary.BigEndian.PutUint16(b[2:], wire.Checksum(b))
	return b
}

// object returns an object of an extension structure.
func object(class, ctype byte, payload ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(4+len(payload)))
	return append(append(b, class, ctype), payload...)
}

// labels is an object with the stack 16010 (TC 3, TTL 1), 24001 (bottom, TTL 255).
func labels() []byte {
	return object(1, 1, 0x03, 0xe8, 0xa6, 0x01, 0x05, 0xdc, 0x11, 0xff)
}
