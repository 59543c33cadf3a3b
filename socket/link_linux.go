package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/sys"
)

// kernelKeepsID: a datagram socket's id is a port, which the kernel assigns and
// which no other socket shares.
const kernelKeepsID = true

// datagramExtendedEcho: datagram sockets send extended echo requests since Linux 5.13.
const datagramExtendedEcho = true

// linkConfig is a Config with the values derived from it.
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

	// For the receiver only:
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

// configureFilter comes first, so that few other messages get into the queue.
func (l *link) configureFilter(cfg linkConfig) error {
	if !cfg.raw() {
		return nil
	}
	if cfg.Types != nil {
		numbers := make([]uint8, len(cfg.Types))
		for i, t := range cfg.Types {
			numbers[i] = t.Number()
		}
		if cfg.ipv6() {
			return l.sock.PassTypes6(numbers...)
		}
		return l.sock.PassTypes4(numbers...)
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

// bind binds the socket to the source address and, in datagram mode, to the id.
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

func (l *link) receiveBuffer() (int, error) { return l.sock.ReceiveBuffer() }

func (l *link) setReceiveBuffer(size int) error { return l.sock.SetReceiveBuffer(size) }

func (l *link) watch(on bool) error { return l.sock.Watch(on) }

func (l *link) hasInterface(index uint32) bool { return l.sock.HasInterface(index) }

func (l *link) setBroadcast(on bool) error { return l.sock.SetBroadcast(on) }

func (l *link) joinGroup(group netip.Addr, ifi *net.Interface) error {
	return l.sock.JoinGroup6(group, ifi.Index)
}

func (l *link) syscallConn() (syscall.RawConn, error) { return l.sock.SyscallConn(), nil }

func (l *link) close() error { return l.sock.Close() }

// configureStamps is the last step, because the kernel would count earlier sends.
func (l *link) configureStamps(cfg linkConfig) error {
	if !cfg.SendTimestamps {
		return nil
	}
	err := l.sock.StampSends(true)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOPROTOOPT) {
		return fmt.Errorf("kernel timestamps of what is sent (SendTimestamps) need Linux 4.0 or later: %w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return err
	}
	l.stamps = newDepartures(l.look.empty.Mono)
	return nil
}

// send gives the datagrams to the kernel and returns how many it took. It sets Sent in
// each of these.
func (l *link) send(out []sys.Outbound) (int, error) {
	for i := range out {
		l.sender.Set(i, &out[i])
	}
	var n int
	var err error
	if l.stamps != nil {
		n, err = l.sendStamped(out)
	} else {
		n, err = l.sock.Send(l.sender, 0, len(out))
	}
	for i := range n {
		out[i].Sent = l.sender.Sent(i)
	}
	return n, err
}

// sendStamped sends one datagram at a time, and records each before the kernel gets
// it: on a loopback interface, the stamp and the reply arrive before the call returns.
func (l *link) sendStamped(out []sys.Outbound) (int, error) {
	for i := range out {
		if l.errQueue {
			if err := l.sock.ClearPending(); err != nil {
				return i, err
			}
		}
		now := l.now()
		if l.stamps.resume(now.Mono) {
			if err := l.sock.StampSends(true); err != nil {
				return i, err
			}
		}
		const sequenceOffset = 6 // RFC 792, RFC 4443 section 4.1
		l.stamps.send(binary.BigEndian.Uint16(out[i].Data[sequenceOffset:]), now)
		refused := l.sender.Refused
		n, err := l.sock.Send(l.sender, i, i+1)
		if l.sender.Refused != refused {
			l.stamps.refuse(n == 1)
			if off := l.sock.StampSends(false); err == nil {
				err = off
			}
		}
		if err != nil {
			return i + n, err
		}
	}
	return len(out), nil
}

// roundTrip returns the time between the kernel's stamps of a request and of the
// message about it, 0 if it is not known.
func (l *link) roundTrip(seq uint16, in *sys.Inbound) time.Duration {
	if l.stamps == nil || in.Stamp == 0 {
		return 0
	}
	return l.stamps.roundTrip(seq, in.Stamp, l.look.reading)
}
