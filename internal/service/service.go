// Package service builds the datagrams that servers of DNS, NTP and QUIC answer, and
// matches answers to probes. Hosts with such a server often drop all other datagrams, and
// with them the probes of a trace.
//
// Each datagram carries a mark of 16 bits and a nonce of 64 bits, as far as the protocol
// brings them back, and two free bytes. The choice of the free bytes sets the checksum of
// the datagram.
package service

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"net/netip"
)

// Kind is the service that a datagram is for.
type Kind uint8

// Kinds of services.
const (
	None Kind = iota
	DNS       // a query (RFC 1035)
	NTP       // a client's request for the time (RFC 5905)
	QUIC      // an Initial of a version that no server supports: it negotiates (RFC 9000 section 6)
	kinds
)

// Kinds is the number of kinds, including None.
const Kinds = int(kinds)

// Query is the datagram for a service, without the bytes that differ from probe to probe. It
// is comparable; the zero value is for no service.
type Query struct {
	kind     Kind
	template string
	nonceAt  int // the offset of the nonce
	free     int // the even offset of the two free bytes
}

// New returns the datagram for a service. For DNS, it asks for the IPv4 addresses of name; ""
// asks for the name servers of the root.
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

// Kind returns the service that the datagram is for.
func (q *Query) Kind() Kind { return q.kind }

// Len returns the length of the datagram in bytes.
func (q *Query) Len() int { return len(q.template) }

// Free returns the offset of the two free bytes.
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

// Answers reports whether an answer of the service belongs to the probe with a mark and a
// nonce: it must have the form of an answer (see [MarkOfAnswer]), and everything that it
// brings back must agree with the probe.
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

// MarkOfAnswer returns the mark that a datagram brings back, and reports whether it has the
// form of an answer of the service.
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

// MarkOfQuote returns the mark in the part of a datagram that an error quotes, and reports
// whether the quote reaches that far.
func MarkOfQuote(kind Kind, quoted []byte) (mark uint16, ok bool) {
	at := [...]int{DNS: 0, NTP: ntpTransmit + ntpMark, QUIC: quicDestination}
	if kind == None || kind >= kinds || len(quoted) < at[kind]+markSize {
		return 0, false
	}
	return binary.BigEndian.Uint16(quoted[at[kind]:]), true
}

// Agrees reports whether the quote of an error, which may be empty, can be that of the probe
// with a mark and a nonce, and whether it proves the error.
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

	// leastProof is the number of secret bytes that prove an error: the size of a
	// checksum.
	leastProof = 2

	// longest is the length of the longest datagram.
	longest = quicSize
)

// secret makes marks unguessable.
var secret = maphash.MakeSeed()

// Mark returns the mark of the probe with a sequence number to a host or, given the mark, the
// sequence number. A host that sees probes to other hosts cannot compute it.
func Mark(number uint16, host netip.Addr) uint16 {
	address := host.WithZone("").As16()
	return number ^ uint16(maphash.Bytes(secret, address[:]))
}
