//go:build !linux

package socket

import (
	"context"
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// packetLink is a socket of package net, with the options of golang.org/x/net and of the
// system. It sends and receives one datagram at a time.
type packetLink struct {
	conn  packets // the type depends on the system
	mode  Mode
	p4    *ipv4.PacketConn // one of p4 and p6 is nil
	p6    *ipv6.PacketConn
	zones netio.Zones

	ttl, class int // the current settings of the socket

	in      sys.Inbound
	drained *netio.Watermark
}

func newPacketLink(conn packets, cfg linkConfig, drained *netio.Watermark) *packetLink {
	l := &packetLink{conn: conn, mode: cfg.mode, drained: drained}
	if cfg.version == icmp.V4 {
		l.p4 = ipv4.NewPacketConn(conn.PacketConn)
	} else {
		l.p6 = ipv6.NewPacketConn(conn.PacketConn)
	}
	l.describe()
	return l
}

// local returns the address to bind to.
func (c *linkConfig) local() netip.Addr {
	if c.Source.IsValid() {
		return c.Source.Unmap()
	}
	return c.version.Unspecified()
}

// describe asks the system for the control messages that it supports. The fields of
// the others stay unknown.
func (l *packetLink) describe() {
	if l.p4 != nil {
		_ = l.p4.SetControlMessage(ipv4.FlagTTL|ipv4.FlagDst|ipv4.FlagInterface, true)
		_ = l.p4.SetMulticastTTL(icmp.DefaultTTL)
		return
	}
	_ = l.p6.SetControlMessage(ipv6.FlagHopLimit|ipv6.FlagTrafficClass|ipv6.FlagDst|ipv6.FlagInterface, true)
	_ = l.p6.SetMulticastHopLimit(icmp.DefaultTTL)
}

func (l *packetLink) send(out []sys.Outbound) (int, error) {
	for i := range out {
		out[i].Sent = time.Now()
		if err := l.sendOne(&out[i]); err != nil {
			return i, err
		}
	}
	return len(out), nil
}

func (l *packetLink) sendOne(out *sys.Outbound) error {
	if err := l.setTTL(out); err != nil {
		return err
	}
	ip := net.IPAddr{IP: out.To.AsSlice()}
	if out.Zone != 0 {
		ip.Zone = l.zones.Join(out.To, out.Zone).Zone()
	}
	var to net.Addr = &ip
	if l.mode == Datagram {
		to = &net.UDPAddr{IP: ip.IP, Zone: ip.Zone}
	}
	_, err := l.conn.WriteTo(out.Data, to)
	return err
}

// setTTL sets the TTL and the traffic class of the socket if they change.
func (l *packetLink) setTTL(out *sys.Outbound) error {
	ttl, class := max(out.TTL, 0), max(out.TrafficClass, 0)
	if ttl == 0 {
		ttl = icmp.DefaultTTL
	}
	if ttl != l.ttl {
		if err := l.setHopLimit(ttl); err != nil {
			return err
		}
		l.ttl = ttl
	}
	if class == l.class {
		return nil
	}
	l.class = class
	if l.p4 != nil {
		return l.p4.SetTOS(class)
	}
	return l.p6.SetTrafficClass(class)
}

func (l *packetLink) setHopLimit(ttl int) error {
	if l.p4 != nil {
		return errors.Join(l.p4.SetTTL(ttl), l.p4.SetMulticastTTL(ttl))
	}
	return errors.Join(l.p6.SetHopLimit(ttl), l.p6.SetMulticastHopLimit(ttl))
}

// waitWritable does nothing, because package net waits for room by itself.
func (l *packetLink) waitWritable(context.Context) error { return nil }

func (l *packetLink) receive(int) (int, error) {
	l.in = sys.Inbound{}
	if err := l.readPacket(); err != nil {
		return 0, err
	}
	return 1, nil
}

func (l *packetLink) datagram(_ int, in *sys.Inbound) { *in = l.in }

// drops returns 0, because these systems do not report it.
func (l *packetLink) drops() uint64 { return 0 }

func (l *packetLink) joinGroup(group netip.Addr, ifi *net.Interface) error {
	return l.p6.JoinGroup(ifi, &net.IPAddr{IP: group.AsSlice()})
}

func (l *packetLink) close() error { return l.conn.Close() }
