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

	// numberedSize is what a numbered payload has at the least, and
	// numberedBalance where its balance is.
	numberedSize    = maxHead
	numberedBalance = numberSize + nonceSize
)

// payload is what the probes of an operation carry.
type payload struct {
	// bytes is the whole payload where the caller gave one. Otherwise its first
	// bytes are replaced in each probe, by the nonce and the balance.
	bytes  []byte
	custom bool

	// rest is the sum of what is behind the head, where that has a balance.
	rest uint16

	// numbered payloads begin with the sequence number, for UDP, in whose
	// header there is no place for it that always comes back. Their balance is
	// for the socket to choose.
	numbered bool

	// query, if not nil, is the whole payload: what a service answers, with a mark and
	// the nonce. Its checksum is the sequence number, as that of a numbered one is.
	query *service.Query

	// sum is by how much the checksum of echo requests differs from what it is
	// without it: another one is another flow. 0xffff is 0 in ones' complement
	// arithmetic.
	sum uint16
}

// newPayload takes the caller's bytes, or makes some of a pattern in which a shifted or
// cut reply shows.
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

// balanced reports whether the payload and the sequence number of an echo request
// add up to the same in all probes, of whatever size.
func (p *payload) balanced() bool {
	return !p.custom && !p.numbered && p.headLen() == nonceSize+balanceSize
}

// number returns the number that the payload of the probe with a sequence number bears:
// that itself, or its mark.
func (p *payload) number(seq uint16, dst netip.Addr) uint16 {
	if p.query != nil {
		return service.Mark(seq, dst)
	}
	return seq
}

// kind returns what service the payload is for.
func (p *payload) kind() service.Kind {
	if p.query != nil {
		return p.query.Kind()
	}
	return service.None
}

// balanceAt returns where the two bytes are that make the checksum of a datagram the
// sequence number; 0: the checksum is not chosen.
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

// head returns the bytes that differ from probe to probe: the nonce, and two
// more that balance it, the sequence number and the rest, so that the checksum
// of all probes with an id is the same. Routers that spread load hash the ICMP
// checksum; a constant one keeps the probes on one path.
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

// headLen is how much of the head the payload has room for. The balance goes in
// whole or not at all.
func (p *payload) headLen() int {
	proof := p.proofLen()
	if len(p.bytes) >= proof+balanceSize {
		return proof + balanceSize
	}
	return min(len(p.bytes), proof)
}

// proofLen is how much of the head makes the probe recognisable: all of it but
// the balance.
func (p *payload) proofLen() int {
	if p.numbered {
		return numberSize + nonceSize
	}
	return nonceSize
}

// compare reports whether an echoed payload is that of the probe: whether it
// proves that the reply is to this very probe, and whether all of it came back.
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

// leastProof is how many bytes of the nonce an error has to quote to prove that
// it is about the probe: as many as a checksum has.
const leastProof = 2

// agrees reports whether the part of a payload that an error quotes, which may be
// none of it, can be the probe's, and whether that proves the error. A payload of
// the caller's, which has no nonce, proves as much as it is secret.
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

// hasNonce reports whether the whole nonce is in the payload, so that nobody who
// did not see the probe can answer it.
func (p *payload) hasNonce() bool { return !p.custom && p.headLen() >= p.proofLen() }

// summed reports whether the checksum of a quoted echo request is that of the
// probe, which no one can guess: it covers the nonce, or, where that is
// balanced, the sum that the operation was given.
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
