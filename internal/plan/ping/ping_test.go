package ping

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// ms is a moment, in milliseconds from the beginning.
func ms(n int) time.Time { return time.Unix(1000, 0).Add(time.Duration(n) * time.Millisecond) }

// step is what happens at a moment: the plan is asked, and says the number of a request
// that leaves then, or -1 and when to ask again (0: it cannot tell).
type step struct {
	at, number, wake int
}

// asked asks a plan, and has what may leave leave.
func (s step) ask(t *testing.T, p *Plan) {
	t.Helper()
	probe, ok, wake := p.Next(ms(s.at))
	switch {
	case s.number >= 0 && (!ok || probe.Key != plan.MakeKey(0, s.number)):
		t.Fatalf("at %d ms it returns %v, %v, want request %d", s.at, probe.Key, ok, s.number)
	case s.number < 0 && ok:
		t.Fatalf("at %d ms request %d may leave, want none", s.at, probe.Key)
	case s.number < 0 && s.wake == 0 && !wake.IsZero(), s.number < 0 && s.wake != 0 && !wake.Equal(ms(s.wake)):
		t.Fatalf("at %d ms it is to be asked again at %v, want %d ms", s.at, wake.Sub(ms(0)), s.wake)
	case ok:
		p.Sent(probe.Key, ms(s.at))
	}
}

// settle gives a request its fate.
func settle(p *Plan, number int) {
	p.Observe(ms(0), &plan.Observation{Key: plan.MakeKey(0, number), Kind: plan.Reply, Settles: true})
}

// Rules 1 to 4.
func TestWhenRequestsAreDue(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		opts  Options
		steps []step
	}{
		{"1: the first leaves at once, Count in all", Options{Count: 2, Interval: 10 * time.Millisecond},
			[]step{{0, 0, 0}, {0, -1, 10}, {10, 1, 0}, {10, -1, 0}, {99, -1, 0}}},
		{"1: a negative Count has no last one", Options{Count: -1, Interval: time.Millisecond},
			[]step{{0, 0, 0}, {1, 1, 0}, {2, 2, 0}, {3, 3, 0}}},
		{"2: lateness does not add up", Options{Count: 4, Interval: 10 * time.Millisecond},
			[]step{{0, 0, 0}, {13, 1, 0}, {13, -1, 20}, {24, 2, 0}, {24, -1, 30}}},
		{"3: nothing is made up for", Options{Count: 4, Interval: 10 * time.Millisecond},
			[]step{{0, 0, 0}, {35, 1, 0}, {35, -1, 45}}},
		{"3: what is due just now was missed", Options{Count: 4, Interval: 10 * time.Millisecond},
			[]step{{0, 0, 0}, {20, 1, 0}, {20, -1, 30}}},
		{"4: without an interval, it waits for the fate", Options{Count: 2}, []step{{0, 0, 0}, {50, -1, 0}}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			p := New(&tt.opts)
			for _, s := range tt.steps {
				s.ask(t, &p)
			}
		})
	}
}

func TestOneRequestWaitsAtATime(t *testing.T) {
	p := New(&Options{Count: 3, Interval: time.Millisecond})
	if _, ok, _ := p.Next(ms(0)); !ok {
		t.Fatal("none may leave")
	}
	if _, ok, wake := p.Next(ms(9)); ok || !wake.IsZero() {
		t.Error("another may leave while one waits")
	}
}

func TestWithoutAnIntervalTheFateLetsTheNextLeave(t *testing.T) {
	p := New(&Options{Count: 2})
	step{0, 0, 0}.ask(t, &p)
	p.Observe(ms(1), &plan.Observation{Kind: plan.Advice}) // rule 6
	step{1, -1, 0}.ask(t, &p)
	settle(&p, 0)
	step{2, 1, 0}.ask(t, &p)
	if p.Done() {
		t.Error("it is done while a request is in flight") // rule 7
	}
	settle(&p, 1)
	if !p.Done() || p.Open() != 0 || p.Tried() != 2 {
		t.Errorf("done %v, %d open, %d tried", p.Done(), p.Open(), p.Tried())
	}
}

// Rule 5.
func TestARefusedRequestIsFollowedByAPause(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		next     int
	}{{0, 10}, {3 * time.Millisecond, 3}, {time.Second, 1000}} {
		p := New(&Options{Count: 2, Interval: tt.interval})
		probe, _, _ := p.Next(ms(0))
		p.Refused(probe.Key, nil, ms(0))
		if p.Open() != 0 || p.Tried() != 1 || p.Done() {
			t.Errorf("%d open, %d tried, done %v", p.Open(), p.Tried(), p.Done())
		}
		step{0, -1, tt.next}.ask(t, &p)
		step{tt.next, 1, 0}.ask(t, &p)
	}
}

func TestAPingWhoseLastRequestIsRefusedIsDone(t *testing.T) {
	p := New(&Options{Count: 1})
	probe, _, _ := p.Next(ms(0))
	if p.Refused(probe.Key, nil, ms(0)); !p.Done() {
		t.Error("it is not done")
	}
}

// Rule 3.
func TestWhatIsALittleLateIsMadeUpFor(t *testing.T) {
	p := New(&Options{Count: 9, Interval: time.Millisecond})
	for i, at := range []int{0, 3, 3, 3, 4} { // the second one is due at 1, and 2 ms late
		step{at, i, 0}.ask(t, &p)
	}
	step{4, -1, 5}.ask(t, &p)
	step{8, 5, 0}.ask(t, &p) // 3 ms
	step{8, -1, 9}.ask(t, &p)
}

