package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/sys"
)

// tcpLink makes a connection for each probe, which is the only way to send a SYN without
// privileges. Each connection is a socket, whose error queue has the ICMP errors; one
// epoll instance watches all of them.
type tcpLink struct {
	look
	cfg   linkConfig
	timer *sys.Timer // for connections without an answer

	mu      sync.Mutex
	closed  bool
	pending pending
	results [maxBatch]result // of the last look
	in      sys.Inbound      // only the receiver uses it
}

// result is the result of a connection.
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

// scan collects the results of the connections that are ready.
func (l *tcpLink) scan(ready, limit int) (n int, drained bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ready {
		if n == limit {
			return n, false, nil
		}
		key := l.events.Key(i)
		if key == timerKey {
			if n, err = l.expire(n, limit); err != nil {
				return n, false, err
			}
		} else if c := l.pending.get(key); c != nil {
			n += l.settle(c, n, false)
		}
	}
	return n, true, nil
}

// settle ends a connection that has a result or whose time is up. It returns 1 if it put
// a result into the place, and 0 otherwise.
func (l *tcpLink) settle(c *slot, place int, expired bool) int {
	outcome, over := c.stream.Over(l.receiver, place)
	if !over && !expired {
		return 0
	}
	l.results[place] = result{outcome, c.connection}
	l.pending.end(c)
	if outcome.Queued || outcome.Established || outcome.Refused {
		return 1
	}
	return 0
}

// expire ends the connections whose time is up, and sets the timer for the next one. If
// one of them had an answer in time that was not read yet, that is a result.
func (l *tcpLink) expire(n, limit int) (int, error) {
	if l.closed {
		return n, net.ErrClosed
	}
	now := time.Now()
	for n < limit && l.pending.isDue(now) {
		n += l.settle(&l.pending.slots[l.pending.oldest], n, true)
	}
	return n, l.timer.Set(l.pending.next(now))
}

func (l *tcpLink) receive(limit int) (int, error) { return l.look.receive(limit) }

// ports returns zeros, because the link holds no ports.
func (l *tcpLink) ports() (uint16, int) { return 0, 0 }

// drops returns 0: there is always room for the answer of a connection.
func (l *tcpLink) drops() uint64 { return 0 }

// hasInterface returns true: each connection is bound by the interface's name.
func (l *tcpLink) hasInterface(uint32) bool { return true }

func (l *tcpLink) backlog() float64 { return 0 }

func (l *tcpLink) receiveBuffer() (int, error) { return 0, errors.ErrUnsupported }

func (l *tcpLink) setReceiveBuffer(int) error { return errors.ErrUnsupported }

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

// connection describes a probe that is a socket.
type connection struct {
	to               netip.Addr
	toPort, fromPort uint16
	identity         uint32
	sent             time.Time
}

// slot is a place for a connection.
type slot struct {
	connection
	stream     sys.Stream
	expires    time.Time
	index      int32
	generation uint32 // distinguishes it from earlier connections in this place
	open       bool
	prev, next int32 // neighbors in the order of expiry; none at the ends
}

const none = -1

func (s *slot) key() uint64 { return uint64(s.generation)<<32 | uint64(uint32(s.index)) }

// pending holds the open connections in the order of their expiry, which is mostly the
// order in which they were made.
type pending struct {
	slots          []slot
	free           []int32
	oldest, newest int32
}

func (p *pending) init(n int) {
	p.slots, p.free = make([]slot, n), make([]int32, 0, n)
	p.oldest, p.newest = none, none
	for i := range p.slots {
		p.slots[i].index = int32(i)
		p.free = append(p.free, int32(n-1-i))
	}
}

// take returns a slot for a connection that expires at the given time, or nil if there is
// none left.
func (p *pending) take(expires time.Time) *slot {
	if len(p.free) == 0 {
		return nil
	}
	s := &p.slots[p.free[len(p.free)-1]]
	p.free = p.free[:len(p.free)-1]
	s.open, s.expires = true, expires
	s.generation++
	s.prev, s.next = p.newest, none
	for s.prev != none && p.slots[s.prev].expires.After(expires) {
		s.prev, s.next = p.slots[s.prev].prev, s.prev
	}
	if s.prev == none {
		p.oldest = s.index
	} else {
		p.slots[s.prev].next = s.index
	}
	if s.next == none {
		p.newest = s.index
	} else {
		p.slots[s.next].prev = s.index
	}
	return s
}

