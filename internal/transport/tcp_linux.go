package transport

import (
	"net"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// tcpLink makes a connection for each probe: the only way to send a SYN without
// privileges. Each is a socket of its own, in whose error queue the ICMP errors
// are; one epoll instance watches them all.
type tcpLink struct {
	look
	cfg   linkConfig
	timer *sys.Timer // for those that nothing comes of

	mu      sync.Mutex
	closed  bool
	pending pending
	results [maxBatch]result // of the last look
	in      sys.Inbound      // of whoever receives
}

// result is what came of a connection.
type result struct {
	sys.Outcome
	probe connection
}

// timerKey is the key of the timer; connections have smaller ones.
const timerKey = ^uint64(0)

func openTCP(cfg linkConfig) (link, error) {
	l := &tcpLink{cfg: cfg}
	if err := l.look.init(l.scan); err != nil {
		return nil, err
	}
	l.pending.init(cfg.Sockets)
	err := l.try()
	if err == nil {
		l.timer, err = l.poller.NewTimer(timerKey)
	}
	if err != nil {
		_ = l.close()
		return nil, err
	}
	return l, nil
}

// scan looks what has come of the connections that are ready.
func (l *tcpLink) scan(ready, limit int) (n int, drained bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ready {
		if n == limit {
			return n, false, nil
		}
		key := l.events.Key(i)
		if key == timerKey {
			if err := l.expire(); err != nil {
				return n, false, err
			}
			continue
		}
		c := l.pending.get(key)
		if c == nil {
			continue
		}
		outcome, over := c.stream.Over(l.receiver, n)
		if !over {
			continue
		}
		l.results[n] = result{outcome, c.connection}
		l.pending.end(c)
		if outcome.Queued || outcome.Established || outcome.Refused {
			n++
		}
	}
	return n, true, nil
}

// expire gives up the connections that have waited long enough, and sets the
// timer for the next of them.
func (l *tcpLink) expire() error {
	now := time.Now()
	l.pending.expire(now)
	if l.closed {
		return net.ErrClosed
	}
	return l.timer.Set(l.pending.next(now))
}

func (l *tcpLink) receive(limit int) (int, error) { return l.look.receive(limit) }

// ports says that none is held.
func (l *tcpLink) ports() (uint16, int) { return 0, 0 }

// drops is 0: what a connection needs always has room.
func (l *tcpLink) drops() uint64 { return 0 }

func (l *tcpLink) backlog() float64 { return 0 }

func (l *tcpLink) close() error {
	if err := l.poller.Close(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.pending.endAll()
	if l.timer != nil {
		return l.timer.Close()
	}
	return nil
}
