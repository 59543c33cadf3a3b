package icmp

import "github.com/goicmp/icmplib/internal/wire"

// Checksum returns the internet checksum (RFC 1071) of b: what belongs into the
// checksum field of an ICMP message for IPv4 in which that field is zero, and 0
// when b is a message with a valid checksum. That of ICMPv6 covers addresses
// too (RFC 4443 section 2.3), and the kernel computes it.
func Checksum(b []byte) uint16 { return wire.Checksum(b) }
