package transport

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/socket"
)

func openLink(cfg linkConfig) (link, error) {
	switch {
	case cfg.Mode == socket.Raw:
		return openRaw(cfg)
	case cfg.Protocol == icmp.UDP:
		return openUDP(cfg)
	case cfg.Protocol == icmp.TCP:
		return openTCP(cfg)
	}
	return nil, fmt.Errorf("SCTP without privileges: the kernel would have to make an association for each probe,"+
		" and few have SCTP; use raw sockets: %w", errors.ErrUnsupported)
}

func (c *linkConfig) ipv6() bool { return c.Version == icmp.V6 }

// local returns the address to bind to.
func (c *linkConfig) local() netip.Addr {
	if c.Source.IsValid() {
		return c.Source.WithZone("")
	}
	return c.Version.Unspecified()
}

// configure sets the options that all sockets share; header is for sockets that deliver
// the IPv4 header.
func (c *linkConfig) configure(s *sys.Socket, header bool) error {
	if err := s.SetReceiveBuffer(c.ReceiveBuffer); err != nil {
		return err
	}
	if err := c.route(s); err != nil {
		return err
	}
	if c.ipv6() {
		if c.labels = s.SendFlowLabels(); c.labels != nil && !errors.Is(c.labels, errors.ErrUnsupported) {
			return c.labels
		}
		return errors.Join(s.Fragmentation6(c.DontFragment), s.Describe6(icmp.DefaultTTL))
	}
	return errors.Join(s.Fragmentation4(c.DontFragment), s.Describe4(icmp.DefaultTTL, header))
}

// route sets the options that choose the route of packets.
func (c *linkConfig) route(s *sys.Socket) error {
	if c.Mark != 0 {
		if err := s.SetMark(c.Mark); err != nil {
			return err
		}
	}
	if c.Interface == "" {
		return nil
	}
	return s.Restrict(c.Interface)
}

// outbound describes a probe to the kernel, without its data.
func (c *linkConfig) outbound(p *Probe) (sys.Outbound, error) {
	if p.FlowLabel != 0 && c.labels != nil {
		return sys.Outbound{}, c.labels
	}
	to := p.Destination.Unmap()
	zone, err := c.zones.Index(to.Zone())
	if err != nil {
		err = syscall.ENODEV // the interface may have existed, and may come back
	}
	out := sys.Outbound{To: to.WithZone(""), Zone: zone, FlowLabel: p.FlowLabel}
	out.Differ(p.TTL, icmp.DefaultTTL, p.TrafficClass)
	return out, err
}
