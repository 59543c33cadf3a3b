package socket

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// decodeQueued makes the ICMP error that an entry of the error queue stands for.
// The kernel has taken the message apart: its type, code and one value are in
// the entry, the quoted packet comes without its IP header, and behind it, at an
// offset that the entry gives, the extensions of RFC 4884.
func (c *conn) decodeQueued(in *sys.Inbound, reply *icmp.Reply) bool {
	e := &in.Err
	if e.Origin != sys.OriginICMP && e.Origin != sys.OriginICMPv6 {
		return false // of our own host's making; the send reported it
	}
	reply.Source = c.zones.Join(e.Offender, e.Zone)
	m := &reply.Message
	m.Type, m.Code = icmp.MakeType(c.version, e.Type), e.Code
	switch m.Kind() {
	case icmp.KindPacketTooBig:
		m.MTU = int(e.Info)
	case icmp.KindParameterProblem:
		m.Pointer = int(e.Info)
	}
	quoted := in.Data
	if offset := e.ExtensionOffset(); offset > 0 && offset < len(quoted) {
		// A structure that does not parse takes nothing from the error itself.
		if m.Extensions.Parse(quoted[offset:]) == nil {
			m.Extensions.Compliant = true
		}
		quoted = quoted[:offset]
	}
	m.Quote.Version = c.version
	m.Quote.Destination = c.zones.Join(in.From, in.Zone)
	return m.Quote.ParseTransport(c.protocol(), quoted) == nil
}

func (c *conn) protocol() icmp.Protocol {
	if c.version == icmp.V4 {
		return icmp.ICMP
	}
	return icmp.ICMPv6
}
