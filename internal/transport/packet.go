package transport

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

// The functions below serve a connection over another network than the kernel's, with
// the same packets.

// Check refuses a probe that a Conn with this Config would not send. The Config needs
// only Version and Protocol.
func (p *Probe) Check(cfg *Config) error { return p.validate(cfg) }

// AppendTo appends a probe's packet from the transport header on. The caller must have
// checked the probe and set its source port.
func (p *Probe) AppendTo(b []byte, protocol icmp.Protocol, source netip.Addr) []byte {
	return appendPacket(b, protocol, p, source)
}

// ParseSegment reads a direct answer from the transport header on, as a raw socket
// delivers it. The Arrival must have the protocol, and how the segment came. It reports
// whether data is an answer, and whether it is well-formed. The caller should ignore
// well-formed data that is no answer.
func (a *Arrival) ParseSegment(data []byte) (answer, wellFormed bool) {
	switch parseSegment(a, data) {
	case keep:
		return true, true
	case malformed:
		return false, false
	}
	return false, true
}

// ParseError reads an ICMP message, as a raw socket delivers it. It reports whether the
// message is about a probe from one of n ports from first on, and whether it is well-formed.
func (a *Arrival) ParseError(v icmp.Version, data []byte, first uint16, n int) (ours, wellFormed bool) {
	switch parseError(a, v, data, first, n) {
	case keep:
		return true, true
	case malformed:
		return false, false
	}
	return false, true
}
