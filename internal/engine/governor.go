package engine

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// What a look at the receive buffer means, as parts of it that are in use.
const (
	// maxBacklog is how full it may be before sending waits for it to be read: what
	// has no room in it is lost, and would look like a loss of the network.
	maxBacklog = 0.25

	// slowBacklog is from when on sending slows.
	slowBacklog = 0.5

	// fullBacklog is from when on something may have been lost that the kernel does
	// not count: an entry of the error queue, which shares the buffer.
	fullBacklog = 0.95
)

// governor keeps sending as fast as this host can listen, and no faster: additive
// increase, multiplicative decrease (RFC 5681 section 3.1). Without trouble there is
// no limit. Where the buffer is small, sending begins at what it takes while this
// process does not run for a while (startWithin), and doubles in the time that answers
// take until there is trouble.
//
// It is a state machine: every moment is an argument.
type governor struct {
	rate    float64 // probes per second; 0: no limit
	step    float64 // by which that grows in a second; 0: it doubles, each doubleEvery or round trip
	tokens  float64
	filled  time.Duration
	slowed  time.Duration
	counted int // sent since
	since   time.Duration
	actual  float64 // what was sent per second of late
}

const (
	// startWithin is for how long the kernel may leave a process without a
	// processor while others are busy.
	startWithin = 10 * time.Millisecond

	// smallBuffer is below which a limit is begun with, in messages of leastMessage
	// bytes, as the kernel counts small ones that come from a device.
	smallBuffer  = 1024
	leastMessage = 1280
	leastSize    = 768 // of a message of 64 bytes or fewer

	doubleEvery  = 50 * time.Millisecond
	regainWithin = 4 * time.Second // by steps, what trouble took away
	leastRate    = 1000.0
	noLimit      = 2e6
	countFor     = 10 * time.Millisecond
	burstFor     = time.Millisecond      // that a limit lets pass together
	debtFor      = 10 * time.Millisecond // that single probes may borrow
)

// limits reports whether there is a limit.
func (g *governor) limits() bool { return g.rate > 0 }

// starts reports whether the limit doubles.
func (g *governor) starts() bool { return g.rate > 0 && g.step == 0 }

// begin sets a limit for a receive buffer of so many bytes; 0: it is not known.
func (g *governor) begin(buffer int) {
	if room := float64(buffer) / leastMessage; buffer > 0 && room < smallBuffer {
		g.rate = max(leastRate, room/startWithin.Seconds())
	}
}

// see takes a look at the buffer: how full it was, and whether something was lost.
// A decrease shows when the round trips under way are over, so that there is one in
// that time.
func (g *governor) see(backlog float64, lost bool, roundTrip, now time.Duration) {
	factor := 0.7
	switch {
	case lost:
		factor = 0.5
	case backlog < maxBacklog:
		return
	case backlog < slowBacklog:
		if g.starts() { // what shows of it now left a round trip ago
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

// allow returns how many of n probes may leave now, given how long answers take, 0
// before any came. One probe alone, as of a ping that keeps its time, may borrow what
// it needs.
func (g *governor) allow(n int, roundTrip, now time.Duration) int {
	if g.rate == 0 {
		return n
	}
	passed := min(now-g.filled, doubleEvery)
	g.filled = now
	switch {
	case g.step > 0:
		g.rate += g.step * passed.Seconds()
	case roundTrip > 0: // else nobody knows yet what comes of it
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

// A Budget bounds the receive buffers of all sockets of a Prober together, beyond
// what each has from the beginning. Nil is one of nothing.
type Budget struct {
	mu   sync.Mutex
	left int // bytes
}

// NewBudget returns a Budget of so many bytes.
func NewBudget(size int) *Budget { return &Budget{left: size} }

// take takes so many bytes out, and reports whether there were as many.
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

// give puts bytes back in.
func (b *Budget) give(size int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += size
}

// receiveBuffer is that of an engine's sockets.
type receiveBuffer struct {
	link elastic      // nil: it is as it is
	size atomic.Int64 // as the kernel counts: twice what was asked for (socket(7)); 0: not known

	mu     sync.Mutex
	budget *Budget
	taken  int
	final  bool // the system gives no more
}

// init returns the size.
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

// grow doubles it, if the budget and the system allow.
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

// release gives back to the budget what was taken, when the sockets are closed.
func (b *receiveBuffer) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.budget.give(b.taken)
	b.taken = 0
}

// losses are the stretches of time in which the socket lost messages for want of
// room. The kernel only counts them, so a stretch reaches from one look at the
// counter to the next.
type losses struct {
	drops  uint64
	looked time.Duration
	last   []lossWindow

	rtts  [64]time.Duration // of the last answers
	heard int
}

// lossWindow is one of these.
type lossWindow struct {
	from, to  time.Duration
	low, high time.Duration // round trips of what came shortly before
	left      int           // probes that may yet be suspected; below 0: any number
}

const (
	// maxWindows bounds the stretches that are kept apart.
	maxWindows = 64

	// suspectsPerLoss is how many probes are suspected for each message that was
	// lost: it is not known which one it was about.
	suspectsPerLoss = 2
)

// answered notes the round trip of an answer.
func (l *losses) answered(rtt time.Duration) {
	l.rtts[l.heard%len(l.rtts)] = rtt
	l.heard++
}

// longest returns how long of the last answers took the one that took longest; 0:
// there was none.
func (l *losses) longest() (high time.Duration) {
	for _, rtt := range l.rtts[:min(l.heard, len(l.rtts))] {
		high = max(high, rtt, 1)
	}
	return high
}

// roundTrips returns the least that an answer is expected to take, and the most.
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

// look takes a reading of the counter, and of whether the buffer is full. It reports
// whether something may have been lost since the look before.
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

// keep adds a stretch. What there is no place for is joined with the one behind it.
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

// nothing notes that nothing was lost up to a moment: the buffer was nearly empty.
func (l *losses) nothing(now time.Duration) { l.looked = max(l.looked, now) }

// touches reports whether the answer to a silent probe may be among what was lost:
// it would have come in such a stretch, and there is more lost than suspected.
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