// Rule 8.
func TestAReplyBehindAnUnreachableIsWaitedFor(t *testing.T) {
	key := func(i int) plan.Key { return plan.MakeKey(0, i) }
	fails := func(i int, kind plan.Kind) plan.Observation {
		return plan.Observation{Key: key(i), Kind: kind, Settles: true, Sent: ms(10 * i)}
	}
	replies := func(i int) plan.Observation { return plan.Observation{Key: key(i), Kind: plan.Reply} }
	again := func(i int) plan.Observation {
		return plan.Observation{Key: key(i), Kind: plan.Reply, Duplicate: true}
	}
	answers := func(i int) plan.Observation {
		return plan.Observation{Key: key(i), Kind: plan.Reply, Settles: true}
	}
	for _, tt := range []struct {
		name string
		news []plan.Observation
		done int // when, in milliseconds; 20: with the news
	}{
		{"until the timeout of the last one", []plan.Observation{fails(0, plan.Unreachable), fails(1, plan.Unreachable)}, 60},
		{"of the only one", []plan.Observation{fails(0, plan.Unreachable), answers(1)}, 50},
		{"of who may be the target", []plan.Observation{answers(0), fails(1, plan.Refused)}, 60},
		{"until it is there", []plan.Observation{answers(0), fails(1, plan.Unreachable), replies(1)}, 20},
		{"until that of another is not", []plan.Observation{fails(0, plan.Unreachable), fails(1, plan.Unreachable), replies(1)}, 50},
		{"a duplicate is none", []plan.Observation{answers(0), fails(1, plan.Unreachable), again(0)}, 60},
		{"silence is the end", []plan.Observation{answers(0), fails(1, plan.Silent)}, 20},
		{"so is a TTL that was used up", []plan.Observation{fails(0, plan.TimeExceeded), fails(1, plan.TooBig)}, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := New(&Options{Count: 2, Interval: 10 * time.Millisecond, Timeout: 50 * time.Millisecond})
			step{0, 0, 0}.ask(t, &p)
			step{10, 1, 0}.ask(t, &p)
			for i := range tt.news {
				p.Observe(ms(20), &tt.news[i])
			}
			if tt.done > 20 {
				step{20, -1, tt.done}.ask(t, &p)
				step{tt.done - 1, -1, tt.done}.ask(t, &p)
				if p.Done() {
					t.Error("it is done too early")
				}
			}
			step{tt.done, -1, 0}.ask(t, &p)
			if !p.Done() {
				t.Error("it is not done")
			}
		})
	}
}

func TestAnEndlessPingKeepsNoDoubts(t *testing.T) {
	p := New(&Options{Count: -1, Interval: time.Millisecond, Timeout: time.Hour})
	for i := range 100 {
		step{i, i, 0}.ask(t, &p)
		p.Observe(ms(i), &plan.Observation{Key: plan.MakeKey(0, i), Kind: plan.Unreachable, Settles: true, Sent: ms(i)})
	}
	if len(p.doubted) > 0 {
		t.Errorf("%d are kept", len(p.doubted))
	}
}

func TestWhatIsNotWaitedForAnyMoreIsForgotten(t *testing.T) {
	p := New(&Options{Count: 1000, Interval: time.Millisecond, Timeout: 5 * time.Millisecond})
	for i := range 100 {
		step{i, i, 0}.ask(t, &p)
		p.Observe(ms(i), &plan.Observation{Key: plan.MakeKey(0, i), Kind: plan.Unreachable, Settles: true, Sent: ms(i)})
		if len(p.doubted) > 5 {
			t.Fatalf("%d are kept", len(p.doubted))
		}
	}
}

// Rule 9.
func TestAGroupMayAnswerUntilTheLingerIsOver(t *testing.T) {
	p := New(&Options{Count: 2, Interval: 10 * time.Millisecond, Linger: 50 * time.Millisecond})
	for i, at := range []int{0, 10} {
		step{at, i, 0}.ask(t, &p)
		settle(&p, i)
	}
	step{10, -1, 60}.ask(t, &p)
	step{59, -1, 60}.ask(t, &p)
	if p.Done() {
		t.Error("it is done too early")
	}
	step{60, -1, 0}.ask(t, &p)
	if !p.Done() {
		t.Error("it is not done")
	}
}

func TestALingerDoesNotEndBeforeTheFates(t *testing.T) {
	p := New(&Options{Count: 1, Linger: 50 * time.Millisecond})
	step{0, 0, 0}.ask(t, &p)
	step{60, -1, 0}.ask(t, &p)
	settle(&p, 0)
	if p.Done() {
		t.Error("it is done although nobody has looked at the clock")
	}
	step{61, -1, 0}.ask(t, &p)
	if !p.Done() {
		t.Error("it is not done")
	}
}

func TestAPingOfNoRequestsIsDone(t *testing.T) {
	p := New(&Options{Interval: time.Millisecond})
	step{0, -1, 0}.ask(t, &p)
	if !p.Done() {
		t.Error("it is not done")
	}
}

func TestAnEndlessPingIsNeverDone(t *testing.T) {
	p := New(&Options{Count: -1, Interval: time.Millisecond})
	step{0, 0, 0}.ask(t, &p)
	settle(&p, 0)
	if p.Done() {
		t.Error("it is done")
	}
}
