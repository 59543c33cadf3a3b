package watch

import (
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// What is noticed on a way of steps, with the rounds in which it happened.
func TestWhatIsNoticed(t *testing.T) {
	type step struct {
		rounds int
		path   string
	}
	for _, tt := range []struct {
		name  string
		cfg   Config
		steps []step
		want  string
	}{
		{"path 3: another router", Config{}, []step{{6, "a b t"}, {6, "a c t"}}, "2:b>c@7"},
		{"path 3: behind the end as it was told", Config{}, []step{{6, "a t"}, {9, "a - b -"}, {6, "a - c -"}}, "outage@7"},
		{"path 3: before any end is known", Config{}, []step{{6, "a b -"}, {6, "a c -"}}, "2:b>c@7"},
		{"path 3: behind the end, for long", Config{Outage: -1}, []step{{6, "a t"}, {9, "a b c -"}, {9, "a b d -"}}, "2:t>b@7"},
		{"path 4: a new path", Config{}, []step{{12, "a b t"}}, ""},
		{"path 5: shorter", Config{}, []step{{6, "a b c t"}, {6, "a t"}}, "2:b>t@7 3:c>-@7 4:t>-@7"},
		{"path 5: a silent router less", Config{}, []step{{12, "a - t"}, {2, "a t"}}, ""},
		{"path 5: and that is no chance", Config{}, []step{{40, "a - t"}, {6, "a t"}}, "3:t>-@41"},
		{"path 5: not while a router answers there", Config{}, []step{{40, "a - t"}, {1, "a b t"}, {10, "a t"}}, ""},
		{"path 5: chance", Config{}, []step{{3, "a - t"}, {62, "a t"}}, ""},
		{"path 6: longer", Config{}, []step{{6, "a t"}, {6, "a b t"}}, "2:t>b@7 3:->t@7"},
		{"path 6: by two", Config{}, []step{{6, "a t"}, {8, "a b c t"}}, "2:t>b@7 3:->c@7 4:->t@7"},
		{"path 6: by a silent router", Config{}, []step{{20, "a t"}, {16, "a - t"}}, "3:->t@21"},
		{"path 5: to one hop", Config{}, []step{{6, "a t"}, {8, "t"}}, "1:a>t@7 2:t>-@7"},
		{"path 6: from one hop", Config{}, []step{{6, "t"}, {8, "a t"}}, "1:t>a@7 2:->t@7"},
		{"path 6: from one hop, by a silent router", Config{}, []step{{20, "t"}, {18, "- t"}}, "2:->t@21"},
		{"path 6: not before the target gave 3 answers", Config{}, []step{{6, "a t"}, {2, "a b t"}, {6, "a b -"}}, "2:t>b@7 outage@9"},
		{"path 6: but then", Config{Outage: -1}, []step{{6, "a t"}, {6, "a b -"}, {3, "a b t"}}, "2:t>b@7 3:->t@13"},
		{"path 6: what is told is not before another router answered", Config{}, []step{{40, "a t"}, {4, "a - t"}, {9, "a b t"}}, "2:t>b@45 3:->t@45"},
		{"path 3: the first hop behind the end", Config{}, []step{{6, "t"}, {6, "t a"}, {6, "t b"}}, ""},
		{"path 7: one that is lost at the end", Config{}, []step{{20, "a t"}, {1, "a - t"}, {1, "a t"}, {1, "a - t"}, {9, "a t"}}, ""},
		{"outage 4: of one hop", Config{}, []step{{6, "t"}, {6, "-"}, {6, "t"}}, "outage@7 recovery@13/6s"},
		{"outage 2: the first hop refuses", Config{}, []step{{6, "t"}, {6, "!a"}, {6, "t"}}, "outage@7 recovery@13/6s"},
		{"outage 2: MaxHops is the end", Config{MaxHops: 2}, []step{{6, "a t"}, {3, "a -"}, {6, "a t"}}, "outage@7 recovery@10/3s"},
		{"outage 2: a loss in front", Config{}, []step{{6, "a b t"}, {9, "- b t"}}, ""},
		{"outage 6: an answer where it was", Config{Interval: 3 * time.Second}, []step{{6, "a t"}, {3, "a -"}, {6, "a t"}}, "outage@7 recovery@10/9s"},
		{"path 7: silence alone", Config{}, []step{{20, "a t"}, {2, "a -"}, {20, "a t"}}, ""},
		{"a late answer is nobody's turn", Config{}, []step{{6, "a b t"}, {9, "a c~ t"}}, ""},
		{"neither is a second one", Config{}, []step{{6, "a b t"}, {9, "a b& t&"}}, ""},
		{"nor advice", Config{}, []step{{6, "a b t"}, {9, "a (c t"}}, ""},
		{"nor a refusal", Config{}, []step{{6, "a b t"}, {9, "a !b t"}}, ""},
		{"outage 1: up", Config{}, []step{{6, "a t"}, {2, "a -"}, {1, "a t"}, {2, "a -"}, {1, "a t"}}, ""},
		{"outage 2: silence", Config{}, []step{{4, "a t"}, {3, "a -"}, {4, "a t"}}, "outage@5 recovery@8/3s"},
		{"outage 2: a refusal", Config{}, []step{{4, "a t"}, {3, "!a -"}, {4, "a t"}}, "outage@5 recovery@8/3.5s"},
		{"outage 2: a closed port", Config{}, []step{{4, "a t"}, {3, "%a -"}, {4, "a t"}}, "outage@5 recovery@8/3.5s"},
		{"outage 2: no path", Config{}, []step{{4, "a t"}, {3, "x"}, {4, "a t"}}, "outage@5 recovery@8/3.5s"},
		{"outage 2: a circle", Config{}, []step{{6, "a t"}, {8, "a b a b a b"}}, "outage@7 2:t>b@7"},
		{"outage 2: routers as far as can be seen", Config{MaxHops: 4}, []step{{6, "a t"}, {8, "a b c d"}}, "outage@7 2:t>b@7"},
		{"outage 3: our own loss", Config{}, []step{{4, "a t"}, {6, "a ?"}, {4, "a t"}}, ""},
		{"outage 3: may not send", Config{}, []step{{4, "a t"}, {6, "y"}, {4, "a t"}}, ""},
		{"outage 3: between rounds that are down", Config{}, []step{{4, "a t"}, {2, "a -"}, {1, "y"}, {1, "a -"}, {4, "a t"}}, "outage@5 recovery@9/4s"},
		{"outage 4: 2 rounds", Config{}, []step{{4, "a t"}, {2, "a -"}, {4, "a t"}}, ""},
		{"outage 4: 5 are demanded", Config{Outage: 5}, []step{{4, "a t"}, {4, "a -"}, {4, "a t"}, {5, "a -"}, {4, "a t"}}, "outage@13 recovery@18/5s"},
		{"outage 4: one is enough", Config{Outage: 1}, []step{{4, "a t"}, {1, "a -"}, {4, "a t"}}, "outage@5 recovery@6/1s"},
		{"outage 5: never seen", Config{}, []step{{9, "a -"}, {9, "a t"}}, ""},
		{"outage 5: never seen, and refused", Config{}, []step{{9, "!a"}, {9, "a t"}}, ""},
		{"outage 2: in the last round", Config{Rounds: 7}, []step{{4, "a t"}, {3, "x"}}, "outage@5"},
		{"outage 6: not before it was looked beyond", Config{}, []step{{20, "a t"}, {16, "a - t"}}, "3:->t@21"},
		{"outage 7: a late answer", Config{}, []step{{4, "a t"}, {2, "a -"}, {9, "a t~"}, {4, "a t"}}, ""},
		{"outage 7: does not end what was told", Config{}, []step{{4, "a t"}, {3, "a -"}, {3, "a t~"}, {4, "a t"}}, "outage@5 recovery@11/6s"},
		{"outage 8: not told", Config{Outage: -1}, []step{{4, "a t"}, {9, "a -"}, {4, "a t"}}, ""},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			w := newWorld(t, tt.cfg)
			for _, s := range tt.steps {
				w.rounds(s.rounds, s.path)
			}
			w.want("events", strings.Join(w.events, " "), tt.want)
		})
	}
}

