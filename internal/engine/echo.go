package engine

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// echo is the Medium of echo requests.
type echo struct {
	conn     Conn
	requests [sendBatch]icmp.Request
	replies  [readBatch]icmp.Reply
}

// OverEcho returns a Medium that sends echo requests over a socket.
func OverEcho(conn Conn) Medium { return &echo{conn: conn} }

func (m *echo) prepare(k int, p *outgoing) {
	m.requests[k] = icmp.Request{
		Destination:  p.dst,
		Sequence:     p.seq,
		Payload:      p.payload,
		TTL:          p.ttl,
		TrafficClass: p.class,
	}
}

func (m *echo) send(k int) (int, error) { return m.conn.SendBatch(m.requests[:k]) }

func (m *echo) receive() (int, error) {
	return m.conn.ReceiveBatch(context.Background(), m.replies[:])
}

func (m *echo) deliver(i int, c *core) {
	r := &m.replies[i]
	c.receive(r, r.Time.Sub(c.epoch))
}

// setReadDeadline fails only when the socket is closed, which the reader sees
// by itself.
func (m *echo) setReadDeadline(t time.Time) { _ = m.conn.SetReadDeadline(t) }

func (m *echo) id() uint16                { return m.conn.ID() }
func (m *echo) ports() int                { return 0 }
func (m *echo) drained() time.Time        { return m.conn.Drained() }
func (m *echo) counters() socket.Counters { return m.conn.Counters() }
func (m *echo) backlog() float64          { return m.conn.Backlog() }
func (m *echo) Close() error              { return m.conn.Close() }
