package transport

import (
	"github.com/goicmp/icmplib/socket"
	"net/netip"
	"time"
)

// What the tests of this package that need a namespace look into. They are
// outside of it, for internal/lab/netlab imports it.

// PretendSource makes c believe that from is the address to send to an address and
// a port with.
func (c *Conn) PretendSource(to netip.Addr, port uint16, from netip.Addr) {
	r := &c.batch().routes
	r.known = map[routeKey]netip.Addr{c.keyOf(to, port): from}
	r.expire = time.Now().Add(time.Hour)
}

// KnownSource returns the address that c sends to an address and a port with.
func (c *Conn) KnownSource(to netip.Addr, port uint16) netip.Addr {
	return c.batch().routes.known[c.keyOf(to, port)]
}

func (c *Conn) keyOf(to netip.Addr, port uint16) routeKey {
	if c.Mode() == socket.Raw {
		port = 0
	}
	return routeKey{to: to, port: port}
}

// Source returns the address that c would send a probe from.
func (c *Conn) Source(p Probe) (netip.Addr, error) {
	b := c.batch()
	if _, err := b.build([]Probe{p}); err != nil {
		return netip.Addr{}, err
	}
	return b.out[0].Source, nil
}

func (c *Conn) batch() *batch {
	if l, ok := c.link.(*rawLink); ok {
		return &l.batch
	}
	return &c.link.(*udpLink).batch
}
