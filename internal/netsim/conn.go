package netsim

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/clock"
	"github.com/goicmp/icmplib/socket"
)

// Conn is a socket of the client: it does what *socket.ICMPv4 and
// *socket.ICMPv6 do, whose documentation is the contract, with the network in
// place of the kernel.
//
// It has no goroutine, and while it waits it is durably blocked in the sense of
// testing/synctest. Inside a bubble, [Network.Listen] has to be called there.
type Conn struct {
	net     *Network
	version icmp.Version
	opts    ConnOptions
	local   netip.Addr
	id      uint16

	receiving chan struct{} // holds one token, for whoever receives
	wake      chan struct{} // something changed for who waits
	timer     *time.Timer   // of who waits

	mu       sync.Mutex
	closed   bool
	stalled  bool
	deadline time.Time
	zone     string // of the last link-local destination
	ipID     uint16
	buf      []byte // of the packet that is sent
	failures int    // sends that are to fail
	failure  error

	base    time.Time     // where the simulated wall clock starts
	stepped time.Duration // how far it has been stepped since

	pending []Delivery // on their way, in order of time
	noised  time.Time  // noise up to here is pending
	queue   []arrived
	empty   clock.Reading // when the queue was last seen empty
	memory  []byte        // of the replies that were handed out last
	counted socket.Counters
}

// ConnOptions says what kind of socket is simulated. The zero value is a raw
// socket with room for any number of packets.
type ConnOptions struct {
	Datagram     bool   // unprivileged, as Linux has it
	QueueLimit   int    // packets that the receive queue has room for; 0: any number
	ID           uint16 // 0: one is chosen
	DontFragment bool   // requests have the DF bit (IPv4)
}

// Listen opens a socket of the client's. All packets to the client go to each
// of its sockets.
func (n *Network) Listen(version icmp.Version, opts ConnOptions) *Conn {
	now := time.Now()
	c := &Conn{
		net: n, version: version, opts: opts, id: opts.ID,
		receiving: make(chan struct{}, 1), wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour),
		base: now, noised: now, empty: clock.Reading{Mono: now, Wall: now.UnixNano()},
	}
	c.timer.Stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin(now)
	n.listened++
	if c.id == 0 {
		c.id = uint16(mix(n.listened)) | 1
	}
	c.local = n.client[familyOf(version)]
	n.conns = append(n.conns, c)
	return c
}

// familyOf is the index of a version's addresses: see family.
func familyOf(v icmp.Version) int {
	if v == icmp.V4 {
		return 0
	}
	return 1
}

// ID returns the id that all requests of this socket carry.
func (c *Conn) ID() uint16 { return c.id }

// Counters returns how many messages were not handed out, and why.
func (c *Conn) Counters() socket.Counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.admit(time.Now())
	}
	return c.counted
}

// Backlog returns how much of the receive queue waits to be read, from 0 to 1.
func (c *Conn) Backlog() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts.QueueLimit == 0 {
		return 0
	}
	c.admit(time.Now())
	return float64(len(c.queue)) / float64(c.opts.QueueLimit)
}

// Drained returns a time up to which everything that arrived has been handed
// out.
func (c *Conn) Drained() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.empty.Mono
}

// SetReadDeadline ends the calls of ReceiveBatch at t, also one that is waiting
// now, with os.ErrDeadlineExceeded; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("receive", netip.Addr{}, net.ErrClosed)
	}
	c.deadline = t
	c.signal()
	return nil
}

// Close closes the socket and ends the calls that are waiting. Later calls
// return net.ErrClosed.
func (c *Conn) Close() error {
	c.net.mu.Lock()
	c.net.conns = slices.DeleteFunc(c.net.conns, func(o *Conn) bool { return o == c })
	c.net.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("close", netip.Addr{}, net.ErrClosed)
	}
	c.closed = true
	c.pending, c.queue = nil, nil
	c.signal()
	return nil
}

// StepClock sets the wall clock forward by d, or back where d is negative.
// Packets that have arrived keep the time that they were stamped with.
func (c *Conn) StepClock(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.admit(time.Now())
	c.stepped += d
}

// wall is what the simulated wall clock shows at t.
func (c *Conn) wall(t time.Time) int64 {
	return c.base.UnixNano() + int64(t.Sub(c.base)+c.stepped)
}

func (c *Conn) reading(now time.Time) clock.Reading {
	return clock.Reading{Mono: now, Wall: c.wall(now)}
}

// signal wakes who waits.
func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Conn) opError(op string, to netip.Addr, err error) error {
	mode := socket.Raw
	if c.opts.Datagram {
		mode = socket.Datagram
	}
	return &socket.OpError{Op: op, Mode: mode, Addr: to, V: c.version, Err: err}
}
