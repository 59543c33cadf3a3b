package engine

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// flow sends through a governor in simulated time.
type flow struct {
	governor
	now       time.Duration
	roundTrip time.Duration
}

// send asks for batches all the time for so long, and returns how many left.
func (f *flow) send(batch int, long time.Duration) (sent int) {
	for end := f.now + long; f.now < end; f.now += 100 * time.Microsecond {
		n := f.allow(batch, f.roundTrip, f.now)
		f.sent(n, f.now)
		sent += n
	}
	return sent
}

const ask = 16 // in each 100 µs: 160,000/s

func TestWithoutTroubleThereIsNoLimit(t *testing.T) {
	for _, buffer := range []int{0, smallBuffer * leastMessage, 16 << 20} {
		var f flow
		f.begin(buffer)
		if got := f.send(ask, time.Second); got != 10_000*ask {
			t.Errorf("with a buffer of %d bytes %d leave in a second, want all %d", buffer, got, 10_000*ask)
		}
	}
}

func TestASmallBufferBeginsWithWhatItHoldsAndDoubles(t *testing.T) {
	var f flow
	f.begin(400 * leastMessage)
	if f.rate != 40_000 {
		t.Fatalf("it begins with %v/s", f.rate)
	}
	f.send(ask, time.Second)
	if f.rate != 40_000 {
		t.Errorf("it is %v/s before any answer", f.rate)
	}
	f.roundTrip = 1
	first := f.send(ask, doubleEvery)
	if first < 40_000/20 || first > 80_000/20 {
		t.Errorf("%d leave in the first %v", first, doubleEvery)
	}
	if second := f.send(ask, doubleEvery); second < first*3/2 || second > first*5/2 {
		t.Errorf("%d leave after %d", second, first)
	}
	f.send(ask, time.Second)
	if f.rate != 0 {
		t.Errorf("there is a limit of %v/s after a second without trouble", f.rate)
	}
	f = flow{}
	f.begin(400 * leastMessage)
	f.allow(ask, 1, 0)
	f.roundTrip = 200 * time.Millisecond
	if f.send(ask, f.roundTrip); f.rate < 79_000 || f.rate > 81_000 {
		t.Errorf("it is %v/s after a long round trip", f.rate)
	}
	f.begin(1)
	if f.rate != leastRate {
		t.Errorf("a buffer of nothing begins with %v/s", f.rate)
	}
}

func TestTroubleSlowsByItsKindOnceInARoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name    string
		backlog float64
		lost    bool
		want    float64 // of what was sent
	}{
		{"a buffer that is nearly empty", 0.1, false, 1},
		{"one that is just not half full", slowBacklog - 0.01, false, 1},
		{"one that is half full", slowBacklog, false, 0.7},
		{"a loss", 0, true, 0.5},
		{"a loss from a full buffer", 1, true, 0.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f flow
			free := f.send(ask, time.Second)
			for range 3 { // of one round trip
				f.see(tt.backlog, tt.lost, 100*time.Millisecond, f.now)
				f.now += 20 * time.Millisecond
			}
			if got := float64(f.send(ask, 100*time.Millisecond)) * 10 / float64(free); got < tt.want*0.97 || got > tt.want*1.1 {
				t.Errorf("%.2f of it leaves, want %v", got, tt.want)
			}
			f.see(tt.backlog, tt.lost, 100*time.Millisecond, f.now)
			if got := float64(f.send(ask, 100*time.Millisecond)) * 10 / float64(free); got < tt.want*tt.want*0.97 || got > tt.want*tt.want*1.15 {
				t.Errorf("after more of it %.2f leaves", got)
			}
		})
	}
}

func TestWhatTroubleTookAwayIsRegainedBySteps(t *testing.T) {
	var f flow
	f.send(ask, time.Second)
	f.see(0, true, 0, f.now)
	first := f.send(ask, time.Second)
	second := f.send(ask, time.Second)
	third := f.send(ask, time.Second)
	if a, b := second-first, third-second; a < 15_000 || a > 25_000 || b < a*9/10 || b > a*11/10 {
		t.Errorf("%d, %d and %d leave: the steps are not one eighth each", first, second, third)
	}
	if f.send(ask, 2*regainWithin); f.send(ask, time.Second) < 10_000*ask*99/100 {
		t.Error("it is not regained")
	}
}

