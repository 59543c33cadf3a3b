package service

import (
	"encoding/binary"
	"errors"
	"strings"
)

// A query has one question and, as an EDNS option, a cookie (RFC 7873). The cookie is the
// nonce, which servers with support for cookies bring back. The identifier is the mark.
const (
	dnsHeader = 12

	dnsFlagsAt  = 2
	dnsResponse = 0x8000 // QR, RFC 1035 section 4.1.1
	dnsOpcode   = 0x7800
	dnsRecurse  = 0x0100 // RD

	dnsTypeA, dnsTypeNS, dnsTypeOPT = 1, 2, 41
	dnsClassIN                      = 1

	dnsPayload = 1232 // the largest UDP answer: fits the minimum MTU of IPv6
	dnsCookie  = 10   // the option's code

	cookieSize = 8
	dnsLabel   = 63 // largest length in bytes, RFC 1035 section 2.3.4
	dnsName    = 253
)

var errDNSName = errors.New("a name of labels of 1 to 63 bytes, 253 in all, such as example.net")

func newDNS(name string) (Query, error) {
	name = strings.TrimSuffix(name, ".")
	kind, labels := uint16(dnsTypeA), strings.Split(name, ".")
	if name == "" {
		kind, labels = dnsTypeNS, nil
	}
	b := make([]byte, dnsHeader, 64)
	binary.BigEndian.PutUint16(b[dnsFlagsAt:], dnsRecurse)
	b[5], b[11] = 1, 1 // a question, an additional record
	for _, label := range labels {
		if label == "" || len(label) > dnsLabel || len(name) > dnsName {
			return Query{}, errDNSName
		}
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, dnsClassIN)
	b = append(b, 0) // the root owns the record
	b = binary.BigEndian.AppendUint16(b, dnsTypeOPT)
	b = binary.BigEndian.AppendUint16(b, dnsPayload)
	b = append(b, 0, 0, 0, 0, 0, 4+cookieSize) // flags, length of the data
	b = binary.BigEndian.AppendUint16(b, dnsCookie)
	b = binary.BigEndian.AppendUint16(b, cookieSize)
	q := Query{kind: DNS, template: string(append(b, make([]byte, cookieSize)...))}
	q.free = (len(b) + cookieSize - freeSize) &^ 1 // in the cookie, of which 6 bytes are the nonce
	return q, nil
}

func (q *Query) cookieAt() int { return len(q.template) - cookieSize }

func (q *Query) putDNS(own []byte, mark uint16, nonce uint64) {
	binary.BigEndian.PutUint16(own, mark)
	binary.BigEndian.PutUint64(own[q.cookieAt():], nonce)
}

func markDNS(answer []byte) (uint16, bool) {
	if len(answer) < dnsHeader {
		return 0, false
	}
	flags := binary.BigEndian.Uint16(answer[dnsFlagsAt:])
	return binary.BigEndian.Uint16(answer), flags&dnsResponse != 0 && flags&dnsOpcode == 0
}

// answersDNS compares the cookie if the answer has one: the cookie of another query means a
// forged answer (RFC 7873 section 5.3). Without a cookie, the identifier must suffice.
func (q *Query) answersDNS(answer []byte, nonce uint64) bool {
	cookie := cookieOf(answer)
	if cookie == nil {
		return true
	}
	var sent [cookieSize]byte
	binary.BigEndian.PutUint64(sent[:], nonce)
	free := q.free - q.cookieAt()
	for i, b := range sent {
		if i != free && i != free+1 && cookie[i] != b {
			return false
		}
	}
	return true
}

// cookieOf returns the client's cookie in an answer, or nil.
func cookieOf(answer []byte) []byte {
	count := func(at int) int { return int(binary.BigEndian.Uint16(answer[at:])) }
	rest := answer[dnsHeader:]
	for range count(4) {
		if rest = skipName(rest); len(rest) < 4 {
			return nil
		}
		rest = rest[4:]
	}
	for range count(6) + count(8) + count(10) {
		const fixed = 10 // type, class, TTL, length
		if rest = skipName(rest); len(rest) < fixed {
			return nil
		}
		kind, length := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[8:]))
		if rest = rest[fixed:]; len(rest) < length {
			return nil
		}
		if kind == dnsTypeOPT {
			return cookieIn(rest[:length])
		}
		rest = rest[length:]
	}
	return nil
}

// cookieIn returns the client's cookie among the options of a record (RFC 6891
// section 6.1.2), or nil.
func cookieIn(options []byte) []byte {
	for len(options) >= 4 {
		code, length := binary.BigEndian.Uint16(options), int(binary.BigEndian.Uint16(options[2:]))
		if options = options[4:]; len(options) < length {
			return nil
		}
		if code == dnsCookie && length >= cookieSize {
			return options[:cookieSize]
		}
		options = options[length:]
	}
	return nil
}

// skipName returns the bytes after a name, which may end in a pointer (RFC 1035 section
// 4.1.4), or nil if the name is malformed.
func skipName(b []byte) []byte {
	const pointer = 0xc0
	for len(b) > 0 {
		n := int(b[0])
		switch {
		case n == 0:
			return b[1:]
		case n&pointer == pointer && len(b) >= 2:
			return b[2:]
		case n > dnsLabel || len(b) < n+1:
			return nil
		}
		b = b[n+1:]
	}
	return nil
}