func TestWhatIsShown(t *testing.T) {
	for _, tt := range []struct {
		path    string
		hops    int
		why     plan.End
		reached bool
		who     string
	}{
		{"a b t", 3, plan.EndReached, true, "abt"},
		{"a - t", 3, plan.EndReached, true, "a-t"},
		{"a b -", 2, plan.EndMaxHops, false, "ab"},
		{"t", 1, plan.EndReached, true, "t"},
		{"!a -", 1, plan.EndUnreachable, false, "a"},
		{"a - -", 1, plan.EndMaxHops, false, "a"},
		{"-", 0, plan.EndMaxHops, false, ""},
		{"a !b -", 2, plan.EndUnreachable, false, "ab"},
		{"a %b -", 2, plan.EndRefused, false, "ab"},
		{"a b c b c b c", 5, plan.EndLoop, false, "abcbc"},
	} {
		w := newWorld(t, Config{})
		w.rounds(5, tt.path)
		hops, why := w.p.Show()
		who := ""
		for i := range hops {
			who += nameOf(w.p.Address(i))
		}
		if hops != tt.hops || why != tt.why || w.p.Reached() != tt.reached || who != tt.who {
			t.Errorf("%s: %d hops, %v, reached %v, %s", tt.path, hops, why, w.p.Reached(), who)
		}
	}
}

