// Package service makes the datagrams that servers of DNS, NTP and QUIC answer, and
// finds the probe that an answer is to. Hosts behind which such a server stands often
// drop every other datagram, and with it the probes of a trace.
//
// Each datagram bears a mark of 16 bits and a nonce of 64, as far as the protocol
// brings them back, and two bytes that are free: by their choice the checksum of the
// datagram becomes the one that the sender wants.
package service

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
)

// Kind is what a datagram asks.
type Kind uint8

// The kinds of services.
const (
	None Kind = iota
	DNS       // a query (RFC 1035)
	NTP       // a client's request for the time (RFC 5905)
	QUIC      // an Initial of a version that nobody has: a server negotiates (RFC 9000 section 6)
	kinds
)

// Kinds is how many kinds there are, None among them.
const Kinds = int(kinds)

// Query is the datagram of a service, but for what differs from probe to probe. It is
// comparable; the zero value asks nothing.
type Query struct {
	kind     Kind
	template string
	nonceAt  int // where the nonce begins
	free     int // the even offset of the two free bytes
}

// New returns the datagram of a service. A name is what a DNS server is asked for, by its
// IPv4 address; "" asks for the name servers of the root.
func New(kind Kind, name string) (Query, error) {
	switch kind {
	case None:
		return Query{}, nil
	case DNS:
		return newDNS(name)
	case NTP:
		return ntp, nil
	case QUIC:
		return quic, nil
	}
	return Query{}, fmt.Errorf("no service has the number %d", kind)
}

// Kind returns what the datagram asks.
func (q *Query) Kind() Kind { return q.kind }

// Len returns how many bytes the datagram has.
func (q *Query) Len() int { return len(q.template) }

// Free returns the offset of the two bytes that mean nothing.
func (q *Query) Free() int { return q.free }

// AppendTo appends the datagram of the probe with a mark and a nonce.
func (q *Query) AppendTo(b []byte, mark uint16, nonce uint64) []byte {
	start := len(b)
	b = append(b, q.template...)
	own := b[start:]
	switch q.kind {
	case DNS:
		q.putDNS(own, mark, nonce)
	case NTP:
		q.putNTP(own, mark, nonce)
	case QUIC:
		q.putQUIC(own, mark, nonce)
	}
	return b
}

// Answers reports whether an answer of the service, for which [MarkOfAnswer] holds,
// is the one to the probe with a mark and a nonce: whether all that the protocol
// brings back is what was sent.
func (q *Query) Answers(answer []byte, mark uint16, nonce uint64) bool {
	if found, ok := MarkOfAnswer(q.kind, answer); !ok || found != mark {
		return false
	}
	switch q.kind {
	case DNS:
		return q.answersDNS(answer, nonce)
	case NTP:
		return answersNTP(answer, mark, nonce)
	}
	return answersQUIC(answer, nonce)
}

// MarkOfAnswer returns the mark that a datagram brings back, and whether it has the
// form of an answer of the service at all.
func MarkOfAnswer(kind Kind, answer []byte) (mark uint16, ok bool) {
	switch kind {
	case DNS:
		return markDNS(answer)
	case NTP:
		return markNTP(answer)
	case QUIC:
		return markQUIC(answer)
	}
	return 0, false
}

// MarkOfQuote returns the mark in the part of a datagram that an error quotes, and
// whether it reaches that far.
func MarkOfQuote(kind Kind, quoted []byte) (mark uint16, ok bool) {
	at := [...]int{DNS: 0, NTP: ntpTransmit + ntpMark, QUIC: quicDestination}
	if kind == None || kind >= kinds || len(quoted) < at[kind]+markSize {
		return 0, false
	}
	return binary.BigEndian.Uint16(quoted[at[kind]:]), true
}

// Agrees reports whether what an error quotes, which may be nothing, can be of the
// probe with a mark and a nonce, and whether that proves the error.
func (q *Query) Agrees(quoted []byte, mark uint16, nonce uint64) (agrees, proven bool) {
	var room [longest]byte
	sent := q.AppendTo(room[:0], mark, nonce)
	k := min(len(quoted), len(sent))
	if before := min(k, q.free); !bytes.Equal(quoted[:before], sent[:before]) {
		return false, false
	}
	if behind := q.free + freeSize; k > behind && !bytes.Equal(quoted[behind:k], sent[behind:k]) {
		return false, false
	}
	return true, k >= q.nonceAt+leastProof
}

const (
	markSize = 2
	freeSize = 2

	// leastProof is how many bytes that nobody can guess prove something: as many as
	// a checksum has.
	leastProof = 2

	// longest is what no datagram exceeds.
	longest = quicSize
)

// secret makes marks that nobody can guess.
var secret = maphash.MakeSeed()

// Mark returns the mark of the probe with a sequence number to a host, and the
// sequence number of a mark: who sees the probes to other hosts knows nothing of it.
func Mark(number uint16, host netip.Addr) uint16 {
	address := host.WithZone("").As16()
	return number ^ uint16(maphash.Bytes(secret, address[:]))
}
