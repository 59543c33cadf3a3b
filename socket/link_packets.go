//go:build !linux

package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	xicmp "golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/waiting"
	"github.com/goicmp/icmplib/internal/zones"
)

// packetLink is a socket of the system, by way of golang.org/x/net. It sends and
// receives one datagram at a time, without kernel timestamps.
type packetLink struct {
	conn  *xicmp.PacketConn
	mode  Mode
	p4    *ipv4.PacketConn // one of the two
	p6    *ipv6.PacketConn
	zones zones.Zones

	ttl, class int // that the socket has been set to

	buf     []byte
	in      sys.Inbound
	drained *waiting.Watermark
}

// openPackets opens a socket of the configured mode.
func openPackets(cfg linkConfig, drained *waiting.Watermark) (carrier, error) {
	switch {
	case cfg.Interface != "":
		return nil, unsupported("binding to an interface (Interface)")
	case cfg.DontFragment:
		return nil, unsupported("setting the don't-fragment flag (DontFragment)")
	}
	conn, err := xicmp.ListenPacket(network(cfg.version, cfg.mode), listenAddress(cfg))
	if err != nil {
		return nil, err
	}
	l := &packetLink{conn: conn, mode: cfg.mode, p4: conn.IPv4PacketConn(), p6: conn.IPv6PacketConn(),
		buf: make([]byte, sys.MaxDatagram), drained: drained}
	l.describe()
	return l, nil
}

func network(v icmp.Version, mode Mode) string {
	switch {
	case mode == Datagram && v == icmp.V4:
		return "udp4"
	case mode == Datagram:
		return "udp6"
	case v == icmp.V4:
		return "ip4:icmp"
	}
	return "ip6:ipv6-icmp"
}

func listenAddress(cfg linkConfig) string {
	if cfg.Source.IsValid() {
		return cfg.Source.Unmap().String()
	}
	if cfg.version == icmp.V4 {
		return "0.0.0.0"
	}
	return "::"
}

// describe asks for what the system can say of a packet. What it cannot is
// reported as unknown.
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

// setTTL sets TTL and traffic class on the socket, where they change.
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

// waitWritable is not needed: x/net waits for room by itself.
func (l *packetLink) waitWritable(context.Context) error { return nil }

func (l *packetLink) receive(int) (int, error) {
	l.in = sys.Inbound{}
	var from net.Addr
	var err error
	if l.p4 != nil {
		from, err = l.read4()
	} else {
		from, err = l.read6()
	}
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.drained.Advance(time.Now())
		}
		return 0, err
	}
	l.in.Read = time.Now()
	l.in.Size = len(l.in.Data)
	l.setFrom(from)
	return 1, nil
}

func (l *packetLink) read4() (net.Addr, error) {
	n, cm, from, err := l.p4.ReadFrom(l.buf)
	l.in.Data = l.buf[:max(n, 0)]
	if cm != nil {
		l.in.TTL, l.in.InterfaceIndex = cm.TTL, cm.IfIndex
		l.in.To, _ = netip.AddrFromSlice(cm.Dst.To4())
	}
	return from, err
}

func (l *packetLink) read6() (net.Addr, error) {
	n, cm, from, err := l.p6.ReadFrom(l.buf)
	l.in.Data = l.buf[:max(n, 0)]
	if cm != nil {
		l.in.TTL, l.in.TrafficClass, l.in.InterfaceIndex = cm.HopLimit, uint8(cm.TrafficClass), cm.IfIndex
		l.in.To, _ = netip.AddrFromSlice(cm.Dst)
	}
	return from, err
}

func (l *packetLink) setFrom(from net.Addr) {
	var ip net.IP
	var zone string
	switch a := from.(type) {
	case *net.IPAddr:
		ip, zone = a.IP, a.Zone
	case *net.UDPAddr:
		ip, zone = a.IP, a.Zone
	}
	l.in.From, _ = netip.AddrFromSlice(ip)
	if l.p4 != nil {
		l.in.From = l.in.From.Unmap()
	}
	l.in.Zone, _ = l.zones.Index(zone)
}

func (l *packetLink) datagram(_ int, in *sys.Inbound) { *in = l.in }

func (l *packetLink) setReadDeadline(t time.Time) error { return l.conn.SetReadDeadline(t) }

// drops is not known here.
func (l *packetLink) drops() uint64 { return 0 }

func (l *packetLink) setBroadcast(bool) error { return unsupported("broadcast (SetBroadcast)") }

func (l *packetLink) joinGroup(group netip.Addr, ifi *net.Interface) error {
	return l.p6.JoinGroup(ifi, &net.IPAddr{IP: group.AsSlice()})
}

func (l *packetLink) close() error { return l.conn.Close() }
