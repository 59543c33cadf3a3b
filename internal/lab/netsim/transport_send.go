package netsim

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// SendBatch sends probes in order, and sets Time and, where it is 0, SourcePort
// in each. It returns how many were sent and, if not all, why the next one was
// not.
func (c *TransportConn) SendBatch(probes []transport.Probe) (int, error) {
	for i := range probes {
		if err := c.send(&probes[i]); err != nil {
			return i, err
		}
	}
	return len(probes), nil
}

func (c *TransportConn) send(p *transport.Probe) error {
	if err := p.Check(&transport.Config{Version: c.version, Protocol: c.protocol}); err != nil {
		return err
	}
	to := p.Destination.Unmap()
	now := time.Now()
	sequence, err := c.address(p, to, now)
	if err != nil {
		return err
	}
	p.Time = now
	h := header{
		to: to, protocol: c.protocol, ttl: p.TTL, class: p.TrafficClass, label: p.FlowLabel,
		dontFragment: c.opts.DontFragment,
	}
	if h.label == 0 {
		h.label = flowLabel(p)
	}
	err = c.emit(now, &h, func(b []byte) ([]byte, error) {
		sent := *p
		if c.connects() {
			sent.Identity = sequence
		}
		return sent.AppendTo(b, c.protocol, c.local), nil
	})
	if err != nil && c.connects() {
		c.disconnect(p, to)
	}
	return err
}

// address gives a probe its source port. Where each probe is a connection, that
// is begun, and its sequence number returned.
func (c *TransportConn) address(p *transport.Probe, to netip.Addr, now time.Time) (sequence uint32, err error) {
	switch {
	case c.connects():
		return c.connect(p, to, now)
	case p.SourcePort == 0:
		p.SourcePort = c.first
	case !c.owns(p.SourcePort):
		return 0, &icmp.FieldError{Field: "SourcePort", Value: p.SourcePort, Allowed: "one of the connection's"}
	}
	return 0, nil
}

// owns reports whether a port is one of this connection's.
func (c *TransportConn) owns(port uint16) bool {
	return port >= c.first && int(port)-int(c.first) < c.count
}

// flowLabel is the label that the kernel makes up for a flow (RFC 6437 section
// 3): always the same one.
func flowLabel(p *transport.Probe) uint32 {
	var h hasher
	to := p.Destination.As16()
	for _, b := range to {
		h.add(uint64(b))
	}
	h.add(uint64(p.SourcePort)<<16 | uint64(p.DestinationPort))
	return uint32(h) & 0xfffff
}
