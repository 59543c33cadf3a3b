package netsim

import (
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// mailbox is what simulated sockets of all kinds have in common: the packets on
// their way, the receive queue, who waits for them, and the clock.
type mailbox struct {
	net     *Network
	version icmp.Version
	mode    socket.Mode
	limit   int // packets that the queue has room for; 0: any number
	local   netip.Addr

	// passes tells whether the kernel gives a packet to this socket.
	passes func(*packet) bool

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
	empty   netio.ClockReading // when the queue was last seen empty
	memory  []byte             // of what was handed out last
	counted socket.Counters
}

// listen connects a mailbox with the network. The serial number tells it from
// all others. All packets to the client go to each of its sockets.
func (n *Network) listen(c *mailbox) (serial uint64) {
	now := time.Now()
	c.net = n
	c.receiving, c.wake, c.timer = make(chan struct{}, 1), make(chan struct{}, 1), time.NewTimer(time.Hour)
	c.timer.Stop()
	c.base, c.noised, c.empty = now, now, netio.ClockReading{Mono: now, Wall: now.UnixNano()}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin(now)
	n.listened++
	c.local = n.client[familyOf(c.version)]
	n.mailboxes = append(n.mailboxes, c)
	return n.listened
}

// familyOf is the index of a version's addresses: see family.
func familyOf(v icmp.Version) int {
	if v == icmp.V4 {
		return 0
	}
	return 1
}

// modeOf is the kind of socket that an option stands for.
func modeOf(datagram bool) socket.Mode {
	if datagram {
		return socket.Datagram
	}
	return socket.Raw
}

// distribute gives packets to all sockets.
func (n *Network) distribute(deliveries []Delivery) {
	if len(deliveries) == 0 {
		return
	}
	n.mu.Lock()
	mailboxes := slices.Clone(n.mailboxes)
	n.mu.Unlock()
	for _, c := range mailboxes {
		c.mu.Lock()
		c.expect(deliveries)
		c.signal()
		c.mu.Unlock()
	}
}

// Counters returns how many messages were not handed out, and why.
func (c *mailbox) Counters() socket.Counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.admit(time.Now())
	}
	return c.counted
}

// Backlog returns how much of the receive queue waits to be read, from 0 to 1.
func (c *mailbox) Backlog() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit == 0 {
		return 0
	}
	c.admit(time.Now())
	return float64(len(c.queue)) / float64(c.limit)
}

// Drained returns a time up to which everything that arrived has been handed
// out.
func (c *mailbox) Drained() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.empty.Mono
}

// SetReadDeadline ends the calls of ReceiveBatch at t, also one that is waiting
// now, with os.ErrDeadlineExceeded; the zero time means never.
func (c *mailbox) SetReadDeadline(t time.Time) error {
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
func (c *mailbox) Close() error {
	c.net.mu.Lock()
	c.net.mailboxes = slices.DeleteFunc(c.net.mailboxes, func(o *mailbox) bool { return o == c })
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

// signal wakes who waits.
func (c *mailbox) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *mailbox) opError(op string, to netip.Addr, err error) error {
	return &socket.OpError{Op: op, Mode: c.mode, Addr: to, V: c.version, Err: err}
}

// join gives a link-local address the zone that requests are sent into.
func (c *mailbox) join(a netip.Addr) netip.Addr {
	if a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()) {
		return a.WithZone(c.zone)
	}
	return a
}