func TestTheStartEndsWhereABufferFills(t *testing.T) {
	var f flow
	f.begin(400 * leastMessage)
	f.allow(ask, 1, 0)
	f.see(maxBacklog-0.01, false, 0, 0)
	if !f.starts() {
		t.Fatal("it ends with a buffer that is nearly empty")
	}
	if f.see(maxBacklog, false, 0, 0); f.starts() || f.rate != 20_000 || f.step != 5_000 {
		t.Errorf("it goes on with %v/s, by %v/s each second", f.rate, f.step)
	}
	if f.see(maxBacklog, false, 0, 0); f.rate != 20_000 {
		t.Errorf("it slows again, to %v/s", f.rate)
	}
}

func TestTheLeastRateIsKept(t *testing.T) {
	var f flow
	f.send(ask, 100*time.Millisecond)
	for range 40 {
		f.see(1, true, 0, f.now)
		f.now += time.Second
	}
	if got := f.send(ask, time.Second); got < leastRate || got > 2*leastRate {
		t.Errorf("%d leave in a second", got)
	}
}

func TestAFreshLimitPaysForNoPause(t *testing.T) {
	f := flow{governor: governor{rate: 100_000, step: 1}}
	f.now = time.Hour
	if n := f.allow(1000, f.roundTrip, f.now); n > 100 {
		t.Errorf("%d leave together after a pause", n)
	}
	f.sent(100, f.now)
	if n := f.allow(1000, f.roundTrip, f.now); n != 0 {
		t.Errorf("%d more leave at once", n)
	}
}

func TestASingleProbeBorrowsItsPlace(t *testing.T) {
	f := flow{governor: governor{rate: 10_000, step: 1}}
	singles := 0
	for range 1000 {
		n := f.allow(1, f.roundTrip, f.now)
		f.sent(n, f.now)
		singles += n
	}
	if most := int(10_000 * debtFor.Seconds()); singles < most || singles > most+1 {
		t.Errorf("%d singles leave at once, want %d", singles, most)
	}
	if n := f.allow(2, f.roundTrip, f.now); n != 0 {
		t.Errorf("%d of two leave on credit", n)
	}
}

// A buffer of 160 messages, answers that take 200 ms, and a process that the system keeps
// from running now and then, at random: what is on its way then arrives nevertheless, and
// what has no room is lost. That ends soon, for sending slows to what such pauses leave room for.
func TestPausesOfTheProcessSlowSending(t *testing.T) {
	const probes = 30_000
	for _, tt := range []struct {
		pause, every time.Duration // on average
		most         int           // that are lost
	}{
		{0, time.Second, 0},
		{5 * time.Millisecond, 50 * time.Millisecond, 0},
		{10 * time.Millisecond, 200 * time.Millisecond, probes / 100},
		{20 * time.Millisecond, 50 * time.Millisecond, probes / 50},
		{50 * time.Millisecond, 50 * time.Millisecond, probes / 10},
		{100 * time.Millisecond, 200 * time.Millisecond, probes / 5},
	} {
		if lost := paused(tt.pause, tt.every, probes); lost > tt.most {
			t.Errorf("with pauses of %v every %v, %d of %d are lost, more than %d", tt.pause, tt.every, lost, probes, tt.most)
		}
	}
}

// paused sends probes as fast as a governor lets a process that pauses, and returns how
// many answers had no room.
func paused(pause, every time.Duration, probes int) (lost int) {
	const room, roundTrip, step = 160, 200 * time.Millisecond, 100 * time.Microsecond
	var g governor
	g.begin(room * leastMessage)
	draw := rand.New(rand.NewPCG(1, 2))
	from, to := every, every
	coming := map[time.Duration]int{} // by the moment
	sent, waiting, read := 0, 0, 0
	known, overflown := time.Duration(0), false
	for now := time.Duration(0); read+lost < probes && now < time.Hour; now += step {
		waiting += coming[now]
		delete(coming, now)
		if over := waiting - room; over > 0 {
			waiting, lost, overflown = room, lost+over, true
		}
		if now >= to {
			from = now + time.Duration(draw.ExpFloat64()*float64(every))
			to = from + time.Duration(draw.ExpFloat64()*float64(pause))
		}
		if now >= from && now < to {
			continue
		}
		if waiting > 0 {
			known = roundTrip
			g.see(float64(waiting)/room, overflown, known, now)
			read, waiting, overflown = read+waiting, 0, false
		}
		if n := g.allow(min(sendTurn, probes-sent), known, now); n > 0 {
			g.sent(n, now)
			sent += n
			coming[now+roundTrip] += n
		}
	}
	return lost
}

