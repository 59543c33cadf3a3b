package transport

import (
	"net"
	"os"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// try finds out now whether sockets can be made as configured.
func (l *tcpLink) try() error {
	var s sys.Stream
	if err := l.configure(&s); err != nil {
		return err
	}
	defer s.Close()
	if !l.cfg.Source.IsValid() {
		return nil
	}
	return s.Socket().Bind(l.cfg.local(), l.cfg.zone, 0)
}

func (l *tcpLink) configure(s *sys.Stream) error {
	if err := s.Open(l.cfg.ipv6()); err != nil {
		return err
	}
	err := l.cfg.route(s.Socket())
	if err == nil && l.cfg.ipv6() {
		err = s.Socket().Fragmentation6(l.cfg.DontFragment)
	} else if err == nil {
		err = s.Fragmentation4(l.cfg.DontFragment)
	}
	if err != nil {
		_ = s.Close()
	}
	return err
}

// send makes one connection.
func (l *tcpLink) send(probes []Probe) (int, error) {
	p := &probes[0]
	if err := p.validate(&l.cfg.Config); err != nil {
		return 0, err
	}
	out, err := l.cfg.outbound(p)
	if err != nil {
		return 0, err
	}
	out.Port = p.DestinationPort
	if l.cfg.Source.IsValid() {
		out.Source = l.cfg.local()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, net.ErrClosed
	}
	if err := l.connect(p, &out); err != nil {
		return 0, err
	}
	return 1, nil
}

func (l *tcpLink) connect(p *Probe, out *sys.Outbound) error {
	now := time.Now()
	l.pending.expire(now)
	first := l.pending.empty()
	c := l.pending.take()
	if c == nil {
		return os.NewSyscallError("socket", syscall.EAGAIN)
	}
	err := l.configure(&c.stream)
	if err != nil {
		l.pending.giveBack(c)
		return err
	}
	p.Time = time.Now()
	c.connection = connection{to: p.Destination.Unmap(), toPort: p.DestinationPort, identity: p.Identity, sent: p.Time}
	c.expires = now.Add(l.cfg.Lifetime)
	if c.fromPort, err = c.stream.Connect(l.poller, out, p.SourcePort, c.key()); err != nil {
		l.pending.end(c)
		return err
	}
	p.SourcePort = c.fromPort
	if first {
		return l.timer.Set(l.cfg.Lifetime)
	}
	return nil
}