// Path 8: behind the end nobody answers, and what was never shown is forgotten.
func TestWhatIsForgottenBehindTheEnd(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(6, "a b c t")
	if n := len(w.p.path.hops); n != 4 {
		t.Errorf("%d hops are kept", n)
	}
	w.p.Show()
	late := w.log[4]
	if late.ttl != 5 {
		t.Fatalf("nothing was probed behind the end: %v", w.log)
	}
	if e := w.p.Entry(late.key); e.Counts || e.Hop != late.ttl-1 {
		t.Errorf("of a hop that is forgotten: %+v", e)
	}
	w.rounds(9, "a t")
	if n := len(w.p.path.hops); n != 4 {
		t.Errorf("%d hops are kept of those that were shown", n)
	}
	if h := w.p.path.hops[3]; h.isKnown() || h.last.IsValid() || h.sent == 0 || w.p.Since(3) != 1 {
		t.Errorf("the fourth hop is %+v", h)
	}
	w.rounds(40, "a - - - - t")
	if n, _ := w.p.Show(); n != 6 || w.p.Since(5) < 8 {
		t.Errorf("%d hops, the last counts since round %d", n, w.p.Since(5))
	}
	w.rounds(1, "a t")
	w = newWorld(t, Config{Interval: 120 * time.Millisecond}) // several leave before the first answer
	if w.rounds(3, "t"); len(w.p.path.hops) != 1 {
		t.Errorf("%d hops are kept of a path of one", len(w.p.path.hops))
	}
	var p path
	p.at(2, 5)
	if p.find(2, 4) != nil || p.find(3, 5) != nil || p.find(2, 5) == nil {
		t.Error("a probe from before its hop was forgotten counts, or one from then on does not")
	}
}

// Path 5: however long a hop was silent, two answers of the target there are not enough.
func TestThreeAnswersMakeThePathShorter(t *testing.T) {
	for answers := 1; answers <= 4; answers++ {
		const silent = 1_000_000
		p := path{length: 3}
		p.at(2, 1)
		p.hops[2].responders.take(answer{from: addressOf('t'), target: true})
		for i := range answers {
			p.hops[1].responders.take(answer{from: addressOf('t'), target: true, ordinal: silent + i})
		}
		p.hops[1].turnout = ratio{count: float64(answers), span: float64(answers)}
		if events := p.measure(nil); len(events) == 1 != (answers >= 3) || p.length == 2 != (answers >= 3) {
			t.Errorf("%d answers: %+v, %d hops", answers, events, p.length)
		}
	}
}