func TestStretchesOfLoss(t *testing.T) {
	const ms = time.Millisecond
	var l losses
	if l.look(0, false, 10*ms) || l.touches(0, time.Hour) {
		t.Error("nothing was lost, and something is said to be")
	}
	for range 3 {
		l.answered(20 * ms)
		l.answered(30 * ms)
	}
	l.nothing(100 * ms)
	l.nothing(50 * ms) // an older notice
	if !l.look(3, false, 110*ms) {
		t.Error("a loss goes unnoticed")
	}
	for _, tt := range []struct {
		name           string
		sent, deadline time.Duration
		want           bool
	}{
		{"its answer would have come before", 30 * ms, 1030 * ms, false},
		{"as late as answers come", 100*ms - 61*ms, 1100 * ms, true},
		{"a little later still", 100*ms - 61*ms - 1, 1100 * ms, false},
		{"as early as answers come", 100 * ms, 1100 * ms, true},
		{"too late for any", 100*ms + 1, 1100 * ms, false},
		{"its time was over", 40 * ms, 100*ms - 1, false},
		{"its time was just not over", 40 * ms, 100 * ms, true},
		{"in the middle", 80 * ms, 1080 * ms, true},
	} {
		if got := l.touches(tt.sent, tt.deadline); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	for range 2 {
		l.touches(80*ms, 1080*ms)
	}
	if l.touches(80*ms, 1080*ms) {
		t.Error("more than twice as many are suspected as were lost")
	}
	if l.look(3, false, 120*ms) || l.look(2, false, 130*ms) {
		t.Error("a count that does not grow is a loss")
	}
}

func TestWhatIsNotCountedIsSuspectedWithoutBound(t *testing.T) {
	var l losses
	l.look(0, true, time.Second)
	for range 1000 {
		if !l.touches(0, time.Hour) {
			t.Fatal("a probe is not suspected")
		}
	}
}

func TestOldStretchesAreJoined(t *testing.T) {
	var l losses
	for i := range 3 * maxWindows {
		l.nothing(time.Duration(i)*time.Second - time.Millisecond)
		l.look(uint64(i+1), false, time.Duration(i)*time.Second)
	}
	if len(l.last) != maxWindows {
		t.Fatalf("%d are kept", len(l.last))
	}
	if w := l.last[0]; w.left != suspectsPerLoss*(2*maxWindows+1) || w.from > 0 || w.to != 2*maxWindows*time.Second {
		t.Errorf("the first is %+v", w)
	}
	l.last[1].left = -1
	l.look(1<<20, false, time.Hour)
	if l.last[0].left >= 0 {
		t.Errorf("an unbounded one became bounded: %+v", l.last[0])
	}
}

// stretchy is a scripted socket with a receive buffer.
type stretchy struct {
	*drivable
	size, most int // bytes, as the system counts
	err        error
	backlog    float64
	dropped    uint64
	mode       socket.Mode
}

func (s *stretchy) ReceiveBuffer() (int, error) { return s.size, s.err }
func (s *stretchy) Mode() socket.Mode           { return s.mode }

func (s *stretchy) Backlog() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backlog
}

func (s *stretchy) Counters() socket.Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return socket.Counters{Dropped: s.dropped}
}

// fill has the buffer be so full, and so many messages be lost.
func (s *stretchy) fill(backlog float64, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog, s.dropped = backlog, dropped
}

func (s *stretchy) SetReceiveBuffer(size int) error {
	s.size = min(2*size, s.most)
	return nil
}

