package transport

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/permission"
	"github.com/goicmp/icmplib/socket"
)

// Conn sends probes of one protocol over one IP version, and receives the answers.
// Several goroutines may call its methods at once.
type Conn struct {
	cfg    Config
	link   link
	zones  netio.Zones
	device uint32 // see linkConfig

	sendMu    sync.Mutex
	receiving netio.ContextMutex
	deadline  netio.Deadline

	malformed, foreign atomic.Uint64
}

// Version returns the IP version of the probes.
func (c *Conn) Version() icmp.Version { return c.cfg.Version }

// Protocol returns the protocol of the probes.
func (c *Conn) Protocol() icmp.Protocol { return c.cfg.Protocol }

// Mode returns the kind of the open sockets: Datagram or Raw.
func (c *Conn) Mode() socket.Mode { return c.cfg.Mode }

// Ports returns the first source port and their number; 0 and 0 if the Conn holds none.
func (c *Conn) Ports() (first uint16, n int) { return c.link.ports() }

// SendBatch sends probes in order with as few system calls as the system allows, and sets
// Time and, if it is 0, SourcePort in each. It returns how many it sent and, if not all, the
// error of the next one. It never waits: see [socket.IsBusy], and [socket.ErrInterfaceGone].
//
// Errors are an [*icmp.FieldError] for a probe that this Conn cannot send, and otherwise a
// [*socket.OpError].
func (c *Conn) SendBatch(probes []Probe) (int, error) {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	for done := 0; done < len(probes); {
		n, err := c.link.send(probes[done:])
		done += n
		if err != nil {
			return done, c.sendError(probes[done].Destination, err)
		}
	}
	return len(probes), nil
}

func (c *Conn) sendError(to netip.Addr, err error) error {
	var field *icmp.FieldError
	if errors.As(err, &field) {
		return err
	}
	if !socket.IsBusy(err) {
		err = c.lookAround(to, denySend(err))
	}
	return c.opError("send", to, err)
}

// denySend explains that the system did not let a packet out, whatever the privileges.
func denySend(err error) error {
	obstacle, cure, denied := permission.Send(err)
	if !denied {
		return err
	}
	return &socket.PermissionError{Obstacle: obstacle, Cure: cure, Err: err}
}

// lookAround checks, after a failed send, whether interfaces have changed.
func (c *Conn) lookAround(to netip.Addr, err error) error {
	if to.Zone() != "" {
		c.zones.Forget()
	}
	if c.device != 0 && !c.link.hasInterface(c.device) {
		return fmt.Errorf("%w: %w", socket.ErrInterfaceGone, err)
	}
	return err
}

func (c *Conn) opError(op string, addr netip.Addr, err error) error {
	return &socket.OpError{Op: op, Mode: c.cfg.Mode, Addr: addr, V: c.cfg.Version, Err: err}
}

// ReceiveBatch waits for at least one arrival and reads all that are there, up to the length
// of arrivals and at most 64. It returns how many it read. Their slices share memory with
// the sockets, and are valid until the next call. It returns the context's cause as soon as
// ctx ends, and an error with [net.ErrClosed] as soon as the Conn is closed.
func (c *Conn) ReceiveBatch(ctx context.Context, arrivals []Arrival) (int, error) {
	if len(arrivals) == 0 {
		return 0, nil
	}
	if err := c.receiving.Lock(ctx); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if ctx.Done() != nil {
		defer c.deadline.InterruptAt(ctx)()
	}
	return c.read(ctx, arrivals)
}

// read waits until there is at least one arrival to hand out.
func (c *Conn) read(ctx context.Context, arrivals []Arrival) (int, error) {
	for {
		n, err := c.link.receive(min(len(arrivals), maxBatch))
		if err != nil {
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			return 0, c.opError("receive", netip.Addr{}, err)
		}
		if kept := c.keep(n, arrivals); kept > 0 {
			return kept, nil
		}
	}
}

