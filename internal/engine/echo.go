package engine

import (
	"context"
	"errors"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// echo is the Medium of echo requests.
type echo struct {
	Conn
	requests [maxSend]icmp.Request
	replies  [readBatch]icmp.Reply
}

// lateness is how long after a probe's timeout the system still waits for its answer,
// where the system does the waiting. It allows for Windows ending its waits too early.
const lateness = 2 * time.Second

// OverEcho returns a Medium that sends echo requests over a socket.
func OverEcho(conn Conn) Medium { return &echo{Conn: conn} }

func (m *echo) link() Link { return m.Conn }
func (m *echo) id() uint16 { return m.ID() }
func (m *echo) ports() int { return 0 }

func (m *echo) send(batch []outgoing) (int, error) {
	for i := range batch {
		p := &batch[i]
		m.requests[i] = icmp.Request{
			Destination:  p.dst,
			Sequence:     p.seq,
			Payload:      p.payload,
			TTL:          p.ttl,
			TrafficClass: p.class,
			Timeout:      p.timeout + lateness,
		}
	}
	n, err := m.SendBatch(m.requests[:len(batch)])
	for i := range n {
		batch[i].at = m.requests[i].Time
	}
	return took(n, len(batch), err)
}

// driven is a Conn that its sender can also read.
type driven interface {
	ReceiveNow(replies []icmp.Reply) (int, error)
	Watch(on bool) error
}

func (m *echo) receiveNow() (int, error) {
	if c, ok := m.Conn.(driven); ok {
		return c.ReceiveNow(m.replies[:])
	}
	return 0, errors.ErrUnsupported
}

func (m *echo) watch(on bool) error {
	if c, ok := m.Conn.(driven); ok {
		return c.Watch(on)
	}
	return errors.ErrUnsupported
}

func (m *echo) receive() (int, error) {
	return m.ReceiveBatch(context.Background(), m.replies[:])
}

func (m *echo) deliver(i int, c *core) {
	r := &m.replies[i]
	c.receive(r, r.Time.Sub(c.epoch))
}