func TestReceiveBuffersGrowWithinOneBudget(t *testing.T) {
	if all := NewBudget(7); !all.take(7) || all.take(1) {
		t.Error("it is not what it holds that can be had")
	}
	budget := NewBudget(10)
	first, second := &stretchy{size: 2, most: 100}, &stretchy{size: 2, most: 3}
	var a, b receiveBuffer
	if n := a.init(first, budget); n != 2 || a.bytes() != 2 {
		t.Fatal(n)
	}
	b.init(second, budget)
	a.grow()
	a.grow() // 2 and 4 of the budget
	b.grow()
	b.grow() // the system gives one byte, and then no more
	if first.size != 8 || a.bytes() != 8 || second.size != 3 || b.bytes() != 3 {
		t.Errorf("they are %d and %d", first.size, second.size)
	}
	a.grow() // 8 more are not there
	if first.size != 8 {
		t.Errorf("it grew to %d, beyond the budget", first.size)
	}
	a.release()
	b.release()
	if budget.left != 10 {
		t.Errorf("%d are left when all is closed", budget.left)
	}
	var none receiveBuffer
	if n := none.init(&stretchy{size: 2, err: errors.ErrUnsupported}, budget); n != 0 {
		t.Errorf("one that is not known has %d", n)
	}
	none.grow()
	var poor receiveBuffer
	poor.init(first, nil)
	poor.grow()
	if first.size != 8 {
		t.Error("it grew without a budget")
	}
}

// onBuffer runs a test in virtual time with a socket whose buffer the test fills.
func onBuffer(t *testing.T, size int, drives bool, f func(t *testing.T, s *stretchy, p *Pool, op *Op)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stretchy{drivable: &drivable{newScripted(reply)}, size: size, most: 16 << 20}
		p := poolOver(t, s, NewBudget(32<<20))
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56, Drives: drives})
		defer op.Close()
		f(t, s, p, op)
	})
}

