package socket

import (
	"net"
	"net/netip"
)

func (c *conn) setBroadcast(on bool) error {
	if err := c.link.setBroadcast(on); err != nil {
		return c.opError(opBroadcast, netip.Addr{}, err)
	}
	c.broadcast.Store(on)
	return nil
}

func (c *conn) joinGroup(group netip.Addr, ifi *net.Interface) error {
	switch {
	case !group.Is6() || !group.IsMulticast():
		return &ConfigError{Field: "group", Value: group, Allowed: "an IPv6 multicast address"}
	case ifi == nil:
		return &ConfigError{Field: "ifi", Value: ifi, Allowed: "an interface of this host"}
	}
	if err := c.link.joinGroup(group.WithZone(""), ifi); err != nil {
		return c.opError(opJoin, group, err)
	}
	return nil
}
