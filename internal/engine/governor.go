package engine

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Thresholds of the receive buffer, as parts of it that are in use.
const (
	// maxBacklog is the part above which sending waits until messages are read:
	// the kernel drops messages for which there is no room, which would look like
	// a loss in the network.
	maxBacklog = 0.25

	// slowBacklog is the part above which sending slows.
	slowBacklog = 0.5

	// fullBacklog is the part above which the kernel may have dropped something
	// that it does not count: an entry of the error queue, which shares the buffer.
	fullBacklog = 0.95
)

// governor keeps sending as fast as this host can receive, and no faster: additive
// increase, multiplicative decrease (RFC 5681 section 3.1). There is no limit until the
// buffer fills. If the buffer is small, sending starts at the rate that it can hold while
// this process does not run for startWithin, and the rate doubles each round trip until
// the buffer fills.
//
// It is a state machine: callers pass the time as an argument.
type governor struct {
	rate    float64 // probes per second; 0: no limit
	step    float64 // growth of rate per second; 0: it doubles each doubleEvery or round trip
	tokens  float64
	filled  time.Duration
	slowed  time.Duration
	counted int // probes sent since the time since
	since   time.Duration
	actual  float64 // the recent rate of sending, in probes per second
}

const (
	// startWithin is how long the kernel may leave a process without a processor
	// while others are busy.
	startWithin = 10 * time.Millisecond

	// smallBuffer is the size below which a limit applies from the start, in messages
	// of leastMessage bytes, as the kernel counts small ones that come from a device.
	smallBuffer  = 1024
	leastMessage = 1280
	leastSize    = 768 // of a message of 64 bytes or fewer

	doubleEvery  = 50 * time.Millisecond
	regainWithin = 4 * time.Second // how long the steps take to make up for a decrease
	leastRate    = 1000.0
	noLimit      = 2e6
	countFor     = 10 * time.Millisecond
	burstFor     = time.Millisecond      // how much of the rate may leave at once
	debtFor      = 10 * time.Millisecond // how much of the rate single probes may borrow
)

// limits reports whether there is a limit.
func (g *governor) limits() bool { return g.rate > 0 }

// starts reports whether the limit doubles.
func (g *governor) starts() bool { return g.rate > 0 && g.step == 0 }

// begin sets the first limit for a receive buffer of the given size in bytes; 0: unknown.
func (g *governor) begin(buffer int) {
	if room := float64(buffer) / leastMessage; buffer > 0 && room < smallBuffer {
		g.rate = max(leastRate, room/startWithin.Seconds())
	}
}

// see takes a look at the buffer: the part of it in use, and whether messages were lost. A
// decrease takes effect only after the current round trips, so there is at most one in that
// time.
func (g *governor) see(backlog float64, lost bool, roundTrip, now time.Duration) {
	factor := 0.7
	switch {
	case lost:
		factor = 0.5
	case backlog < maxBacklog:
		return
	case backlog < slowBacklog:
		if g.starts() { // the answers in the buffer are to probes from a round trip ago
			g.rate = max(leastRate, g.rate/2)
			g.step = g.rate / regainWithin.Seconds()
		}
		return
	}
	if g.slowed != 0 && now-g.slowed < max(countFor, min(roundTrip, time.Second)) {
		return
	}
	before := g.actual
	if now-g.since > 0 {
		before = max(before, float64(g.counted)/max(now-g.since, countFor).Seconds())
	}
	if g.rate > 0 {
		before = min(before, g.rate)
	}
	g.rate = max(leastRate, before*factor)
	g.step = max(leastRate, before-g.rate) / regainWithin.Seconds()
	g.slowed = now
	g.tokens = min(g.tokens, 0)
}

// allow returns how many of n probes may leave now, given the round-trip time; 0 before
// the first answer. A single probe, as of a ping at its interval, may borrow tokens.
func (g *governor) allow(n int, roundTrip, now time.Duration) int {
	if g.rate == 0 {
		return n
	}
	passed := min(now-g.filled, doubleEvery)
	g.filled = now
	switch {
	case g.step > 0:
		g.rate += g.step * passed.Seconds()
	case roundTrip > 0: // otherwise the effect of the rate is not known yet
		g.rate *= math.Exp2(passed.Seconds() / max(doubleEvery, roundTrip).Seconds())
	}
	if g.rate > noLimit {
		g.rate, g.step, g.tokens = 0, 0, 0
		return n
	}
	g.tokens = min(g.tokens+g.rate*passed.Seconds(), max(sendTurn, g.rate*burstFor.Seconds()))
	if n == 1 && g.tokens > -g.rate*debtFor.Seconds() {
		return 1
	}
	return max(0, min(n, int(g.tokens)))
}

// sent counts probes that have left.
func (g *governor) sent(n int, now time.Duration) {
	if g.rate > 0 {
		g.tokens -= float64(n)
	}
	g.counted += n
	if passed := now - g.since; passed >= countFor {
		g.actual = float64(g.counted) / passed.Seconds()
		g.counted, g.since = 0, now
	}
}

