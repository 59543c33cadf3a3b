// Package inbound makes an [icmp.Reply] of what a socket of the system delivered,
// whichever protocol the socket is for.
package inbound

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/internal/zones"
)

// Describe notes how a packet came. What r held before is gone.
func Describe(r *icmp.Reply, in *sys.Inbound, z *zones.Zones) {
	*r = icmp.Reply{
		Source:         z.Join(in.From, in.Zone),
		Destination:    in.To,
		InterfaceIndex: in.InterfaceIndex,
		TTL:            in.TTL,
		TrafficClass:   in.TrafficClass,
		Time:           in.Read.Add(-in.Queued),
		Queued:         in.Queued,
		Stamped:        in.Stamped,
		CounterRTT:     in.Elapsed,
	}
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
