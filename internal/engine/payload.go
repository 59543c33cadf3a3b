package engine

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/service"
	"github.com/goicmp/icmplib/internal/wire"
)

// nonce makes the payload of a probe unique: a host that did not see the probe
// cannot answer it, and the reply to another probe with the same sequence number
// does not count as this one's.
type nonce uint64

const (
	nonceSize   = 8
	numberSize  = 2
	balanceSize = 2
	maxHead     = numberSize + nonceSize + balanceSize

	// numberedSize is the least size of a numbered payload, and numberedBalance
	// the offset of its balance.
	numberedSize    = maxHead
	numberedBalance = numberSize + nonceSize
)

// payload is the payload of the probes of an operation.
type payload struct {
	// bytes is the caller's whole payload. If there is none, the nonce and the
	// balance replace the first bytes in each probe.
	bytes  []byte
	custom bool

	// rest is the sum of the bytes after the head, if the head has a balance.
	rest uint16

	// numbered payloads begin with the sequence number. They are for UDP, whose
	// header has no field for it that always comes back. The socket chooses
	// their balance.
	numbered bool

	// query, if not nil, is the whole payload: a query that a service answers, with a
	// mark and the nonce. Its checksum is the sequence number, as in a numbered payload.
	query *service.Query

	// sum is added to the checksum of echo requests: another sum is another flow.
	// 0xffff is 0 in ones' complement arithmetic.
	sum uint16
}