// A Budget limits the total growth of the receive buffers of all sockets of a Prober beyond
// their first sizes. A nil Budget allows no growth.
type Budget struct {
	mu   sync.Mutex
	left int // bytes
}

// NewBudget returns a Budget of size bytes.
func NewBudget(size int) *Budget { return &Budget{left: size} }

// take takes size bytes, and reports whether so many were left.
func (b *Budget) take(size int) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if size > b.left {
		return false
	}
	b.left -= size
	return true
}

// give returns size bytes.
func (b *Budget) give(size int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += size
}

// receiveBuffer is the receive buffer of an engine's sockets.
type receiveBuffer struct {
	link elastic      // nil: the size cannot change
	size atomic.Int64 // as the kernel counts, twice the requested size (socket(7)); 0: unknown

	mu     sync.Mutex
	budget *Budget
	taken  int
	final  bool // the system grants no larger one
}

// init sets the fields, and returns the size of the buffer in bytes; 0: unknown.
func (b *receiveBuffer) init(l Link, budget *Budget) int {
	if b.link, _ = l.(elastic); b.link == nil {
		return 0
	}
	size, err := b.link.ReceiveBuffer()
	if err != nil {
		b.link = nil
		return 0
	}
	b.size.Store(int64(size))
	b.budget = budget
	return size
}

func (b *receiveBuffer) bytes() int { return int(b.size.Load()) }

// grow doubles the buffer, if the budget and the system allow it.
func (b *receiveBuffer) grow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := b.bytes()
	if b.link == nil || b.final || !b.budget.take(size) {
		return
	}
	err := b.link.SetReceiveBuffer(size)
	now, sizeErr := b.link.ReceiveBuffer()
	if err != nil || sizeErr != nil || now <= size {
		b.budget.give(size)
		b.final = true
		return
	}
	b.taken += size
	b.size.Store(int64(now))
}

// release gives the taken bytes back to the budget, when the sockets are closed.
func (b *receiveBuffer) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.budget.give(b.taken)
	b.taken = 0
}

// losses holds the periods in which the socket lost messages because its buffer was
// full. The kernel only counts them, so a period reaches from one look at the counter to
// the next.
type losses struct {
	drops  uint64
	looked time.Duration
	last   []lossWindow

	rtts  [64]time.Duration // of the last answers
	heard int
}

// lossWindow is one of these periods.
type lossWindow struct {
	from, to  time.Duration
	low, high time.Duration // range of the round trips shortly before
	left      int           // probes that may still become suspect; below 0: any number
}

const (
	// maxWindows is the largest number of separate periods.
	maxWindows = 64

	// suspectsPerLoss is the number of probes that become suspect for each lost
	// message, because it is not known which probe it was about.
	suspectsPerLoss = 2
)

// answered notes the round trip of an answer.
func (l *losses) answered(rtt time.Duration) {
	l.rtts[l.heard%len(l.rtts)] = rtt
	l.heard++
}

// longest returns the longest round trip of the last answers; 0 if there were none.
func (l *losses) longest() (high time.Duration) {
	for _, rtt := range l.rtts[:min(l.heard, len(l.rtts))] {
		high = max(high, rtt, 1)
	}
	return high
}

// roundTrips returns the shortest and the longest round trip to expect of an answer.
func (l *losses) roundTrips() (low, high time.Duration) {
	n := min(l.heard, len(l.rtts))
	if n == 0 {
		return 0, math.MaxInt64 / 2
	}
	low = l.rtts[0]
	for _, rtt := range l.rtts[:n] {
		low = min(low, rtt)
	}
	return low / 2, 2*l.longest() + time.Millisecond
}

// look takes a reading of the counter, and whether the buffer is full. It reports whether
// messages may have been lost since the last look.
func (l *losses) look(drops uint64, full bool, now time.Duration) bool {
	lost := drops > l.drops
	if lost || full {
		w := lossWindow{from: l.looked, to: now, left: -1}
		if !full {
			w.left = suspectsPerLoss * int(drops-l.drops)
		}
		w.low, w.high = l.roundTrips()
		l.keep(w)
	}
	l.drops, l.looked = max(l.drops, drops), now
	return lost || full
}

// keep adds a period. If there is no place for it, it joins the two oldest ones.
func (l *losses) keep(w lossWindow) {
	if len(l.last) == maxWindows {
		first, second := l.last[0], &l.last[1]
		second.from = first.from
		second.low, second.high = min(first.low, second.low), max(first.high, second.high)
		if second.left += first.left; first.left < 0 || second.left < first.left {
			second.left = -1
		}
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, w)
}

// nothing notes that no message was lost up to now: the buffer was nearly empty.
func (l *losses) nothing(now time.Duration) { l.looked = max(l.looked, now) }

// touches reports whether the answer to a silent probe may be among the lost messages: it
// would have come in such a period, in which suspects are left.
func (l *losses) touches(sent, deadline time.Duration) bool {
	for i := range l.last {
		w := &l.last[i]
		if w.left == 0 || sent+w.low > w.to || min(deadline, sent+w.high) < w.from {
			continue
		}
		if w.left > 0 {
			w.left--
		}
		return true
	}
	return false
}
