package transport

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

// What follows is for a connection that has another network beneath it than
// the kernel's: the packets are the same.

// Check refuses a probe that a Conn with this Config, which only has to say
// Version and Protocol, would not send.
func (p *Probe) Check(cfg *Config) error { return p.validate(cfg) }

// AppendTo appends a probe's packet from the transport header on. The probe has
// been checked, and has a source port.
func (p *Probe) AppendTo(b []byte, protocol icmp.Protocol, source netip.Addr) []byte {
	return appendPacket(b, protocol, p, source)
}

// ParseSegment reads a direct answer from the transport header on, as a raw
// socket delivers it. The Arrival says its protocol and how it came. What is
// no answer is to be passed over without a word.
func (a *Arrival) ParseSegment(data []byte) (answer, wellFormed bool) {
	switch parseSegment(a, data) {
	case keep:
		return true, true
	case malformed:
		return false, false
	}
	return false, true
}

// ParseError reads an ICMP message, as a raw socket delivers it, and tells
// whether it is about a probe from one of n ports.
func (a *Arrival) ParseError(v icmp.Version, data []byte, first uint16, n int) (ours, wellFormed bool) {
	switch parseError(a, v, data, first, n) {
	case keep:
		return true, true
	case malformed:
		return false, false
	}
	return false, true
}
