package engine

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// segments is the Medium of UDP, TCP and SCTP probes.
//
// Where a protocol has room for 32 bits that come back, the sequence number of
// a SYN and the initiate tag of an INIT, those are the probe's number below and
// a part of its nonce above. In UDP it is the checksum, which is made to be the
// probe's number, and the beginning of the payload.
type segments struct {
	conn     SegmentConn
	protocol icmp.Protocol
	probes   [sendBatch]transport.Probe
	arrivals [readBatch]transport.Arrival
}

// OverTransport returns a Medium that sends the probes of conn's protocol.
func OverTransport(conn SegmentConn) Medium {
	return &segments{conn: conn, protocol: conn.Protocol()}
}

func (m *segments) prepare(k int, p *outgoing) {
	m.probes[k] = transport.Probe{
		Destination:     p.dst,
		DestinationPort: p.flow.DestinationPort,
		SourcePort:      p.flow.SourcePort,
		FlowLabel:       p.flow.Label,
		TTL:             p.ttl,
		TrafficClass:    p.class,
	}
	if p.flow.SourcePort == 0 && p.flow.Offset != 0 {
		first, _ := m.conn.Ports()
		m.probes[k].SourcePort = first + p.flow.Offset
	}
	if m.protocol != icmp.UDP {
		m.probes[k].Identity = identity(p.seq, p.nonce)
		return
	}
	m.probes[k].Payload = p.payload
	if p.numbered {
		m.probes[k].Checksum, m.probes[k].Balance = p.seq, numberedBalance
	}
}

// identity is what makes a probe recognisable in 32 bits. It is never 0, for no
// sequence number is.
func identity(seq uint16, n nonce) uint32 { return uint32(n>>48)<<16 | uint32(seq) }

func (m *segments) send(k int) (int, error) { return m.conn.SendBatch(m.probes[:k]) }

func (m *segments) receive() (int, error) {
	return m.conn.ReceiveBatch(context.Background(), m.arrivals[:])
}

func (m *segments) deliver(i int, c *core) {
	a := &m.arrivals[i]
	c.receiveArrival(a, a.Time.Sub(c.epoch))
}

func (m *segments) setReadDeadline(t time.Time) { _ = m.conn.SetReadDeadline(t) }

func (m *segments) id() uint16                { return 0 }
func (m *segments) ports() int                { _, n := m.conn.Ports(); return n }
func (m *segments) drained() time.Time        { return m.conn.Drained() }
func (m *segments) counters() socket.Counters { return m.conn.Counters() }
func (m *segments) backlog() float64          { return m.conn.Backlog() }
func (m *segments) Close() error              { return m.conn.Close() }
