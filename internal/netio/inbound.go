// Package netio has the parts that the sockets of every protocol share: the clock for
// their stamps, waits that a context can end, the names of interfaces in scoped
// addresses, and the conversion of a delivered packet into an [icmp.Reply].
package netio

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
)

// Describe records how a packet came: it sets all of r except its Message.
func Describe(r *icmp.Reply, in *sys.Inbound, z *Zones) {
	r.Source, r.Destination, r.InterfaceIndex = z.Join(in.From, in.Zone), in.To, in.InterfaceIndex
	r.TTL, r.TrafficClass, r.Size = in.TTL, in.TrafficClass, 0
	r.Time, r.Queued, r.Stamped = in.Read.Add(-in.Queued), in.Queued, in.Stamped
	r.CounterRTT, r.KernelRTT = in.Elapsed, 0
}

// StripIPv4 removes the IPv4 header with which raw sockets deliver packets, and records
// its fields in r. It returns nil if data does not begin with such a header.
func StripIPv4(r *icmp.Reply, data []byte) []byte {
	var ip wire.IPv4
	if err := ip.Parse(data); err != nil {
		return nil
	}
	r.Source, r.Destination = ip.Source, ip.Destination
	r.TTL, r.TrafficClass = int(ip.TTL), ip.TrafficClass
	return data[ip.HeaderLen:]
}

// ParseQueued rebuilds the ICMP error of an entry of the error queue. The kernel has
// taken the message apart: the entry has its type, its code and one value. The quoted
// packet comes without its IP header and, for UDP, without the next cut bytes. The
// extensions of RFC 4884 follow at an offset in the entry.
//
// ParseQueued returns the quoted bytes without parsing them. It returns false for an
// error of this host, because the send has reported that.
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
		// The error stays valid if the structure is malformed.
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

// headers returns the length of the IP header that the kernel removes from a quoted
// packet. The packets that we send have no options.
func headers(v icmp.Version) int {
	if v == icmp.V6 {
		return wire.IPv6HeaderLen
	}
	return wire.IPv4MinHeaderLen
}