// newPayload takes the caller's bytes, or generates a pattern that reveals shifted and
// truncated replies.
func newPayload(cfg *OpConfig) payload {
	switch {
	case cfg.Query.Kind() != service.None:
		return payload{query: &cfg.Query, numbered: true}
	case cfg.Custom:
		return payload{bytes: []byte(cfg.Payload), custom: true}
	}
	size := cfg.Size
	if cfg.Numbered {
		size = max(size, numberedSize)
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	p := payload{bytes: b, numbered: cfg.Numbered, sum: cfg.Sum}
	if p.balanced() {
		p.rest = wire.Sum(b[p.headLen():])
	}
	return p
}

// balanced reports whether the sum of payload and sequence number of an echo request is
// the same in all probes.
func (p *payload) balanced() bool {
	return !p.custom && !p.numbered && p.headLen() == nonceSize+balanceSize
}

// number returns the number in the payload of the probe with the given sequence number:
// the sequence number itself, or its mark.
func (p *payload) number(seq uint16, dst netip.Addr) uint16 {
	if p.query != nil {
		return service.Mark(seq, dst)
	}
	return seq
}

// kind returns the service that the payload is for.
func (p *payload) kind() service.Kind {
	if p.query != nil {
		return p.query.Kind()
	}
	return service.None
}

// balanceAt returns the offset of the two bytes that make the checksum of a datagram equal
// the sequence number; 0 if the checksum is not chosen.
func (p *payload) balanceAt() int {
	switch {
	case p.query != nil:
		return p.query.Free()
	case p.numbered:
		return numberedBalance
	}
	return 0
}

func newNonce() nonce { return nonce(rand.Uint64()) }

// appendTo appends the payload of the probe with this nonce and number.
func (p *payload) appendTo(b []byte, n nonce, seq uint16) []byte {
	if p.query != nil {
		return p.query.AppendTo(b, seq, uint64(n))
	}
	start := len(b)
	b = append(b, p.bytes...)
	if p.custom {
		return b
	}
	own := b[start:]
	head := p.head(n, seq)
	copy(own, head[:p.headLen()])
	return b
}

// head returns the bytes that differ from probe to probe: the nonce, and two more that
// balance it, the sequence number and the rest, so that all probes with an id have the
// same checksum. Load-balancing routers hash the ICMP checksum; a constant one keeps the
// probes on one path.
func (p *payload) head(n nonce, seq uint16) (b [maxHead]byte) {
	if p.numbered {
		binary.BigEndian.PutUint16(b[:], seq)
		binary.BigEndian.PutUint64(b[numberSize:], uint64(n))
		return b
	}
	binary.BigEndian.PutUint64(b[:], uint64(n))
	sum := uint32(p.rest) + uint32(seq) + uint32(n>>48) + uint32(n>>32&0xffff) + uint32(n>>16&0xffff) + uint32(n&0xffff)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	rest := uint32(^uint16(sum)) + uint32(p.sum) // RFC 1071: it all adds up to 0xffff, and p.sum
	binary.BigEndian.PutUint16(b[nonceSize:], uint16(rest>>16+rest&0xffff))
	return b
}

// headLen returns the length of the part of the head for which the payload has room. The
// balance goes in completely or not at all.
func (p *payload) headLen() int {
	proof := p.proofLen()
	if len(p.bytes) >= proof+balanceSize {
		return proof + balanceSize
	}
	return min(len(p.bytes), proof)
}

// proofLen returns the length of the part of the head that identifies the probe: all of it
// except the balance.
func (p *payload) proofLen() int {
	if p.numbered {
		return numberSize + nonceSize
	}
	return nonceSize
}

// compare compares an echoed payload with that of the probe. It reports whether the payload
// proves that the reply answers this probe, and whether it came back unchanged.
func (p *payload) compare(got []byte, n nonce, seq uint16) (proven, whole bool) {
	if p.query != nil {
		answers := p.query.Answers(got, seq, uint64(n))
		return answers, answers
	}
	if p.custom {
		same := bytes.Equal(got, p.bytes)
		return same, same
	}
	head := p.head(n, seq)
	size := p.headLen()
	proof := min(size, p.proofLen())
	if len(got) < proof || !bytes.Equal(got[:proof], head[:proof]) {
		return false, false
	}
	whole = len(got) == len(p.bytes) && bytes.Equal(got[size:], p.bytes[size:]) &&
		(p.numbered || bytes.Equal(got[:size], head[:size]))
	return true, whole
}

// leastProof is the number of bytes of the nonce that an error must quote to prove that
// it is about the probe: the size of a checksum.
const leastProof = 2

// agrees reports whether the part of a payload that an error quotes, which may be empty,
// can be the probe's, and whether that proves the error. A caller's payload has no nonce;
// it proves an error only if the payload is secret.
func (p *payload) agrees(quoted []byte, n nonce, seq uint16) (agrees, proven bool) {
	if p.query != nil {
		return p.query.Agrees(quoted, seq, uint64(n))
	}
	if p.custom {
		k := min(len(quoted), len(p.bytes))
		return bytes.Equal(quoted[:k], p.bytes[:k]), k >= leastProof
	}
	head := p.head(n, seq)
	k := min(len(quoted), p.headLen(), p.proofLen())
	return bytes.Equal(quoted[:k], head[:k]), k >= p.proofLen()-nonceSize+leastProof
}

// hasNonce reports whether the payload has the whole nonce, so that only a host that saw
// the probe can answer it.
func (p *payload) hasNonce() bool { return !p.custom && p.headLen() >= p.proofLen() }

// summed reports whether the checksum of a quoted echo request is that of the probe. It
// cannot be guessed, because it covers the nonce or, if that is balanced, the sum of the
// operation.
func (p *payload) summed(r *icmp.Reply, id uint16, n nonce) bool {
	q := &r.Quote
	if p.custom || q.Checksum == 0 || len(p.bytes) < leastProof {
		return false
	}
	message := wire.Combine(id, uint16(q.Type.Number())<<8)
	if p.balanced() {
		message = wire.Combine(message, p.sum)
	} else {
		head := p.head(n, q.Sequence)
		message = wire.Combine(wire.Combine(message, q.Sequence), wire.Sum(head[:p.headLen()]))
	}
	if q.Protocol == icmp.ICMPv6 {
		if !r.Destination.IsValid() {
			return false // the checksum covers an address that is not known
		}
		message = wire.Combine(message, wire.PseudoHeaderSum(r.Destination, q.Destination, uint8(icmp.ICMPv6), echoHeaderLen+len(p.bytes)))
	}
	return Less(^q.Checksum, message) == 0
}

// echoHeaderLen is the length of the header of an echo request.
const echoHeaderLen = 8
