package engine

import (
	"context"

	"github.com/goicmp/icmplib/icmp"
)

// echo is the Medium of echo requests.
type echo struct {
	Conn
	request [1]icmp.Request
	replies [readBatch]icmp.Reply
}

// OverEcho returns a Medium that sends echo requests over a socket.
func OverEcho(conn Conn) Medium { return &echo{Conn: conn} }

func (m *echo) id() uint16 { return m.ID() }
func (m *echo) ports() int { return 0 }

func (m *echo) send(p *outgoing) error {
	m.request[0] = icmp.Request{
		Destination:  p.dst,
		Sequence:     p.seq,
		Payload:      p.payload,
		TTL:          p.ttl,
		TrafficClass: p.class,
		Timeout:      p.timeout,
	}
	err := took(m.SendBatch(m.request[:]))
	p.at = m.request[0].Time
	return err
}

func (m *echo) receive() (int, error) {
	return m.ReceiveBatch(context.Background(), m.replies[:])
}

func (m *echo) deliver(i int, c *core) {
	r := &m.replies[i]
	c.receive(r, r.Time.Sub(c.epoch))
}
