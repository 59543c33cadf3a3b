// Package wire encodes and decodes the headers that ICMP travels under and
// quotes: IPv4, IPv6 and its extension headers, UDP, TCP and SCTP, and their
// checksums. It does no I/O.
//
// Parsing fills a value that the caller owns, whose slices alias the parsed
// bytes, and does not allocate, not even when it fails. Every parse error wraps
// [ErrMalformed]. A parser looks at its own header only: how long the packet
// says it is and how many bytes there are is for the caller to compare, for in
// a quoted packet the two differ.
//
// Building appends to a slice that the caller owns, and computes lengths and
// checksums. The builders trust their caller: addresses have to be of the
// header's family, and a packet within the 65,535 bytes that its length field
// can state.
//
// Lengths and offsets are in bytes throughout, whatever the unit on the wire.
package wire
