// Package netio holds what the sockets of every protocol have in common: the
// clock by which they stamp, the waits that a context can end, the names of
// interfaces in scoped addresses, and how a delivered packet becomes an
// [icmp.Reply].
package netio

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
)

// Describe notes how a packet came: all of r but its Message.
func Describe(r *icmp.Reply, in *sys.Inbound, z *Zones) {
	r.Source, r.Destination, r.InterfaceIndex = z.Join(in.From, in.Zone), in.To, in.InterfaceIndex
	r.TTL, r.TrafficClass, r.Size = in.TTL, in.TrafficClass, 0
	r.Time, r.Queued, r.Stamped = in.Read.Add(-in.Queued), in.Queued, in.Stamped
	r.CounterRTT, r.KernelRTT = in.Elapsed, 0
}

// StripIPv4 takes off the IPv4 header with which raw sockets deliver packets,
// and notes what it says. It returns nil for what does not begin with one.
func StripIPv4(r *icmp.Reply, data []byte) []byte {
	var ip wire.IPv4
	if err := ip.Parse(data); err != nil {
		return nil
	}
	r.Source, r.Destination = ip.Source, ip.Destination
	r.TTL, r.TrafficClass = int(ip.TTL), ip.TrafficClass
	return data[ip.HeaderLen:]
}

// ParseQueued makes the ICMP error that an entry of the error queue stands for.
// The kernel has taken the message apart: its type, code and one value are in
// the entry, the quoted packet comes without its IP header, and behind it, at an
// offset that the entry gives, the extensions of RFC 4884.
//
// Of UDP, cut bytes behind the IP header are missing, too.
//
// It returns what is quoted, which is not looked at, and false for an entry of
// our own host's making: the send has reported that.
func ParseQueued(r *icmp.Reply, v icmp.Version, in *sys.Inbound, cut int, z *Zones) (quoted []byte, ok bool) {
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
