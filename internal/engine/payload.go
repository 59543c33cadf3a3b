package engine

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// nonce makes the payload of a probe its own: whoever did not see the probe
// cannot answer it, and the reply to another probe with the same sequence
// number does not pass for this one's.
type nonce uint64

const (
	nonceSize  = 8
	balanceEnd = nonceSize + 2
)

// payload is what the probes of an operation carry.
type payload struct {
	// bytes is the whole payload where the caller gave one. Otherwise its first
	// bytes are replaced in each probe, by the nonce and the balance.
	bytes  []byte
	custom bool
}

// newPayload takes the caller's bytes, or makes size bytes of a pattern in which
// a shifted or cut reply shows.
func newPayload(given []byte, size int) payload {
	if given != nil {
		return payload{bytes: bytes.Clone(given), custom: true}
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	return payload{bytes: b}
}

func newNonce() nonce { return nonce(rand.Uint64()) }

// appendTo appends the payload of the probe with this nonce and sequence number.
func (p *payload) appendTo(b []byte, n nonce, seq uint16) []byte {
	start := len(b)
	b = append(b, p.bytes...)
	if p.custom {
		return b
	}
	own := b[start:]
	head := n.head(seq)
	copy(own, head[:headLen(len(own))])
	return b
}

// head returns the bytes that differ from probe to probe: the nonce, and two
// more that balance it and the sequence number, so that the checksum of all
// probes of an operation is the same. Routers that spread load hash the ICMP
// checksum; a constant one keeps the probes on one path.
func (n nonce) head(seq uint16) (b [balanceEnd]byte) {
	binary.BigEndian.PutUint64(b[:], uint64(n))
	sum := uint32(seq) + uint32(n>>48) + uint32(n>>32&0xffff) + uint32(n>>16&0xffff) + uint32(n&0xffff)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(b[nonceSize:], ^uint16(sum)) // RFC 1071: adds up to 0xffff
	return b
}

// headLen is how much of the head a payload of size bytes has room for. The
// balance goes in whole or not at all.
func headLen(size int) int {
	if size >= balanceEnd {
		return balanceEnd
	}
	return min(size, nonceSize)
}

// compare tells whether an echoed payload is that of the probe: whether it
// proves that the reply is to this very probe, and whether all of it came back.
func (p *payload) compare(got []byte, n nonce, seq uint16) (proven, whole bool) {
	if p.custom {
		same := bytes.Equal(got, p.bytes)
		return same, same
	}
	head := n.head(seq)
	size := headLen(len(p.bytes))
	proof := min(size, nonceSize)
	if len(got) < proof || !bytes.Equal(got[:proof], head[:proof]) {
		return false, false
	}
	whole = len(got) == len(p.bytes) && bytes.Equal(got[:size], head[:size]) && bytes.Equal(got[size:], p.bytes[size:])
	return true, whole
}

// agrees tells whether the part of a payload that an error quotes, which may be
// none of it, can be the probe's.
func (p *payload) agrees(quoted []byte, n nonce, seq uint16) bool {
	if p.custom {
		k := min(len(quoted), len(p.bytes))
		return bytes.Equal(quoted[:k], p.bytes[:k])
	}
	head := n.head(seq)
	k := min(len(quoted), headLen(len(p.bytes)), nonceSize)
	return bytes.Equal(quoted[:k], head[:k])
}
