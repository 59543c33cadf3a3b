package engine

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// What random events can do to a core, with what is expected of it kept apart.
type chaos struct {
	*bench
	t      *testing.T
	rng    *rand.Rand
	live   []uint16 // in flight, by our own account
	fates  map[uint64]Fate
	nextID uint64

	drops    uint64 // that the socket has counted
	suspects int
}

// TestRandomEventsKeepTheBooks drives a core through random events and checks
// after each that nothing is credited twice, that the counters add up and that
// the queues hold exactly what is in flight.
func TestRandomEventsKeepTheBooks(t *testing.T) {
	events := 400_000
	if testing.Short() {
		events = 20_000
	}
	for seed := range uint64(5) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			c := &chaos{bench: newBench(t, OpConfig{Size: 56}), t: t, rng: rand.New(rand.NewPCG(seed, 1)), fates: map[uint64]Fate{}}
			for i := range events {
				c.event()
				c.collect()
				c.check(i%997 == 0)
			}
		})
	}
}

func (c *chaos) event() {
	c.now += time.Duration(c.rng.IntN(int(3 * time.Millisecond)))
	switch p := c.rng.IntN(100); {
	case p < 45:
		c.send()
	case p < 80 && len(c.live) > 0:
		c.answer(c.live[c.rng.IntN(len(c.live))])
	case p < 85:
		c.answer(uint16(c.rng.Uint32())) // whatever was sent with it once
	case p < 90:
		c.core.expire(c.now - time.Duration(c.rng.Int64N(int64(time.Second))))
	case p < 92:
		c.restart()
	case p < 93:
		c.now += time.Duration(c.rng.Int64N(int64(5 * time.Second)))
	case p < 94:
		c.drop()
	default:
		c.refuse()
	}
}

// drop is a look at the socket, which may have lost something.
func (c *chaos) drop() {
	lost := uint64(c.rng.IntN(3) / 2 * c.rng.IntN(5))
	c.drops += lost
	if got := c.core.loss.look(c.drops, false, c.now); got != (lost > 0) {
		c.t.Fatalf("%d are lost, and the look says %v", lost, got)
	}
	c.core.loss.nothing(c.now)
}

func (c *chaos) send() {
	c.op.cfg.Timeout = time.Duration(1+c.rng.IntN(4)) * 500 * time.Millisecond
	c.nextID++
	seq := c.depart(c.randomTarget(), c.nextID)
	c.live = append(c.live, seq)
	for range c.rng.IntN(4) / 2 {
		c.answer(seq) // before the call returns
		c.collect()
	}
	c.now += time.Duration(c.rng.IntN(int(time.Millisecond)))
	c.core.commit(seq, c.now)
}

// refuse is a probe that the kernel does not take.
func (c *chaos) refuse() {
	before := c.core.counters
	seq := c.depart(target, 0)
	for range c.rng.IntN(3) {
		c.core.receive(c.exceeded(seq), c.now) // that of a local firewall
	}
	c.core.expire(c.now + time.Hour*time.Duration(c.rng.IntN(2)))
	c.core.abort(seq)
	before.Silent = c.core.counters.Silent // of others
	if c.core.counters != before {
		c.t.Fatalf("a refused probe was counted: %+v, before %+v", c.core.counters, before)
	}
}

func (c *chaos) randomTarget() netip.Addr {
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(c.rng.IntN(4))})
}

// answer lets something arrive about a probe, true or not.
func (c *chaos) answer(seq uint16) {
	if c.core.table.lookup(seq) == nil {
		return
	}
	var r *icmp.Reply
	if c.rng.IntN(3) > 0 {
		r = c.reply(seq)
	} else {
		r = c.exceeded(seq)
	}
	switch c.rng.IntN(8) {
	case 0:
		r.Source = netip.MustParseAddr("203.0.113.9")
	case 1:
		r.Sequence ^= uint16(c.rng.Uint32())
	case 2:
		r.ID++
	}
	c.core.receive(r, c.now-time.Duration(c.rng.IntN(int(time.Millisecond))))
}

// restart ends the operation and begins another.
func (c *chaos) restart() {
	c.collect()
	c.core.ops.remove(c.ref)
	c.op = c.newOp(OpConfig{Size: 56})
	for tag := range c.fates {
		delete(c.fates, tag)
	}
}

// collect takes the outcomes and holds them against what each probe has met.
func (c *chaos) collect() {
	for _, o := range c.op.outcomes {
		before, settled := c.fates[o.Tag]
		if o.Suspect {
			c.suspects++
		}
		switch {
		case o.Suspect && o.Fate != Silent, uint64(c.suspects) > suspectsPerLoss*c.drops:
			c.t.Fatalf("probe %d is suspect and %v: the %d. for %d losses", o.Tag, o.Fate, c.suspects, c.drops)
		case o.Fate.Settles() && settled:
			c.t.Fatalf("probe %d is %v, but was %v before", o.Tag, o.Fate, before)
		case o.Fate == Corrected && before != Failed && before != Late:
			c.t.Fatalf("probe %d is corrected, but was %v before", o.Tag, before)
		case o.Fate == Late && (!settled || before != Silent):
			c.t.Fatalf("probe %d is late, but was %v before", o.Tag, before)
		case o.Fate == Duplicate && !settled:
			c.t.Fatalf("probe %d has a duplicate, but had no answer", o.Tag)
		case o.RTT < 0:
			c.t.Fatalf("probe %d has a round-trip time of %v", o.Tag, o.RTT)
		case o.Fate.Settles() || o.Fate == Late || o.Fate == Corrected:
			c.fates[o.Tag] = o.Fate
		}
	}
	c.op.outcomes = c.op.outcomes[:0]
}

