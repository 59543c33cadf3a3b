package netsim

import (
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	minQuote        = 128 // before an extension structure (RFC 4884 section 4)
	extensionHeader = 4
	objectHeader    = 4
	redirectHead    = 40 // of a v6 redirect before its quote (RFC 4861 section 4.5)
)

// hasExtensions reports whether RFC 4884 section 4 gives a type extensions.
func hasExtensions(v6 bool, icmpType uint8) bool {
	if v6 {
		return icmpType == 1 || icmpType == 3
	}
	return icmpType == 3 || icmpType == 11 || icmpType == 12
}

// extend puts the node's extensions behind a quote, which it pads or cuts to
// what leaves room for them, and notes its length in the message's second word.
func (w *walk) extend(n *node, v6 bool, quote []byte, room int, rest *uint32) []byte {
	ext := n.Answer.Ext.append(nil)
	unit, shift := 4, 16 // IPv4: 32-bit words, in the second byte
	if v6 {
		unit, shift = 8, 24 // IPv6: 64-bit words, in the first byte
	}
	size := minQuote
	if n.Answer.Ext.Form != Old {
		most := max(minQuote, (room-len(ext))/unit*unit)
		size = min(max(minQuote, (len(quote)+unit-1)/unit*unit), most)
		*rest |= uint32(size/unit) << shift
	}
	body := make([]byte, size, size+len(ext))
	copy(body, quote)
	return append(body, ext...)
}

// append appends the extension structure (RFC 4884 section 7).
func (e *Extension) append(b []byte) []byte {
	start := len(b)
	b = append(b, 2<<4, 0, 0, 0)
	for _, o := range e.Objects {
		length := objectHeader + len(o.Payload)
		b = append(b, byte(length>>8), byte(length), o.Class, o.CType)
		b = append(b, o.Payload...)
	}
	sum := wire.Checksum(b[start:])
	switch e.Form {
	case WrongChecksum:
		sum ^= 0x5555
	case NoChecksum:
		sum = 0
	}
	put16(b[start+2:], sum)
	return b
}

// MPLS returns the object that shows a stack of labels (RFC 4950), the last
// one at the bottom.
func MPLS(stack ...Label) ExtensionObject {
	o := ExtensionObject{Class: 1, CType: 1}
	for i, l := range stack {
		entry := l.Label<<12 | uint32(l.TrafficClass&7)<<9 | uint32(l.TTL)
		if i == len(stack)-1 {
			entry |= 1 << 8
		}
		o.Payload = append(o.Payload, byte(entry>>24), byte(entry>>16), byte(entry>>8), byte(entry))
	}
	return o
}

// Label is an entry of an MPLS label stack (RFC 3032 section 2.1).
type Label struct {
	Label        uint32 // 20 bits
	TrafficClass uint8  // 3 bits
	TTL          uint8
}

// redirectBody is what follows the second word of an IPv6 redirect to target,
// about packets to destination: the two and the Redirected Header option.
func redirectBody(destination, target [16]byte, quote []byte) []byte {
	b := slices.Concat(target[:], destination[:])
	size := (8 + len(quote) + 7) / 8
	b = append(b, 4, byte(size), 0, 0, 0, 0, 0, 0)
	b = append(b, quote...)
	return append(b, make([]byte, size*8-8-len(quote))...)
}
