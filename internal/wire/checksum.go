package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Checksum returns the internet checksum (RFC 1071) of b. If the checksum field in b is
// zero, it returns the value for that field; if b contains a valid checksum, it returns 0.
func Checksum(b []byte) uint16 { return ^Sum(b) }

// Sum returns the ones' complement sum of the 16-bit words of b. An odd last byte counts
// as if a zero followed it (RFC 1071 section 4.1).
//
// It adds in the machine's byte order, 8 bytes at a time, and swaps the result
// at the end, which gives the same sum (RFC 1071 section 2 (B) and (C)).
func Sum(b []byte) uint16 {
	var sum, carry uint64
	for len(b) >= 32 {
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b), carry)
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(b), carry)
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		sum, carry = bits.Add64(sum, binary.NativeEndian.Uint64(last[:]), carry)
	}
	return toBigEndian(fold(sum, carry))
}

// fold adds up the four 16-bit words of a sum and the carries.
func fold(sum, carry uint64) uint16 {
	sum, carry = bits.Add64(sum, carry, 0)
	sum += carry // cannot carry again: sum is 0 where carry is 1
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return uint16(sum)
}

// toBigEndian reinterprets a word in the machine's byte order in that of the network.
func toBigEndian(v uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	return binary.BigEndian.Uint16(b[:])
}

// Combine returns the ones' complement sum of two sums. The first must be of an even
// number of bytes, so that the second keeps its alignment.
func Combine(a, b uint16) uint16 {
	sum := uint32(a) + uint32(b)
	return uint16(sum>>16 + sum)
}

// PseudoHeaderSum returns the sum of the pseudo-header for an upper-layer
// packet of length bytes: that of IPv4 (RFC 9293 section 3.1) or of IPv6 (RFC
// 8200 section 8.1), by the family of the addresses.
func PseudoHeaderSum(source, destination netip.Addr, protocol uint8, length int) uint16 {
	sum := Combine(AddressSum(source), AddressSum(destination))
	sum = Combine(sum, uint16(protocol))
	return Combine(sum, Combine(uint16(length>>16), uint16(length)))
}

// AddressSum returns the part of an address in the sum of a pseudo-header.
func AddressSum(a netip.Addr) uint16 {
	if a.Is4() {
		b := a.As4()
		return Sum(b[:])
	}
	b := a.As16()
	return Sum(b[:])
}

// TransportChecksum is [Checksum] for an upper-layer packet with a pseudo-header, as in
// ICMPv6, UDP and TCP. (UDP sends 0xffff in place of a computed 0.)
func TransportChecksum(source, destination netip.Addr, protocol uint8, packet []byte) uint16 {
	return ^Combine(PseudoHeaderSum(source, destination, protocol, len(packet)), Sum(packet))
}
