package service

import "encoding/binary"

// A server answers an Initial of a version that is reserved for this (RFC 9000 section 15)
// with the versions that it supports, if the Initial has at least 1,200 bytes (section 6).
// The answer brings both connection IDs back (section 17.2.1): the source ID is the nonce,
// the destination ID the mark and the nonce.
const (
	quicSize = 1200

	quicFirst    = 0xc0 | 3 // long header, Initial, a packet number of 4 bytes
	quicLong     = 0x80
	quicVersion  = 0x1a2a3a4a
	quicHeader   = 1 + 4 // then the IDs, each after its length
	nonceSize    = 8
	quicServerID = markSize + nonceSize
	quicClientID = nonceSize

	quicDestination = quicHeader + 1
	quicSource      = quicDestination + quicServerID + 1
	quicLength      = quicSource + quicClientID + 1 // after the length of the token

	// In an answer they are the other way round.
	quicAnswered = quicHeader + 1 + quicClientID + 1
)

var quic = newQUIC()

func newQUIC() Query {
	b := make([]byte, quicSize)
	b[0] = quicFirst
	binary.BigEndian.PutUint32(b[1:], quicVersion)
	b[quicDestination-1], b[quicSource-1] = quicServerID, quicClientID
	binary.BigEndian.PutUint16(b[quicLength:], 1<<14|(quicSize-quicLength-2)) // a length of two bytes, section 16
	return Query{kind: QUIC, template: string(b), nonceAt: quicDestination + markSize, free: quicSize - freeSize}
}

func (q *Query) putQUIC(own []byte, mark uint16, nonce uint64) {
	binary.BigEndian.PutUint16(own[quicDestination:], mark)
	binary.BigEndian.PutUint64(own[quicDestination+markSize:], nonce)
	binary.BigEndian.PutUint64(own[quicSource:], nonce)
}

func markQUIC(answer []byte) (uint16, bool) {
	switch {
	case len(answer) < quicAnswered+quicServerID,
		answer[0]&quicLong == 0,
		binary.BigEndian.Uint32(answer[1:]) != 0,
		answer[quicHeader] != quicClientID,
		answer[quicAnswered-1] != quicServerID:
		return 0, false
	}
	return binary.BigEndian.Uint16(answer[quicAnswered:]), true
}

func answersQUIC(answer []byte, nonce uint64) bool {
	return binary.BigEndian.Uint64(answer[quicHeader+1:]) == nonce &&
		binary.BigEndian.Uint64(answer[quicAnswered+markSize:]) == nonce
}