// Path 5: after how many answers at a nearer hop the path has always been that short.
func TestWhenTheFirstAnswersMayHaveBeenLost(t *testing.T) {
	for answers, want := range map[int]int{63: 3, 64: 2} {
		w := newWorld(t, Config{})
		w.rounds(3, "a - t")
		if w.rounds(answers, "a t"); w.p.path.length != want {
			t.Errorf("after %d answers the path has %d hops, want %d", answers, w.p.path.length, want)
		}
	}
}

// Path 7: who left a hop and comes back begins anew.
func TestWhoComesBackBeginsAnew(t *testing.T) {
	p := path{most: 30}
	p.at(2, 1)
	hear := func(index, second int, word string) {
		o := observations(word, index+1)[0]
		o.Sent = epoch.Add(time.Duration(second) * time.Second)
		p.compare(index, &o)
		if o.Kind == plan.Reply && index == 1 {
			p.hops[1].responders.take(answer{from: o.Responder, target: true, at: o.Answered(), ordinal: second})
		}
	}
	for second := range 500 {
		hear(1, second, "t")
	}
	hear(2, 500, "t")
	for second := 501; p.hops[1].target() != nil && second < 600; second++ {
		hear(1, second, "-")
	}
	if h := &p.hops[1]; h.target() != nil || h.turnout != (ratio{}) || h.silent != 0 || !h.passed.IsZero() {
		t.Errorf("%+v", h)
	}
}

// Path 7, by the numbers.
func TestWhatTheEndOfThePathAnswers(t *testing.T) {
	var p path
	p.most = 30
	at := func(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }
	hear := func(index, second int, word string) {
		o := observations(word, index+1)[0]
		o.Sent = at(second)
		p.compare(index, &o)
		if o.Kind == plan.Reply && index == 1 {
			p.at(1, 1).responders.take(answer{from: o.Responder, target: true, at: o.Answered(), ordinal: second})
		}
	}
	p.at(5, 1)
	hear(1, 1, "t") // there was no end before
	h := &p.hops[1]
	for _, step := range []struct {
		index, second int
		word          string
		turnout       ratio
		silent        float64
		passed        int // 0: not
	}{
		{1, 1, "-", ratio{}, 0, 0}, // it left before the first answer came
		{1, 2, "t", ratio{1, 1, 0}, 0, 0},
		{1, 3, "-", ratio{1, 1, 0}, 1, 0},
		{1, 4, "?", ratio{1, 1, 0}, 1, 0},
		{0, 4, "a", ratio{1, 1, 0}, 1, 0},
		{2, 5, "a", ratio{1, 1, 0}, 1, 0},
		{2, 5, "-", ratio{1, 1, 0}, 1, 0},
		{2, 5, "t", ratio{1, 1, 0}, 1, 5},
		{3, 6, "t", ratio{1, 1, 0}, 1, 5},
		{1, 5, "-", ratio{1, 1, 0}, 2, 5},
		{1, 6, "-", ratio{1, 1, 1}, 2, 5},
		{1, 7, "?", ratio{1, 1, 1}, 2, 5},
		{1, 7, "-", ratio{1, 1, 2}, 2, 5},
		{1, 8, "a", ratio{2, 6, 0}, 0, 0}, // somebody is there
	} {
		hear(step.index, step.second, step.word)
		passed := 0
		if !h.passed.IsZero() {
			passed = int(h.passed.Sub(epoch) / time.Second)
		}
		if h.turnout != step.turnout || h.silent != step.silent || passed != step.passed {
			t.Errorf("after %s at hop %d, %d s: %+v, silent %v, passed %d; want %+v", step.word, step.index+1, step.second, h.turnout, h.silent, passed, step)
		}
	}
}
