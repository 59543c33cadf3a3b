package netsim

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

var errNoAddress = errors.New("the client has no address of this IP version")

// SendBatch sends echo requests in order, and sets ID and Time in each. It
// returns how many were sent and, if not all, why the next one was not.
func (c *Conn) SendBatch(reqs []icmp.Request) (int, error) {
	for i := range reqs {
		if err := c.send(&reqs[i]); err != nil {
			return i, err
		}
	}
	return len(reqs), nil
}

func (c *Conn) send(req *icmp.Request) error {
	req.ID = c.id
	to := req.Destination.Unmap()
	if !to.IsValid() || to.Is4() != (c.version == icmp.V4) {
		return &icmp.FieldError{Field: "Destination", Value: req.Destination, Allowed: "an " + c.version.String() + " address"}
	}
	now := time.Now()
	deliveries, err := c.emit(req, to, now)
	if err != nil {
		return err
	}
	c.net.distribute(deliveries)
	return nil
}

// emit gives a request to the network as an IP packet.
func (c *Conn) emit(req *icmp.Request, to netip.Addr, now time.Time) ([]Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, c.opError("send", req.Destination, net.ErrClosed)
	case !c.local.IsValid():
		return nil, c.opError("send", req.Destination, errNoAddress)
	}
	if err := c.build(req, to.WithZone("")); err != nil {
		return nil, err
	}
	req.Time = now
	if c.failures > 0 {
		c.failures--
		return nil, c.opError("send", req.Destination, c.failure)
	}
	if zone := to.Zone(); zone != "" {
		c.zone = zone
	}
	return c.net.Send(now, c.buf), nil
}

// build makes the request's packet in c.buf.
func (c *Conn) build(req *icmp.Request, to netip.Addr) error {
	size := wire.IPv4MinHeaderLen
	if to.Is6() {
		size = wire.IPv6HeaderLen
	}
	var err error
	c.buf = slices.Grow(c.buf[:0], size)[:size]
	if c.buf, err = req.Append(c.buf); err != nil {
		return err
	}
	ttl := uint8(icmp.DefaultTTL)
	if req.TTL != 0 {
		ttl = uint8(req.TTL)
	}
	upper := len(c.buf) - size
	if to.Is6() {
		h := wire.IPv6{
			TrafficClass: uint8(req.TrafficClass), NextHeader: wire.ProtocolICMPv6, HopLimit: ttl,
			Source: c.local, Destination: to,
		}
		h.Append(c.buf[:0], upper)
		p := packet{b: c.buf, v6: true, proto: wire.ProtocolICMPv6, l4: size}
		p.seal() // as the kernel does
		return nil
	}
	c.ipID++
	h := wire.IPv4{
		TrafficClass: uint8(req.TrafficClass), ID: c.ipID, DontFragment: c.opts.DontFragment, TTL: ttl,
		Protocol: wire.ProtocolICMP, Source: c.local, Destination: to,
	}
	h.Append(c.buf[:0], upper)
	return nil
}

// FailSend makes the next n sends fail with err.
func (c *Conn) FailSend(n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures, c.failure = n, err
}

// distribute gives packets to all sockets.
func (n *Network) distribute(deliveries []Delivery) {
	if len(deliveries) == 0 {
		return
	}
	n.mu.Lock()
	conns := slices.Clone(n.conns)
	n.mu.Unlock()
	for _, c := range conns {
		c.mu.Lock()
		c.expect(deliveries)
		c.signal()
		c.mu.Unlock()
	}
}
