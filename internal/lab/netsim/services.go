package netsim

import (
	"encoding/binary"
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

// serve returns what the server at a port answers to a datagram, and whether there is a
// server: it drops without a word what it does not understand. The servers are written
// from the standards alone, and know nothing of how the library asks.
func (h *Host) serve(port uint16, payload []byte) (answer []byte, served bool) {
	switch {
	case slices.Contains(h.DNS, port):
		return serveDNS(payload), true
	case slices.Contains(h.NTP, port):
		return serveNTP(payload), true
	case slices.Contains(h.QUIC, port):
		return serveQUIC(payload), true
	}
	return nil, false
}

// serveDNS answers a query of one question with its header and its question (RFC 1035
// section 4.1), as a server that refuses to look further does, and knows no options.
func serveDNS(query []byte) []byte {
	const header, response, refused = 12, 0x80, 5
	if len(query) < header || query[2]&response != 0 || get16(query[4:]) != 1 {
		return nil
	}
	end := header
	for end < len(query) && query[end] != 0 {
		end += 1 + int(query[end])
	}
	if end += 1 + 2 + 2; end > len(query) { // the root label, type and class
		return nil
	}
	answer := slices.Clone(query[:end])
	answer[2] |= response
	answer[3] = refused
	copy(answer[6:header], make([]byte, 6)) // no records
	return answer
}

// serveNTP answers a client as a server of stratum 1 does (RFC 5905 section 9.2).
func serveNTP(request []byte) []byte {
	const size, client, server, stratum, origin, receive, transmit = 48, 3, 4, 1, 24, 32, 40
	if len(request) < size || request[0]&7 != client {
		return nil
	}
	answer := make([]byte, size)
	answer[0], answer[1] = request[0]&0x38|server, stratum
	copy(answer[origin:], request[transmit:transmit+8])
	answer[receive], answer[transmit] = 0xee, 0xee // in 2026
	return answer
}

// serveQUIC negotiates about a version that it does not have (RFC 9000 sections 6 and
// 17.2.1), with a datagram of the least size or more. It has version 1.
func serveQUIC(datagram []byte) []byte {
	const least, long, header, version1 = 1200, 0x80, 5, 1
	if len(datagram) < least || datagram[0]&long == 0 || get32(datagram[1:]) == version1 {
		return nil
	}
	destination := datagram[header+1:]
	n := int(datagram[header])
	if n > len(destination)-1 || n+1+int(destination[n]) > len(destination) {
		return nil
	}
	source := destination[n+1:][:destination[n]]
	answer := append([]byte{long, 0, 0, 0, 0, byte(len(source))}, source...)
	answer = append(append(answer, byte(n)), destination[:n]...)
	return binary.BigEndian.AppendUint32(answer, version1)
}

// respondUDP sends the answer of a server.
func (w *walk) respondUDP(n *node, f *flight, ordinal int, payload []byte) {
	request := f.p.transport()
	p := w.reply(n, f, wire.UDPHeaderLen+len(payload))
	t := p.transport()
	turnPorts(t, request)
	put16(t[4:], uint16(len(t)))
	copy(t[wire.UDPHeaderLen:], payload)
	p.seal()
	w.respond(n, ordinal, p, f.at, "answer of a service")
}