// check holds the core against its invariants; deeply, against every slot.
func (c *chaos) check(deep bool) {
	k := c.core.counters
	if k.PacketsSent != k.PacketsReceived+k.ICMPErrors+k.Silent+uint64(c.core.table.inFlight) {
		c.t.Fatalf("the books do not balance: %+v with %d in flight", k, c.core.table.inFlight)
	}
	if k.Late > k.Silent {
		c.t.Fatalf("more late answers than silent probes: %+v", k)
	}
	live := c.live[:0]
	for _, seq := range c.live {
		if s := c.core.table.lookup(seq); s != nil && s.state == inFlight {
			live = append(live, seq)
		}
	}
	c.live = live
	if deep {
		c.checkSlots()
	}
}

func (c *chaos) checkSlots() {
	flying, queued := 0, 0
	for i, p := range c.core.table.pages {
		if p == nil {
			continue
		}
		inPage := 0
		for j := range p.slots {
			if p.slots[j].state == inFlight {
				inPage++
			}
		}
		if inPage != p.inFlight {
			c.t.Fatalf("page %d counts %d in flight, and has %d", i, p.inFlight, inPage)
		}
		flying += inPage
	}
	for i := range c.core.table.queues {
		queued += c.checkQueue(&c.core.table.queues[i])
	}
	if flying != c.core.table.inFlight || queued != flying {
		c.t.Fatalf("%d slots in flight, %d queued, %d counted", flying, queued, c.core.table.inFlight)
	}
}

// checkQueue walks a queue both ways.
func (c *chaos) checkQueue(q *queue) int {
	if q.len == 0 {
		return 0
	}
	seq, last := q.head, time.Duration(0)
	for i := range q.len {
		s := c.core.table.slot(seq)
		if s.state != inFlight || s.deadline < last || s.deadline != s.sent+q.timeout {
			c.t.Fatalf("slot %d in a queue is %+v, after a deadline of %v", seq, s, last)
		}
		last = s.deadline
		if i == q.len-1 {
			break
		}
		if c.core.table.slot(s.next).prev != seq {
			c.t.Fatalf("slot %d is not the one before slot %d", seq, s.next)
		}
		seq = s.next
	}
	if seq != q.tail {
		c.t.Fatalf("the queue ends at %d, not at its tail %d", seq, q.tail)
	}
	return q.len
}

func TestTheSequenceWrapsPastWhatIsInFlight(t *testing.T) {
	b := newBench(t, OpConfig{Size: 8})
	first := b.launch(target, 1)
	for range 3 * sequences {
		seq := b.launch(target, 2)
		if seq == first {
			t.Fatal("a sequence number in flight was used again")
		}
		b.receive(b.reply(seq))
	}
	checkFates(t, b.receive(b.reply(first)), []Fate{Replied})
}

func TestTheTableIsFullWhenAllIsInFlight(t *testing.T) {
	b := newBench(t, OpConfig{Size: 8})
	for range sequences - 1 {
		b.launch(target, 0)
	}
	if _, _, ok := b.core.launch(b.op, b.ref, &Probe{Dst: target, TTL: 64}, b.now); ok {
		t.Fatal("a sequence number was used twice")
	}
	b.receive(b.reply(1234))
	if seq := b.launch(target, 0); seq != 1234 {
		t.Errorf("sequence number %d was taken, 1234 is the only free one", seq)
	}
}

func TestTheTableShrinksWhenItsProbesAreOld(t *testing.T) {
	b := newBench(t, OpConfig{Size: 8})
	for range 10*pageSize - 1 {
		b.launch(target, 0)
	}
	pages := func() (n int) {
		for _, p := range b.core.table.pages {
			if p != nil {
				n++
			}
		}
		return n
	}
	if pages() != 10 {
		t.Fatalf("%d pages are in use, want 10", pages())
	}
	b.core.expire(b.now + testTimeout)
	if pages() != 10 {
		t.Errorf("%d pages are left just after the deadline, want 10: replies may be late", pages())
	}
	b.core.expire(b.now + linger + time.Second)
	if pages() != 0 {
		t.Errorf("%d pages are left, want none", pages())
	}
}

// What a look at the deadlines costs does not grow with what is in flight: each probe is
// looked at once when it is overdue, and so is the first that is not.
func TestDeadlinesAreLookedAtInLinearTime(t *testing.T) {
	const probes = 40_000
	b := newBench(t, OpConfig{Size: 8})
	for range probes {
		b.now += 25 * time.Microsecond
		b.launch(target, 0)
	}
	if b.core.table.inFlight != probes {
		t.Fatalf("%d are in flight", b.core.table.inFlight)
	}
	looks, looked, settled := 0, 0, 0
	for b.now += testTimeout - time.Second; b.core.table.inFlight > 0; b.now += time.Millisecond {
		looks++
		b.core.table.overdue(b.now, func(uint16) bool { looked++; return false },
			func(seq uint16, s *slot) { settled++; b.core.silence(seq, s) })
	}
	if settled != probes || looked > probes || looks < 900 {
		t.Errorf("%d looks at %d probes settled %d", looks, looked, settled)
	}
}