func TestSendingWaitsForABufferThatIsNotRead(t *testing.T) {
	onBuffer(t, 2<<20, false, func(t *testing.T, s *stretchy, p *Pool, op *Op) {
		s.fill(maxBacklog+0.01, 0)
		go func() {
			time.Sleep(10 * time.Millisecond)
			s.fill(maxBacklog, 0)
		}()
		start := time.Now()
		if n, err := p.Send(t.Context(), op, burst(1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if took := time.Since(start); took < 10*time.Millisecond || took > 10*time.Millisecond+2*busyPause {
			t.Errorf("it left after %v", took)
		}
		if s.size != 16<<20 {
			t.Errorf("the buffer is %d bytes", s.size)
		}
	})
}

func TestADriverThatFindsMuchLooksWhetherSomethingWasLost(t *testing.T) {
	onBuffer(t, 2<<20, true, func(t *testing.T, s *stretchy, p *Pool, op *Op) {
		if n, err := p.Send(t.Context(), op, burst(16)); n != 16 || err != nil {
			t.Fatal(n, err)
		}
		e := p.engines[0]
		time.Sleep(500 * time.Microsecond)
		s.fill(0, 100)
		for range 5 * readBatch {
			s.arrive(&icmp.Request{Destination: target}, icmp.V4EchoReply, target)
		}
		if n, err := p.Send(t.Context(), op, burst(16)); n != 16 || err != nil {
			t.Fatal(n, err)
		}
		if e.governor.rate == 0 || s.size <= 2<<20 || len(e.core.loss.last) != 1 {
			t.Errorf("the limit is %v/s, the buffer %d bytes, and losses %v", e.governor.rate, s.size, e.core.loss.last)
		}
	})
}

// So does the goroutine that reads: few messages say nothing of the buffer.
func TestAReaderThatFindsMuchLooksWhetherSomethingWasLost(t *testing.T) {
	for messages, want := range map[int]int{readBatch - 1: 0, 5 * readBatch: 1} {
		onBuffer(t, 2<<20, false, func(t *testing.T, s *stretchy, p *Pool, _ *Op) {
			s.fill(0, 100)
			for range messages {
				s.arrive(&icmp.Request{Destination: target}, icmp.V4EchoReply, target)
			}
			synctest.Wait()
			e := p.engines[0]
			e.mu.Lock()
			defer e.mu.Unlock()
			if got := len(e.core.loss.last); got != want {
				t.Errorf("after %d messages there are %d stretches of loss, want %d", messages, got, want)
			}
		})
	}
}

// What was read just now was in the buffer, too.
func TestWhatWasReadTogetherFilledTheBuffer(t *testing.T) {
	const size = 2 << 20
	full := int(math.Ceil(fullBacklog * size / leastSize))
	for n, want := range map[int]int{full: 1, full - 1: 0} {
		onBuffer(t, size, true, func(t *testing.T, s *stretchy, p *Pool, _ *Op) {
			s.mode = socket.Datagram
			e := p.engines[0]
			e.look(n)
			if got := len(e.core.loss.last); got != want {
				t.Errorf("after %d messages there are %d stretches of loss, want %d", n, got, want)
			}
		})
	}
}

func TestAFullErrorQueueIsASuspectedLoss(t *testing.T) {
	for _, tt := range []struct {
		mode    socket.Mode
		backlog float64
		want    int
	}{
		{socket.Datagram, fullBacklog, 1},
		{socket.Datagram, fullBacklog - 0.1, 0},
		{socket.Raw, 1, 0}, // which has no such queue, and counts
	} {
		onBuffer(t, 2<<20, true, func(t *testing.T, s *stretchy, p *Pool, op *Op) {
			s.mode = tt.mode
			s.fill(tt.backlog, 0)
			e := p.engines[0]
			e.look(0)
			if got := len(e.core.loss.last); got != tt.want {
				t.Errorf("%v, %v full: %d stretches of loss", tt.mode, tt.backlog, got)
			}
			if e.governor.rate == 0 {
				t.Errorf("%v, %v full: sending goes on", tt.mode, tt.backlog)
			}
		})
	}
}

func TestASendKeepsToTheLimit(t *testing.T) {
	for size, least := range map[int]time.Duration{0: 0, 1: 100 * time.Millisecond} {
		onBuffer(t, size, false, func(t *testing.T, _ *stretchy, p *Pool, op *Op) {
			start := time.Now()
			if n, err := p.Send(t.Context(), op, burst(300)); n != 300 || err != nil {
				t.Fatal(n, err)
			}
			if took := time.Since(start); took < least || least == 0 && took > 0 {
				t.Errorf("with %d bytes 300 probes take %v, want %v at the least", size, took, least)
			}
		})
	}
}

func TestASmallBufferIsLookedAtSooner(t *testing.T) {
	for size, want := range map[int]int{0: 1, 2 << 20: readBatch, 40 * leastMessage: 10, 1: 1} {
		onBuffer(t, size, false, func(t *testing.T, _ *stretchy, p *Pool, _ *Op) {
			if got := p.engines[0].lookFrom; got != want {
				t.Errorf("with %d bytes it is looked at from %d messages on, want %d", size, got, want)
			}
		})
	}
}

// Where the size of the buffer is not known, that messages were read does not slow
// sending.
func TestABufferOfUnknownSizeSlowsNothing(t *testing.T) {
	onBuffer(t, 2<<20, true, func(t *testing.T, s *stretchy, p *Pool, op *Op) {
		e := p.engines[0]
		e.buffer.size.Store(0)
		s.fill(0, 0)
		if e.look(readBatch); e.governor.rate != 0 {
			t.Errorf("sending slows to %v", e.governor.rate)
		}
	})
}

func TestTroubleGoesByWhatWasSentOfLate(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		sends map[time.Duration]int
		at    time.Duration
		want  float64 // of a loss
	}{
		{"in the first moment, taken for a whole count", map[time.Duration]int{ms: 320}, 5 * ms, 16_000},
		{"in a count that is not over", map[time.Duration]int{10 * ms: 400, 15 * ms: 600}, 20 * ms, 30_000},
		{"which is less than the one before", map[time.Duration]int{10 * ms: 400, 15 * ms: 100}, 20 * ms, 20_000},
		{"long ago", map[time.Duration]int{10 * ms: 400, 1010 * ms: 400}, 1010 * ms, leastRate},
	} {
		var g governor
		for at := time.Duration(0); at <= tt.at; at += ms {
			if n := tt.sends[at]; n > 0 {
				g.sent(n, at)
			}
		}
		if g.see(0, true, 0, tt.at); g.rate != tt.want {
			t.Errorf("%s: %v/s, want %v", tt.name, g.rate, tt.want)
		}
	}
}
