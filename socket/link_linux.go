package socket

import (
	"context"
	"errors"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// kernelKeepsID: a datagram socket's id is a port, which the kernel gives out
// and which no other socket shares.
const kernelKeepsID = true

// linkConfig is a Config with what was derived from it.
type linkConfig struct {
	*Config
	version icmp.Version
	mode    Mode
	id      uint16 // 0: the kernel chooses
	ifi     *net.Interface
	zone    uint32 // of Source
}

func (c *linkConfig) ipv6() bool { return c.version == icmp.V6 }
func (c *linkConfig) raw() bool  { return c.mode == Raw }

// link is a socket of the system.
type link struct {
	sock     *sys.Socket
	id       uint16
	errQueue bool
	sender   *sys.Sender
	stamps   *departures // nil without SendTimestamps

	// Of whoever receives:
	receiver *sys.Receiver
	look     look
	wake     func(uintptr) bool // look.run, made once
	now      func() netio.ClockReading
	drained  netio.Watermark
}

func openLink(cfg linkConfig) (*link, error) {
	sock, err := sys.OpenICMP(cfg.ipv6(), cfg.raw())
	if err != nil {
		return nil, err
	}
	l := &link{sock: sock, errQueue: !cfg.raw(), sender: sys.NewSender(maxBatch), now: netio.ReadClock}
	l.look.l = l
	l.wake = l.look.run
	l.look.empty = l.now()
	l.drained.Advance(l.look.empty.Mono)
	if err := l.configure(cfg); err != nil {
		_ = sock.Close()
		return nil, err
	}
	return l, nil
}

func (l *link) configure(cfg linkConfig) error {
	steps := [...]func(linkConfig) error{l.configureFilter, l.configureOptions, l.configureRoute, l.bind, l.configureStamps}
	for _, step := range steps {
		if err := step(cfg); err != nil {
			return err
		}
	}
	return nil
}

// configureFilter comes first, so that little else gets into the queue.
func (l *link) configureFilter(cfg linkConfig) error {
	if !cfg.raw() {
		return nil
	}
	if cfg.ipv6() {
		return errors.Join(l.sock.PassTypes6(passTypes6...), l.sock.AttachFilter(idFilter6(cfg.id)))
	}
	return errors.Join(l.sock.PassTypes4(passTypes4...), l.sock.AttachFilter(idFilter4(cfg.id)))
}

func (l *link) configureOptions(cfg linkConfig) error {
	size := cfg.ReceiveBuffer
	if size == 0 {
		size = defaultReceiveBuffer
	}
	if err := l.sock.SetReceiveBuffer(size); err != nil {
		return err
	}
	if l.errQueue {
		if err := l.sock.QueueErrors(cfg.ipv6()); err != nil {
			return err
		}
	}
	if cfg.ipv6() {
		if err := l.sock.Fragmentation6(cfg.DontFragment); err != nil {
			return err
		}
		return l.sock.Describe6(icmp.DefaultTTL)
	}
	if err := l.sock.Fragmentation4(cfg.DontFragment); err != nil {
		return err
	}
	return l.sock.Describe4(icmp.DefaultTTL, cfg.raw())
}

func (l *link) configureRoute(cfg linkConfig) error {
	if cfg.Mark != 0 {
		if err := l.sock.SetMark(cfg.Mark); err != nil {
			return denyMark(cfg.Mark, err)
		}
	}
	if cfg.ifi == nil {
		return nil
	}
	return l.sock.BindDevice(cfg.ifi.Name, cfg.ifi.Index, cfg.ipv6())
}

// bind takes the source address and, in datagram mode, the id.
func (l *link) bind(cfg linkConfig) error {
	source := cfg.Source.Unmap().WithZone("")
	if !source.IsValid() {
		if cfg.raw() {
			return nil
		}
		source = cfg.version.Unspecified()
	}
	if cfg.raw() {
		return l.sock.Bind(source, cfg.zone, 0)
	}
	if err := l.sock.Exclusive(); err != nil {
		return err
	}
	if err := l.sock.Bind(source, cfg.zone, cfg.ID); err != nil {
		return err
	}
	_, port, err := l.sock.LocalAddr()
	l.id = port
	return err
}

func (l *link) waitWritable(ctx context.Context) error { return l.sock.WaitWritable(ctx) }

func (l *link) setReadDeadline(t time.Time) error { return l.sock.SetReadDeadline(t) }

func (l *link) drops() uint64 {
	drops, err := l.sock.Drops()
	if err != nil {
		return 0
	}
	return uint64(drops)
}

func (l *link) backlog() float64 {
	part, err := l.sock.Backlog()
	if err != nil {
		return 0
	}
	return part
}

func (l *link) watch(on bool) error { return l.sock.Watch(on) }

func (l *link) setBroadcast(on bool) error { return l.sock.SetBroadcast(on) }

func (l *link) joinGroup(group netip.Addr, ifi *net.Interface) error {
	return l.sock.JoinGroup6(group, ifi.Index)
}

func (l *link) syscallConn() (syscall.RawConn, error) { return l.sock.SyscallConn(), nil }

func (l *link) close() error { return l.sock.Close() }
