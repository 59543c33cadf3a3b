package transport

import (
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net/netip"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// Routed reports whether this host has a route to an address, with the source, interface
// and mark of cfg. It connects a UDP socket (connect(2)), and sends nothing. If it cannot
// find out, it reports true.
func Routed(cfg Config, to netip.Addr) bool {
	var z netio.Zones
	zone, err := z.Index(to.Zone())
	if err != nil {
		return true
	}
	c := linkConfig{Config: cfg, zones: &z}
	s, err := sys.OpenIdle(c.ipv6(), uint8(icmp.UDP))
	if err != nil {
		return !errors.Is(err, syscall.EAFNOSUPPORT)
	}
	defer s.Close()
	if err := c.route(s); err != nil {
		return true
	}
	if cfg.Source.IsValid() {
		if c.zone, err = z.Index(cfg.Source.Zone()); err != nil {
			return true
		}
		if err := s.Bind(c.local(), c.zone, 0); err != nil {
			return !noRoute(err)
		}
	}
	source, err := s.Source(&sys.Outbound{To: to.WithZone(""), Zone: zone, Port: 9})
	if err == nil && source.IsUnspecified() {
		return false // the interface treats all addresses as on-link, but has no address itself
	}
	return !noRoute(err)
}
