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

// header is what a socket says of the IP header of a packet.
type header struct {
	to           netip.Addr // with its zone where it has one
	protocol     icmp.Protocol
	ttl          int // 0: the default
	class        int
	label        uint32
	dontFragment bool
}

// emit gives a packet to the network at now. What is behind its IP header is
// appended by build, which is called with the socket locked.
func (c *mailbox) emit(now time.Time, h *header, build func(b []byte) ([]byte, error)) error {
	c.mu.Lock()
	deliveries, err := c.launch(now, h, build)
	c.mu.Unlock()
	if err == nil {
		c.net.distribute(deliveries)
	}
	return err
}

func (c *mailbox) launch(now time.Time, h *header, build func(b []byte) ([]byte, error)) ([]Delivery, error) {
	switch {
	case c.closed:
		return nil, c.opError("send", h.to, net.ErrClosed)
	case !c.local.IsValid():
		return nil, c.opError("send", h.to, errNoAddress)
	}
	size := wire.IPv4MinHeaderLen
	if h.to.Is6() {
		size = wire.IPv6HeaderLen
	}
	var err error
	if c.buf, err = build(slices.Grow(c.buf[:0], size)[:size]); err != nil {
		return nil, err
	}
	c.frame(h, len(c.buf)-size)
	if c.failures > 0 {
		c.failures--
		return nil, c.opError("send", h.to, c.failure)
	}
	if zone := h.to.Zone(); zone != "" {
		c.zone = zone
	}
	return c.net.Send(now, c.buf), nil
}

// frame writes the IP header into c.buf, before an upper layer of a length.
func (c *mailbox) frame(h *header, upper int) {
	ttl := uint8(icmp.DefaultTTL)
	if h.ttl != 0 {
		ttl = uint8(h.ttl)
	}
	if h.to.Is6() {
		ip := wire.IPv6{
			TrafficClass: uint8(h.class), FlowLabel: h.label, NextHeader: uint8(h.protocol), HopLimit: ttl,
			Source: c.local, Destination: h.to.WithZone(""),
		}
		ip.Append(c.buf[:0], upper)
		return
	}
	c.ipID++
	ip := wire.IPv4{
		TrafficClass: uint8(h.class), ID: c.ipID, DontFragment: h.dontFragment, TTL: ttl,
		Protocol: uint8(h.protocol), Source: c.local, Destination: h.to,
	}
	ip.Append(c.buf[:0], upper)
}
