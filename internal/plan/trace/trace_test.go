package trace

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// ms is a moment, in milliseconds from the beginning.
func ms(n int) time.Time { return time.Unix(1000, 0).Add(time.Duration(n) * time.Millisecond) }

// world is a plan and the time.
type world struct {
	*testing.T
	Plan
	now int
}

func newWorld(t *testing.T, o Options) *world {
	if o.Hops == 0 {
		o.Hops = 30
	}
	if o.Count == 0 {
		o.Count = 1
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	o.FirstHop = 1
	return &world{T: t, Plan: New(&o, nil)}
}

// leave has all that may leave at a moment leave, and returns the probes as hop:number.
func (w *world) leave(at int) (left string) {
	w.now = at
	for {
		p, ok, _ := w.Next(ms(at))
		if !ok {
			return left
		}
		if p.TTL != p.Key.Hop()+1 {
			w.Errorf("hop %d is probed with TTL %d", p.Key.Hop(), p.TTL)
		}
		w.Sent(p.Key, ms(at))
		left += fmt.Sprintf(" %d:%d", p.Key.Hop(), p.Key.Number())
		if w.Alone() {
			return left
		}
	}
}

// next returns when the plan is to be asked again, in ms; -1: it cannot tell.
func (w *world) next(at int) int {
	w.Helper()
	p, ok, wake := w.Plan.Next(ms(at))
	switch {
	case ok:
		w.Fatalf("at %d ms hop %d is probed", at, p.Key.Hop())
	case wake.IsZero():
		return -1
	}
	return int(wake.Sub(ms(0)) / time.Millisecond)
}

// hear tells what became of a probe, by letter: a lower-case one is a router, T the
// target, ! a refusal, + a closed port, . silence, ? advice. It takes a ms for each.
func (w *world) hear(hop, number int, what string, late ...bool) {
	o := plan.Observation{Key: plan.MakeKey(hop, number), Settles: len(late) == 0, Late: len(late) > 0, Sent: ms(w.now), RTT: time.Millisecond}
	o.Responder = netip.AddrFrom4([4]byte{10, 0, 0, what[0]})
	switch what {
	case "T":
		o.Kind, o.FromTarget = plan.Reply, true
	case "!":
		o.Kind = plan.Unreachable
	case "+":
		o.Kind = plan.Refused
	case "?":
		o.Kind, o.Settles = plan.Advice, false
	case ".":
		o.Kind, o.Responder, o.RTT = plan.Silent, netip.Addr{}, 0
	default:
		o.Kind = plan.TimeExceeded
	}
	w.Observe(ms(w.now), &o)
}

// hearAll tells what became of the first probe to each hop.
func (w *world) hearAll(answers string) {
	for i := range answers {
		w.hear(i, 0, answers[i:i+1])
	}
}

func (w *world) want(what string, got, want any) {
	w.Helper()
	if got != want {
		w.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestRule1CountProbesAnIntervalApart(t *testing.T) {
	w := newWorld(t, Options{Hops: 2, Count: 2, Interval: 50 * time.Millisecond})
	w.want("what leaves", w.leave(0), " 0:0 1:0")
	w.want("the next moment", w.next(10), 50)
	w.want("what leaves", w.leave(50), " 0:1 1:1")
	w.want("the next moment", w.next(500), -1)
}

func TestRule1AndRule2FastAsksUntilThereIsAnAnswer(t *testing.T) {
	w := newWorld(t, Options{Hops: 2, Count: 3, Fast: true, Interval: 50 * time.Millisecond, Timeout: time.Second})
	w.leave(0)
	w.hear(0, 0, "a")
	w.want("the next moment", w.next(10), 250)
	w.want("what leaves", w.leave(250), " 1:1")
	w.want("twice the slowest, up to the timeout", func() int { w.slow = 400 * time.Millisecond; return w.next(300) }(), 1050)
	w.slow = 900 * time.Millisecond
	w.want("the timeout", w.next(300), 1250)
}

func TestRule2AnIntervalMayBeLonger(t *testing.T) {
	w := newWorld(t, Options{Hops: 1, Count: 2, Fast: true, Interval: 3 * time.Second, Timeout: time.Second})
	w.leave(0)
	w.want("the next moment", w.next(10), 3000)
}

func TestRule3TheWindowOpensWithAnswers(t *testing.T) {
	w := newWorld(t, Options{Interval: time.Hour})
	w.want("what leaves", w.leave(0), " 0:0 1:0 2:0 3:0 4:0 5:0 6:0 7:0")
	w.hear(2, 0, "c")
	w.want("what leaves", w.leave(1), " 8:0 9:0 10:0")
	w.hear(1, 0, "b")
	w.want("what leaves", w.leave(2), "")
	w.hear(3, 0, "?")
	w.want("what leaves after advice", w.leave(3), "")
}

func TestRule4TheWindowOpensByItself(t *testing.T) {
	for _, tt := range []struct {
		opts Options
		slow time.Duration
		want int
	}{
		{Options{Interval: 50 * time.Millisecond}, 0, 50},
		{Options{}, 0, 10},
		{Options{Interval: 50 * time.Millisecond}, 400 * time.Millisecond, 50},
		{Options{Interval: 50 * time.Millisecond, Patient: true}, 0, 250},
		{Options{Interval: 50 * time.Millisecond, Patient: true}, 400 * time.Millisecond, 800},
		{Options{Interval: time.Second, Patient: true}, 0, 1000},
	} {
		w := newWorld(t, tt.opts)
		w.leave(0)
		w.slow = tt.slow
		w.want("the next moment", w.next(1), tt.want)
		w.want("what leaves", w.leave(tt.want), " 8:0 9:0 10:0 11:0 12:0 13:0 14:0 15:0")
		w.want("the next moment", w.next(tt.want+1), 2*tt.want)
	}
}

func TestRule4NotWhileAFirstProbeWaits(t *testing.T) {
	w := newWorld(t, Options{Interval: 50 * time.Millisecond})
	var waits plan.Key
	for {
		p, ok, _ := w.Plan.Next(ms(0))
		if !ok {
			break
		}
		if waits = p.Key; p.Key.Hop() < 7 {
			w.Sent(p.Key, ms(0))
		}
	}
	w.want("the next moment", w.next(9000), -1)
	w.Sent(waits, ms(9000))
	w.want("the next moment", w.next(9001), 9050)
}

func TestRule4NoFartherThanTheLastHop(t *testing.T) {
	w := newWorld(t, Options{Hops: 8})
	w.leave(0)
	w.want("the next moment", w.next(1), -1)
	w.want("the hops", w.Hops(), 8)
}

func TestRule4AsFarAsTheLastHop(t *testing.T) {
	w := newWorld(t, Options{Hops: 9, Interval: 50 * time.Millisecond})
	w.leave(0)
	w.want("the next moment", w.next(1), 50)
	w.want("what leaves", w.leave(50), " 8:0")
	w.want("what was taken", w.Taken(), 9)
}

func TestAllHopsOfTheWindowMayBeFinal(t *testing.T) {
	w := newWorld(t, Options{})
	w.leave(0)
	w.hearAll("........")
	w.want("the final hops", w.Final(), 8)
	w.want("done", w.Done(), false)
	w.want("what leaves", w.leave(10), " 8:0 9:0 10:0 11:0 12:0 13:0 14:0 15:0")
}

func TestRule5NothingLeavesBehindTheEnd(t *testing.T) {
	w := newWorld(t, Options{Count: 2, Interval: 50 * time.Millisecond})
	w.leave(0)
	w.hear(2, 0, "T")
	w.want("a probe to the end is wanted", w.Wants(plan.MakeKey(2, 1)), true)
	w.want("the end of a hop that is not final", w.End(2), plan.EndUnknown)
	w.hear(0, 0, "a")
	w.hear(1, 0, "b")
	w.want("what leaves", w.leave(50), " 0:1 1:1 2:1")
	w.hear(0, 1, "a")
	w.hear(1, 1, "b")
	w.want("the final hops", w.Final(), 2)
	w.want("the end of a hop that is not final", w.End(2), plan.EndUnknown)
	w.want("the hops", w.Hops(), 3)
}

func TestRule6WhatWaitsMayBeRecalled(t *testing.T) {
	w := newWorld(t, Options{Count: 2, Fast: true})
	var waits []plan.Key
	for {
		p, ok, _ := w.Plan.Next(ms(0))
		if !ok {
			break
		}
		if p.Key.Hop() < 4 {
			w.Sent(p.Key, ms(0))
		} else {
			waits = append(waits, p.Key)
		}
	}
	w.want("the probes that wait", len(waits), 4)
	w.want("a probe is wanted", w.Wants(waits[0]), true)
	w.hear(3, 0, "!")
	w.want("one behind the end is", w.Wants(waits[0]), false)
	w.Recall(waits[0])
	w.hear(3, 0, "d", true)
	w.want("what leaves again", w.leave(1), " 4:0 8:0 9:0 10:0 11:0")
	w.hear(5, 0, "f", true)
	w.want("one that was answered meanwhile is", w.Wants(waits[1]), false)
	w.want("one that was not is", w.Wants(waits[2]), true)
	w.want("one of the first hop that is not final is", w.Wants(plan.MakeKey(0, 1)), true)
	w.hear(0, 0, "a")
	w.want("a final hop's is", w.Wants(plan.MakeKey(0, 1)), false)
}

// Rules 7 to 10. The answers are those to one probe for each hop.
func TestWhereAPathEnds(t *testing.T) {
	for _, tt := range []struct {
		rule, answers string
		opts          Options
		final         int
		end           plan.End
	}{
		{"7: the target", "abT", Options{}, 3, plan.EndReached},
		{"7: a refusal", "ab!", Options{}, 3, plan.EndUnreachable},
		{"7: a closed port", "ab+", Options{}, 3, plan.EndRefused},
		{"7: the nearest end", "a!cT", Options{}, 2, plan.EndUnreachable},
		{"7: behind silence", "..T", Options{}, 3, plan.EndReached},
		{"9: a loop of two", "xabab", Options{}, 5, plan.EndLoop},
		{"9: one router twice is none", "aab", Options{Hops: 3}, 3, plan.EndMaxHops},
		{"9: one router three times", "xaaaT", Options{}, 4, plan.EndLoop},
		{"9: silence is no loop", "......", Options{Hops: 6}, 6, plan.EndMaxHops},
		{"9: a gap", "a...T", Options{GapLimit: 3}, 4, plan.EndGap},
		{"9: a gap at the beginning", "..cT", Options{GapLimit: 2}, 2, plan.EndGap},
		{"9: too small a gap", "a..d.T", Options{GapLimit: 3}, 6, plan.EndReached},
		{"9: no limit", "a......T", Options{}, 8, plan.EndReached},
		{"9: the target is the end of its gap", ".T", Options{GapLimit: 2}, 2, plan.EndReached},
		{"10: the last hop", "ab.", Options{Hops: 3}, 3, plan.EndMaxHops},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			w := newWorld(t, tt.opts)
			w.leave(0)
			w.hearAll(tt.answers)
			w.want("the number of hops", w.Final(), tt.final)
			w.want("done", w.Done(), true)
			for i := range tt.final {
				want := plan.EndUnknown
				if i == tt.final-1 {
					want = tt.end
				}
				w.want(fmt.Sprint("the end at hop ", i), w.End(i), want)
			}
		})
	}
}

func TestRule7OneProbeThatPassesIsNoEnd(t *testing.T) {
	w := newWorld(t, Options{Count: 2, Interval: -1})
	w.leave(0)
	w.leave(0)
	w.hear(1, 0, "!")
	w.want("the hops", w.Hops(), 2)
	w.hear(1, 1, "b")
	w.want("the hops", w.Hops() > 2, true)
	w.hear(0, 0, "a")
	w.hear(0, 1, "a")
	w.want("the final hops", w.Final(), 2)
	w.want("done", w.Done(), false)
}

func TestRule8AHopWaitsForItsProbesAndForThoseBeforeIt(t *testing.T) {
	w := newWorld(t, Options{Count: 2, Interval: 50 * time.Millisecond})
	w.leave(0)
	w.hear(1, 0, "b")
	w.hear(0, 0, "a")
	w.want("the final hops before the last probe", w.Final(), 0)
	w.leave(50)
	w.want("the open probes", w.Open(0), 1)
	w.hear(1, 1, "b")
	w.want("the final hops", w.Final(), 0)
	w.hear(0, 1, ".")
	w.want("the final hops", w.Final(), 2)
	w.want("the open probes", w.Open(0), 0)
}

func TestRule8AHopWaitsForAProbeThatWaits(t *testing.T) {
	w := newWorld(t, Options{Hops: 1, Count: 2, Fast: true})
	w.leave(0)
	p, ok, _ := w.Plan.Next(ms(300))
	w.want("a second probe leaves", ok, true)
	w.hear(0, 0, "a")
	w.want("the final hops", w.Final(), 0)
	w.Recall(p.Key)
	w.want("the final hops", w.Final(), 1)
}

func TestRule8WhatIsFinalDoesNotChange(t *testing.T) {
	w := newWorld(t, Options{Hops: 3})
	w.leave(0)
	w.hearAll("a.")
	w.hear(1, 0, "!", true)
	w.want("done", w.Done(), false)
	w.want("a final hop is silent", w.IsSilent(1), true)
	w.hear(2, 0, ".")
	w.hear(2, 0, "!", true)
	w.want("the end", w.End(2), plan.EndMaxHops)
	w.want("the last hop is silent", w.IsSilent(2), true)
}

func TestRule11ATraceThatSentNothingHasNoEnd(t *testing.T) {
	w := newWorld(t, Options{Hops: 1})
	p, _, _ := w.Plan.Next(ms(0))
	w.Refused(p.Key, nil, ms(0))
	w.want("done", w.Done(), true)
	w.want("the end", w.End(0), plan.EndUnknown)
	w.want("what was taken", w.Taken(), 0)
}

func TestARefusedProbeIsFollowedByTheNext(t *testing.T) {
	w := newWorld(t, Options{Hops: 1, Count: 2, Interval: 50 * time.Millisecond})
	p, _, _ := w.Plan.Next(ms(0))
	w.Refused(p.Key, nil, ms(7))
	w.want("the next moment", w.next(8), 57)
	w.want("what leaves", w.leave(57), " 0:1")
	w.hear(0, 1, "a")
	w.want("the end", w.End(0), plan.EndMaxHops)
}

// unclear notes an answer that could be to any of several probes.
func (w *world) unclear() { w.Observe(ms(w.now), &plan.Observation{Kind: plan.Unclear}) }

func (w *world) discarded(hop int) int {
	n, _ := w.Discarded(hop)
	return n
}

func TestRule12SilentHopsAreProbedAgainOneByOne(t *testing.T) {
	w := newWorld(t, Options{Hops: 4, Interval: 50 * time.Millisecond})
	w.want("alone", w.Alone(), false)
	w.leave(0)
	w.hear(1, 0, "b")
	w.unclear()
	w.want("alone", w.Alone(), true)
	for i, want := range []int{1, 0, 1, 1} {
		w.want(fmt.Sprint("what is discarded of hop ", i), w.discarded(i), want)
	}
	w.hear(0, 0, ".")
	w.hear(2, 0, ".")
	w.hear(3, 0, ".")
	w.want("the final hops", w.Final(), 0)
	w.want("the next moment", w.next(1), 50)
	w.want("what leaves", w.leave(60), " 0:1")
	w.hear(0, 1, "a")
	w.want("the final hops", w.Final(), 2)
}

func TestRule13LaterAnswersOfThatKind(t *testing.T) {
	w := newWorld(t, Options{Hops: 3})
	w.leave(0)
	w.unclear()
	w.unclear()
	w.want("what came", w.care.unclear, 2)
	w.hear(0, 0, ".")
	w.hear(1, 0, ".")
	w.unclear()
	w.want("what came, while one is in flight", w.care.unclear, 2)
	w.want("what is discarded", w.discarded(2), 1)
}

func TestRule14WhatIsExplainedEndsIt(t *testing.T) {
	w := newWorld(t, Options{Hops: 3})
	w.leave(0)
	w.unclear()
	w.hearAll("...")
	w.want("what leaves", w.leave(10), " 0:1")
	w.hear(0, 1, "a")
	w.want("what leaves", w.leave(20), "")
	w.want("alone", w.Alone(), false)
	w.want("the final hops", w.Final(), 3)
	w.want("what is discarded of a hop that was probed again", w.discarded(0), 1)
	w.want("of one that was not", w.discarded(1), 0)
}

func TestRule14TwoAnswersNeedTwoHops(t *testing.T) {
	w := newWorld(t, Options{Hops: 3})
	w.leave(0)
	w.unclear()
	w.unclear()
	w.hearAll("...")
	w.leave(10)
	w.hear(0, 1, ".")
	w.want("what leaves", w.leave(20), " 1:1")
	w.hear(1, 1, "b")
	w.want("what leaves", w.leave(30), " 2:1")
	w.hear(2, 1, "c")
	w.want("done", w.Done(), true)
}

func TestRule14NoHopIsLeft(t *testing.T) {
	w := newWorld(t, Options{Hops: 2})
	w.leave(0)
	w.unclear()
	w.unclear()
	w.hearAll("..")
	for i, want := range []string{" 0:1", " 1:1"} {
		w.want("what leaves", w.leave(10*(i+1)), want)
		w.hear(i, 1, ".")
	}
	w.leave(30)
	w.want("alone", w.Alone(), false)
	w.want("done", w.Done(), true)
}

func TestRule14HopsThatHaveAnsweredAreProbedOn(t *testing.T) {
	w := newWorld(t, Options{Hops: 2, Count: 2, Interval: 10 * time.Millisecond})
	w.leave(0)
	w.hear(0, 0, "a")
	w.unclear()
	w.hear(1, 0, ".")
	w.want("what leaves", w.leave(10), " 0:1")
	w.hear(0, 1, "a")
	w.want("what leaves", w.leave(20), " 1:1")
}

func TestRule15ARecognisableAnswerCountsAll(t *testing.T) {
	w := newWorld(t, Options{Hops: 2})
	w.leave(0)
	w.unclear()
	w.hear(0, 0, ".")
	w.want("what is discarded", w.discarded(0), 1)
	w.hear(1, 0, "b")
	w.want("what is discarded of the one that answers", w.discarded(1), 0)
	w.want("it is silent", w.IsSilent(1), false)
	w.leave(10)
	w.hear(0, 1, ".")
	w.hear(0, 0, "a", true)
	w.want("of one that was probed again", w.discarded(0), 1)
	if _, all := w.Discarded(0); all {
		t.Error("all probes of a hop that was probed again are discarded")
	}
}

func TestMemoryServesAgain(t *testing.T) {
	w := newWorld(t, Options{Hops: 3})
	w.leave(0)
	w.hearAll("abT")
	again := New(w.opts, &w.Plan)
	if again.Final() != 0 || again.Done() || !again.IsSilent(0) || again.Hops() != 3 {
		t.Errorf("%+v", again)
	}
}
