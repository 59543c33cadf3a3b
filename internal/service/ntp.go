package service

import "encoding/binary"

// A client's packet describes the client only by a transmit timestamp, which the server
// brings back as the origin timestamp (RFC 5905 sections 7.3 and 9.2). 48 bits of it are
// the nonce, and the last 16 bits the mark.
const (
	ntpSize = 48

	ntpReference = 16
	ntpOrigin    = 24
	ntpTransmit  = 40
	ntpMark      = 6 // in the timestamp

	ntpFirst     = 4<<3 | 3 // version 4, mode client
	ntpPrecision = 0x20
	ntpModes     = 7
	ntpServer    = 4
)

var ntp = newNTP()

func newNTP() Query {
	b := make([]byte, ntpSize)
	b[0], b[3] = ntpFirst, ntpPrecision
	return Query{kind: NTP, template: string(b), nonceAt: ntpTransmit, free: ntpReference + ntpMark}
}

func (q *Query) putNTP(own []byte, mark uint16, nonce uint64) {
	binary.BigEndian.PutUint64(own[ntpTransmit:], stamp(mark, nonce))
}

func stamp(mark uint16, nonce uint64) uint64 { return nonce&^0xffff | uint64(mark) }

func markNTP(answer []byte) (uint16, bool) {
	if len(answer) < ntpSize || answer[0]&ntpModes != ntpServer {
		return 0, false
	}
	return binary.BigEndian.Uint16(answer[ntpOrigin+ntpMark:]), true
}

func answersNTP(answer []byte, mark uint16, nonce uint64) bool {
	return binary.BigEndian.Uint64(answer[ntpOrigin:]) == stamp(mark, nonce)
}
