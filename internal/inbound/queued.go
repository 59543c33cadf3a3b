package inbound

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/zones"
)

// ParseQueued makes the ICMP error that an entry of the error queue stands for.
// The kernel has taken the message apart: its type, code and one value are in
// the entry, the quoted packet comes without its IP header, and behind it, at an
// offset that the entry gives, the extensions of RFC 4884.
//
// It returns what is quoted, which is not looked at, and false for an entry of
// our own host's making: the send has reported that.
func ParseQueued(r *icmp.Reply, v icmp.Version, in *sys.Inbound, z *zones.Zones) (quoted []byte, ok bool) {
	e := &in.Err
	if e.Origin != sys.OriginICMP && e.Origin != sys.OriginICMPv6 {
		return nil, false
	}
	r.Source = z.Join(e.Offender, e.Zone)
	r.Type, r.Code = icmp.MakeType(v, e.Type), e.Code
	switch r.Kind() {
	case icmp.KindPacketTooBig:
		r.MTU = int(e.Info)
	case icmp.KindParameterProblem:
		r.Pointer = int(e.Info)
	}
	quoted = in.Data
	if offset := e.ExtensionOffset(); offset > 0 && offset < len(quoted) {
		// A structure that does not parse takes nothing from the error itself.
		if r.Extensions.Parse(quoted[offset:]) == nil {
			r.Extensions.Compliant = true
		}
		quoted = quoted[:offset]
	}
	r.Quote.Version, r.Quote.Presumed = v, e.Presumed
	r.Quote.Destination = z.Join(in.From, in.Zone)
	return quoted, true
}
