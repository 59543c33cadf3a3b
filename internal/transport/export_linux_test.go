package transport

import (
	"net/netip"
	"time"
)

// What the tests of this package that need a namespace look into. They are
// outside of it, for internal/lab/netlab imports it.

// PretendSource makes c believe that from is the address to send to an address
// with.
func (c *Conn) PretendSource(to, from netip.Addr) {
	r := &c.batch().routes
	r.known = map[routeKey]netip.Addr{{to: to}: from}
	r.expire = time.Now().Add(time.Hour)
}

// KnownSource returns the address that c sends to an address with.
func (c *Conn) KnownSource(to netip.Addr) netip.Addr { return c.batch().routes.known[routeKey{to: to}] }

func (c *Conn) batch() *batch {
	if l, ok := c.link.(*rawLink); ok {
		return &l.batch
	}
	return &c.link.(*udpLink).batch
}
