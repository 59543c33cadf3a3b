package inbound

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/internal/zones"
)

// ParseQueued makes the ICMP error that an entry of the error queue stands for.
// The kernel has taken the message apart: its type, code and one value are in
// the entry, the quoted packet comes without its IP header, and behind it, at an
// offset that the entry gives, the extensions of RFC 4884.
//
// Of UDP, cut bytes behind the IP header are missing, too.
//
// It returns what is quoted, which is not looked at, and false for an entry of
// our own host's making: the send has reported that.
func ParseQueued(r *icmp.Reply, v icmp.Version, in *sys.Inbound, cut int, z *zones.Zones) (quoted []byte, ok bool) {
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
	} else if rest, ok := r.Extensions.ParseOldForm(r.Type, quoted, headers(v)+cut); ok {
		quoted = rest // the kernel does not look there
	}
	r.Quote.Version, r.Quote.Presumed = v, e.Presumed
	r.Quote.Destination = z.Join(in.From, in.Zone)
	return quoted, true
}

// headers is the length of the IP header that the kernel takes off a quoted
// packet: we send none with options.
func headers(v icmp.Version) int {
	if v == icmp.V6 {
		return wire.IPv6HeaderLen
	}
	return wire.IPv4MinHeaderLen
}