// keep decodes the n entries of the last look, and returns how many of them to hand out.
func (c *Conn) keep(n int, arrivals []Arrival) (kept int) {
	for i := range n {
		a := &arrivals[kept]
		*a = Arrival{Protocol: c.cfg.Protocol}
		switch c.link.arrival(i, a) {
		case keep:
			kept++
		case malformed:
			c.malformed.Add(1)
		case foreign:
			c.foreign.Add(1)
		}
	}
	return kept
}

// ReceiveNow is ReceiveBatch without waiting: it returns 0 if nothing has arrived.
func (c *Conn) ReceiveNow(arrivals []Arrival) (int, error) {
	if err := c.receiving.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	for len(arrivals) > 0 {
		n, err := c.link.receiveNow(min(len(arrivals), maxBatch))
		if err != nil {
			return 0, c.opError("receive", netip.Addr{}, err)
		}
		if n == 0 {
			break
		}
		if kept := c.keep(n, arrivals); kept > 0 {
			return kept, nil
		}
	}
	return 0, nil
}

// Watch sets whether arrivals wake ReceiveBatch, as they do by default: see
// [socket.ICMPv4.Watch].
func (c *Conn) Watch(on bool) error { return c.link.watch(on) }

// SetReadDeadline ends calls of ReceiveBatch at t with os.ErrDeadlineExceeded, including
// calls that are already waiting; the zero time means never. The calls still read packets
// that arrived before t.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.deadline.Set(t) }

// Drained returns a time up to which the Conn has handed out all packets that arrived, as
// [socket.ICMPv4.Drained] does.
func (c *Conn) Drained() time.Time { return c.link.drained() }

// Backlog returns the part of the kernel's receive buffer that unread packets fill, from 0
// to 1, for the socket with the largest part.
func (c *Conn) Backlog() float64 { return c.link.backlog() }

// ReceiveBuffer returns the total size of the kernel's receive buffers of all sockets in
// bytes, as [socket.ICMPv4.ReceiveBuffer] does.
func (c *Conn) ReceiveBuffer() (int, error) { return c.link.receiveBuffer() }

// SetReceiveBuffer requests receive buffers with a total size in bytes.
func (c *Conn) SetReceiveBuffer(size int) error { return c.link.setReceiveBuffer(size) }

// Counters returns how many packets the Conn did not hand out, and why.
func (c *Conn) Counters() socket.Counters {
	return socket.Counters{Dropped: c.link.drops(), Malformed: c.malformed.Load(), Foreign: c.foreign.Load()}
}

// Close closes all sockets and ends the calls that are waiting. Later calls
// return net.ErrClosed.
func (c *Conn) Close() error { return c.link.close() }

// link is the system's part of a Conn: one implementation for each mode and kind of
// protocol.
type link interface {
	// send sends the first probes, as many as it sends at once. It returns how many
	// the kernel took and, if it is already known, the error of the next one.
	send(probes []Probe) (int, error)

	// receive waits for up to limit arrivals, and arrival decodes the i-th.
	receive(limit int) (int, error)
	arrival(i int, a *Arrival) verdict
	// receiveNow is receive without waiting, and watch sets whether arrivals end a
	// wait.
	receiveNow(limit int) (int, error)
	watch(on bool) error

	setReadDeadline(t time.Time) error
	drained() time.Time
	drops() uint64
	backlog() float64
	// receiveBuffer returns the total size of all receive buffers, as the kernel
	// counts, and setReceiveBuffer requests another total size.
	receiveBuffer() (int, error)
	setReceiveBuffer(size int) error
	ports() (first uint16, n int)

	// hasInterface reports whether an interface with the index exists in the network
	// namespace of the sockets.
	hasInterface(index uint32) bool
	close() error
}

// verdict is what to do with an arrival.
type verdict uint8

const (
	keep verdict = iota
	ignore
	malformed
	foreign
)

// linkConfig is a complete Config with the values derived from it.
type linkConfig struct {
	Config
	zone   uint32 // of Source
	device uint32 // the index of the interface that the sockets are bound to; 0: none
	zones  *netio.Zones

	labels error // why flow labels cannot be sent; nil if they can
}

// maxBatch is the largest number of packets per system call.
const maxBatch = 64