// giveBack takes a slot out of the list.
func (p *pending) giveBack(s *slot) {
	if s.prev == none {
		p.oldest = s.next
	} else {
		p.slots[s.prev].next = s.next
	}
	if s.next == none {
		p.newest = s.prev
	} else {
		p.slots[s.next].prev = s.prev
	}
	s.open = false
	p.free = append(p.free, s.index)
}

// end closes a slot's connection.
func (p *pending) end(s *slot) {
	_ = s.stream.Close()
	p.giveBack(s)
}

// get returns the connection with a key, or nil if it has ended.
func (p *pending) get(key uint64) *slot {
	s := &p.slots[uint32(key)]
	if !s.open || s.key() != key {
		return nil
	}
	return s
}

// isDue reports whether the time of a connection is up.
func (p *pending) isDue(now time.Time) bool {
	return p.oldest != none && !p.slots[p.oldest].expires.After(now)
}

// next returns the time until the next connection expires; 0 if there is none.
func (p *pending) next(now time.Time) time.Duration {
	if p.oldest == none {
		return 0
	}
	return max(1, p.slots[p.oldest].expires.Sub(now))
}

func (p *pending) endAll() {
	for p.oldest != none {
		p.end(&p.slots[p.oldest])
	}
}

// try opens and closes a socket, to find out whether the configuration works.
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
	timeout := p.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	now := time.Now()
	c := l.pending.take(now.Add(timeout))
	if c == nil {
		return os.NewSyscallError("socket", syscall.EAGAIN)
	}
	err := l.configure(&c.stream)
	if err != nil {
		l.pending.giveBack(c)
		return err
	}
	p.Time = time.Now()
	c.expires = p.Time.Add(timeout) // as the engine counts
	c.connection = connection{to: p.Destination.Unmap(), toPort: p.DestinationPort, identity: p.Identity, sent: p.Time}
	if c.fromPort, err = c.stream.Connect(l.poller, out, p.SourcePort, c.key()); err != nil {
		l.pending.end(c)
		return err
	}
	p.SourcePort = c.fromPort
	if l.pending.oldest == c.index {
		return l.timer.Set(timeout)
	}
	return nil
}

func (l *tcpLink) arrival(i int, a *Arrival) verdict {
	r := &l.results[i]
	a.Identity, a.Identified, a.Retransmitted = r.probe.identity, true, r.Again
	if r.Queued {
		return l.failure(i, a)
	}
	kind := RST
	if r.Established {
		kind = SYNACK
	}
	a.Segment = Segment{Kind: kind, SourcePort: r.probe.toPort, DestinationPort: r.probe.fromPort}
	a.Source = r.probe.to
	a.Time, a.Noticed = l.reading.Mono, true
	if r.RTT > 0 && !r.Again {
		// Segments have no stamp, but the kernel has measured the round-trip time.
		a.Queued = min(max(0, a.Time.Sub(r.probe.sent.Add(r.RTT))), l.reading.Mono.Sub(l.since.Mono))
		a.Time, a.Stamped, a.Noticed = a.Time.Add(-a.Queued), true, false
	}
	return keep
}

// failure decodes an ICMP error, with the TCP header that the kernel quotes.
func (l *tcpLink) failure(i int, a *Arrival) verdict {
	l.datagram(i, &l.in)
	netio.Describe(&a.Reply, &l.in, l.cfg.zones)
	quoted, ok := parseQueued(a, l.cfg.Version, &l.in, l.cfg.zones)
	if !ok {
		return ignore
	}
	probe := &l.results[i].probe
	if a.Quote.ParseTransport(icmp.TCP, quoted) != nil {
		a.Quote.Transport = quoted
	}
	a.Quote.SourcePort, a.Quote.DestinationPort = probe.fromPort, probe.toPort
	return keep
}
