package engine

import (
	"context"
	"errors"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// segments is the Medium of UDP, TCP and SCTP probes.
//
// In the 32 bits that come back, the sequence number of a SYN or the initiate tag of
// an INIT, the low half is the probe's number and the high half a part of its nonce. In
// UDP, the checksum is chosen to be the probe's number, which is also in the payload.
type segments struct {
	SegmentConn
	probes   [maxSend]transport.Probe
	arrivals [readBatch]transport.Arrival
}

// OverTransport returns a Medium that sends the probes of conn's protocol.
func OverTransport(conn SegmentConn) Medium { return &segments{SegmentConn: conn} }

func (m *segments) link() Link { return m.SegmentConn }
func (m *segments) id() uint16 { return 0 }
func (m *segments) ports() int { _, n := m.Ports(); return n }

func (m *segments) send(batch []outgoing) (int, error) {
	for i := range batch {
		m.fill(&m.probes[i], &batch[i])
	}
	n, err := m.SendBatch(m.probes[:len(batch)])
	for i := range n {
		batch[i].at = m.probes[i].Time
	}
	return took(n, len(batch), err)
}

// fill fills in a probe.
func (m *segments) fill(probe *transport.Probe, p *outgoing) {
	*probe = transport.Probe{
		Destination:     p.dst,
		DestinationPort: p.flow.DestinationPort,
		SourcePort:      p.flow.SourcePort,
		FlowLabel:       p.flow.Label,
		TTL:             p.ttl,
		TrafficClass:    p.class,
		Timeout:         p.timeout,
	}
	if p.flow.SourcePort == 0 && p.flow.Offset != 0 {
		first, _ := m.Ports()
		probe.SourcePort = first + p.flow.Offset
	}
	switch {
	case m.Protocol() != icmp.UDP:
		probe.Identity = identity(p.seq, p.nonce)
	case p.balance > 0:
		probe.Payload, probe.Checksum, probe.Balance = p.payload, p.seq, p.balance
	default:
		probe.Payload = p.payload
	}
}

// drivenSegments is a SegmentConn that its sender can also read.
type drivenSegments interface {
	ReceiveNow(arrivals []transport.Arrival) (int, error)
	Watch(on bool) error
}

func (m *segments) receiveNow() (int, error) {
	if c, ok := m.SegmentConn.(drivenSegments); ok {
		return c.ReceiveNow(m.arrivals[:])
	}
	return 0, errors.ErrUnsupported
}

func (m *segments) watch(on bool) error {
	if c, ok := m.SegmentConn.(drivenSegments); ok {
		return c.Watch(on)
	}
	return errors.ErrUnsupported
}

// identity returns the 32 bits that identify a probe. They are never 0, because no
// sequence number is.
func identity(seq uint16, n nonce) uint32 { return uint32(n>>48)<<16 | uint32(seq) }

func (m *segments) receive() (int, error) {
	return m.ReceiveBatch(context.Background(), m.arrivals[:])
}

func (m *segments) deliver(i int, c *core) {
	a := &m.arrivals[i]
	c.receiveArrival(a, a.Time.Sub(c.epoch))
}
