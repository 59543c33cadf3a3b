package watch

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

var (
	errNoPath = errors.New("no path")
	errOther  = errors.New("no permission")
	epoch     = time.Unix(1_000_000, 0)
)

// departure is a probe that left.
type departure struct {
	at    time.Duration
	ttl   int
	round int
	key   plan.Key
}

// world drives a Plan by a clock of its own. What a probe meets is a word of the path
// of its round, or of the last word that there is:
//
//	a       the router a answers, after 10 ms a hop
//	t       the target does
//	-       nobody does, until the timeout
//	?       nobody does, and it may be this host's loss
//	!a      a refuses to forward
//	%a      a says that the port is closed
//	t~ a~   the answer comes after the timeout
//	t& a&   it comes twice
//	t+      it takes half a second
//	(a      advice by a, and no more until the timeout
//	u       an answer comes, which does not say that it is to this probe
//	x y     this host does not send: there is no path, or it may not
type world struct {
	t       *testing.T
	p       *Plan
	now     time.Time
	path    string
	log     []departure
	pending []plan.Observation // by the time at which they come
	events  []string
}

func newWorld(t *testing.T, cfg Config) *world {
	if cfg.MaxHops == 0 {
		cfg.MaxHops = 30
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Second
	}
	if cfg.Outage == 0 {
		cfg.Outage = 3
	}
	cfg.FirstHop, cfg.Timeout = max(cfg.FirstHop, 1), 2*time.Second
	cfg.NoPath = func(err error) bool { return err == errNoPath }
	p := New(cfg, epoch)
	return &world{t: t, p: &p, now: epoch}
}

func addressOf(who byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, who}) }

func nameOf(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return string(rune(a.As4()[3]))
}

// rounds drives the Plan for so many rounds along a path, and begins the next.
func (w *world) rounds(n int, path string) {
	w.t.Helper()
	w.path = path
	for range n {
		w.round()
		w.note()
		w.p.Begin(w.now)
	}
}

// round drives the Plan to the end of its round.
func (w *world) round() {
	w.t.Helper()
	for range 10000 {
		probe, ok, wake := w.p.Next(w.now)
		switch {
		case ok:
			w.leave(probe)
			continue
		case w.p.Done():
			return
		case len(w.pending) > 0 && (wake.IsZero() || !w.comes(0).After(wake)):
			w.now = w.comes(0)
			o := w.pending[0]
			w.pending = w.pending[1:]
			w.p.Observe(w.now, &o)
			continue
		case wake.IsZero():
			w.t.Fatal("the plan waits for nothing")
		}
		w.now = wake
	}
	w.t.Fatal("the round does not end")
}

func (w *world) note() {
	for _, e := range w.p.Events() {
		text := fmt.Sprintf("%d:%s>%s@%d", e.Hop, nameOf(e.From), nameOf(e.To), e.Round)
		switch e.Kind {
		case Outage:
			text = fmt.Sprintf("outage@%d", e.Round)
		case Recovery:
			text = fmt.Sprintf("recovery@%d/%v", e.Round, e.Duration)
		}
		w.events = append(w.events, text)
	}
}

// comes returns when a pending observation does.
func (w *world) comes(i int) time.Time { return w.pending[i].Sent.Add(max(w.pending[i].RTT, 0)) }

func (w *world) leave(probe plan.Probe) {
	d := departure{w.now.Sub(epoch), probe.TTL, w.p.Round(), probe.Key}
	words := strings.Fields(w.path)
	word := words[min(probe.TTL-w.p.cfg.FirstHop, len(words)-1)]
	if word == "x" || word == "y" {
		w.p.Refused(probe.Key, map[string]error{"x": errNoPath, "y": errOther}[word], w.now)
		return
	}
	w.log = append(w.log, d)
	w.p.Sent(probe.Key, w.now)
	for _, o := range observations(word, probe.TTL) {
		o.Key, o.Sent = probe.Key, w.now
		w.pending = append(w.pending, o)
	}
	slices.SortStableFunc(w.pending, func(a, b plan.Observation) int {
		return a.Sent.Add(a.RTT).Compare(b.Sent.Add(b.RTT))
	})
}

// observations returns what a word means; a silent one has the timeout in place of its
// RTT.
func observations(word string, ttl int) []plan.Observation {
	silence := plan.Observation{Kind: plan.Silent, Settles: true, RTT: 2 * time.Second}
	who := strings.Trim(word, "!%~&+(")
	answer := plan.Observation{Kind: plan.TimeExceeded, Settles: true, Responder: addressOf(who[0]), RTT: time.Duration(ttl) * 10 * time.Millisecond}
	if who == "t" {
		answer.Kind, answer.FromTarget = plan.Reply, true
	}
	second := answer
	second.Settles = false
	switch {
	case who == "?":
		silence.Suspect = true
		fallthrough
	case who == "-":
		return []plan.Observation{silence}
	case who == "u":
		return []plan.Observation{{Kind: plan.Unclear, RTT: answer.RTT}, silence}
	case word[0] == '!':
		answer.Kind, answer.FromTarget = plan.Unreachable, false
	case word[0] == '%':
		answer.Kind, answer.FromTarget = plan.Refused, false
	case word[0] == '(':
		second.Kind, second.FromTarget = plan.Advice, false
		return []plan.Observation{second, silence}
	case strings.HasSuffix(word, "~"):
		second.Late, second.RTT = true, 2100*time.Millisecond
		return []plan.Observation{silence, second}
	case strings.HasSuffix(word, "&"):
		second.Duplicate, second.RTT = true, 2*answer.RTT
		return []plan.Observation{answer, second}
	case strings.HasSuffix(word, "+"):
		answer.RTT = 500 * time.Millisecond
	}
	return []plan.Observation{answer}
}

// ttls returns the hops that were probed in a round, in their order.
func (w *world) ttls(round int) string {
	var all []string
	for _, d := range w.log {
		if d.round == round {
			all = append(all, fmt.Sprint(d.ttl))
		}
	}
	return strings.Join(all, " ")
}

// times returns when that was, from the beginning of the first probe.
func (w *world) times(round int) string {
	var all []string
	first := time.Duration(-1)
	for _, d := range w.log {
		if d.round == round {
			if first < 0 {
				first = d.at
			}
			all = append(all, (d.at - first).String())
		}
	}
	return strings.Join(all, " ")
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func (w *world) inFlight(want ...plan.Key) {
	w.t.Helper()
	var got []plan.Key
	for k, e := range w.p.InFlight() {
		got = append(got, k)
		if e != w.p.Entry(k) {
			w.t.Errorf("%+v", e)
		}
	}
	for range w.p.InFlight() {
		break
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("in flight: %v, want %v", got, want)
	}
}

// upTo returns "1 2 3" for 3.
func upTo(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i+1))
	}
	return strings.Join(all, " ")
}

func TestRule1EachHopIsProbedOnceARound(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(4, "a b c t")
	for round := 2; round <= 4; round++ {
		w.want("hops", w.ttls(round), "1 2 3 4")
		w.want("times", w.times(round), "0s 250ms 500ms 750ms")
	}
	for _, d := range w.log {
		if d.round > 1 && d.ttl == 1 && d.at != time.Duration(d.round-1)*time.Second {
			t.Errorf("round %d begins after %v", d.round, d.at)
		}
	}
}

func TestRule1TheFirstHopMayBeFarther(t *testing.T) {
	w := newWorld(t, Config{FirstHop: 5, MaxHops: 9})
	w.rounds(2, "a b t")
	w.want("hops", w.ttls(2), "5 6 7")
	if hops, _ := w.p.Show(); hops != 3 || w.p.Distance(2) != 7 {
		t.Errorf("%d hops, the last at %d", hops, w.p.Distance(2))
	}
}

func TestRule2WhatWasMissedIsNotMadeUpFor(t *testing.T) {
	for _, tt := range []struct{ late, want time.Duration }{
		{400 * time.Millisecond, 0}, {500 * time.Millisecond, 0}, {501 * time.Millisecond, 501 * time.Millisecond}, {10 * time.Second, 10 * time.Second},
	} {
		w := newWorld(t, Config{})
		w.path = "a t"
		w.round()
		end := epoch.Add(time.Second)
		w.p.Begin(end.Add(tt.late))
		if got := w.p.start.Sub(end); got != tt.want {
			t.Errorf("%v late: the round begins at %v, want %v", tt.late, got, tt.want)
		}
	}
}

func TestRule2AProbeThatIsLateMovesTheNext(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(1, "a b c t")
	w.now = w.now.Add(300 * time.Millisecond) // the second probe is due, too
	leave := func(ttl int, at time.Duration) {
		t.Helper()
		probe, ok, wake := w.p.Next(w.now)
		if !ok || probe.TTL != ttl {
			t.Fatalf("hop %d is probed at %v, want hop %d", probe.TTL, wake.Sub(w.now), ttl)
		}
		w.p.Sent(probe.Key, w.now.Add(at))
	}
	leave(1, 0)
	leave(2, time.Second)
	if _, ok, wake := w.p.Next(w.now); ok || wake.Sub(w.now) != time.Second {
		t.Errorf("after a probe that left a second late the next is due after %v", wake.Sub(w.now))
	}
}

func TestRule2OneProbeWaitsAtATime(t *testing.T) {
	w := newWorld(t, Config{})
	probe, ok, _ := w.p.Next(w.now)
	if _, again, wake := w.p.Next(w.now.Add(time.Minute)); !ok || again || !wake.IsZero() || w.p.Done() {
		t.Error("another probe leaves while one waits, or the round ends")
	}
	for name, leave := range map[string]func(){
		"sent":     func() { w.p.Sent(probe.Key, w.now) },
		"refused":  func() { w.p.Refused(probe.Key, errOther, w.now) },
		"recalled": func() { w.p.Recall(probe.Key) },
	} {
		leave()
		w.now = w.now.Add(time.Second)
		if probe, ok, _ = w.p.Next(w.now); !ok {
			t.Errorf("no probe leaves after one was %s", name)
		}
	}
}

func TestRule3AllHopsAreProbedInTheFirstRound(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second, MaxHops: 12})
	w.rounds(1, "a b c -")
	w.want("hops", w.ttls(1), upTo(12))
	w.want("times", w.times(1), "0s 50ms 100ms 150ms 200ms 250ms 300ms 350ms 400ms 450ms 500ms 550ms")
	w = newWorld(t, Config{Interval: 120 * time.Millisecond, MaxHops: 12})
	w.rounds(1, "a b c -")
	w.want("times", w.times(1), "0s 10ms 20ms 30ms 40ms 50ms 60ms 70ms 80ms 90ms 100ms 110ms")
}

func TestRule3UntilTheTargetAnswers(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second})
	w.rounds(2, "a b t")
	w.want("hops", w.ttls(1), upTo(3)) // the third answers after 30 ms
	w.want("hops", w.ttls(2), upTo(3))
}

func TestRule3TheScout(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 14})
	w.rounds(8, "a b c -")
	for round, scout := range map[int]int{2: 12, 3: 13, 4: 14, 5: 12, 6: 13, 7: 14} {
		w.want("hops", w.ttls(round), upTo(11)+" "+fmt.Sprint(scout))
	}
	if space := w.log[14].at - w.log[13].at; space < 80*time.Millisecond {
		t.Errorf("%v", space)
	}
	w.want("times", w.times(3), times(12, time.Second/12))
	w = newWorld(t, Config{MaxHops: 11}) // there is nothing to scout
	w.rounds(2, "a b c -")
	w.want("hops", w.ttls(2), upTo(11))
	w.want("times", w.times(2), times(11, time.Second/11))
}

func times(n int, space time.Duration) string {
	var all []string
	for i := range n {
		all = append(all, (time.Duration(i) * space).String())
	}
	return strings.Join(all, " ")
}

func TestRule4NothingBehindAStop(t *testing.T) {
	for path, last := range map[string]int{
		"a !b -":      2,
		"!a":          1,
		"a b c b c b": 5, // the circle closes at the second time
		"a b b b":     4, // one router has to answer three times
	} {
		w := newWorld(t, Config{})
		w.rounds(2, path)
		w.want(path, w.ttls(2), upTo(last)+" "+fmt.Sprint(last+1))
		w.rounds(1, path)
		w.want(path, w.ttls(3), upTo(last)+" "+fmt.Sprint(last+2))
	}
}

func TestRule5WhatLiesBeyondTheEnd(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(2, "a t")
	w.rounds(4, "a -")
	w.want("the target has time to answer", w.ttls(2), "1 2")
	w.want("its silence is seen in this round", w.ttls(3), "1 2 3 4 5 6 8")
	w.want("not in the next", w.ttls(4), "1 2")
	w.want("but in that after it", w.ttls(5), "1 2 3 4 5 6 10")
	w.want("again", w.ttls(6), "1 2")
	// The share of the last hop is 500 ms, of which a sixth lies between two. What was due
	// while the target had its time is not made up for.
	w.want("times", w.times(3), "0s 500ms 1s 1s 1.083333333s 1.166666666s 1.249999999s")
	w.rounds(1, "a t")
	w.rounds(1, "a t")
	w.want("an answer ends that", w.ttls(8), "1 2")
	w = newWorld(t, Config{})
	w.rounds(3, "t")
	w.rounds(3, "-")
	w.want("of one hop", w.ttls(2), "1")
	w.want("beyond the first", w.ttls(4), "1 2 3 4 5 8")
	w.want("and then not", w.ttls(5), "1")
}

func TestRule5TheTargetHasItsTime(t *testing.T) {
	for _, tt := range []struct {
		path    string
		slowest string
		after   time.Duration
		beyond  bool
	}{
		{"a t", "a t", 250 * time.Millisecond, false},
		{"a t", "a t", 251 * time.Millisecond, true},
		{"a t+", "a t", time.Second, false},
		{"a t+", "a t", 1001 * time.Millisecond, true},
		{"a t~", "a t", 251 * time.Millisecond, true}, // a late answer is no measure
	} {
		w := newWorld(t, Config{Interval: 10 * time.Second})
		w.rounds(1, tt.slowest)
		w.rounds(2, tt.path)
		w.path = "a -"
		for w.p.next < 2 {
			probe, ok, wake := w.p.Next(w.now)
			if ok {
				w.p.Sent(probe.Key, w.now)
				continue
			}
			w.now = wake
		}
		if w.p.Next(w.now.Add(tt.after)); w.p.beyond != tt.beyond {
			t.Errorf("%s: after %v what lies beyond is probed: %v", tt.path, tt.after, w.p.beyond)
		}
	}
	w := newWorld(t, Config{Interval: 10 * time.Second, MaxHops: 3})
	w.rounds(1, "a t")
	w.rounds(1, "a -")
	w.want("not farther than MaxHops", w.ttls(2), "1 2 3")
}

func TestRule6WhenARoundIsOver(t *testing.T) {
	w := newWorld(t, Config{Rounds: 2})
	w.path = "a -"
	w.round()
	if got := w.now.Sub(epoch); got != time.Second || w.p.IsLast() || w.p.flights.count == 0 {
		t.Errorf("the first round lasts %v", got)
	}
	if _, ok, wake := w.p.Next(w.now); ok || !wake.IsZero() {
		t.Error("a probe leaves in a round that is over")
	}
	w.p.Begin(w.now)
	w.round()
	last := w.log[len(w.log)-1].at
	if got := w.now.Sub(epoch); got != last+2*time.Second || !w.p.IsLast() || w.p.flights.count > 0 {
		t.Errorf("the last round ends after %v, its last probe left after %v", got, last)
	}
}

func TestRule6ListensWhereItMatters(t *testing.T) {
	w := newWorld(t, Config{Rounds: 3, Interval: 10 * time.Second})
	w.rounds(1, "a t")
	if w.p.Listens() {
		t.Error("in the midst of a round")
	}
	for range 2 {
		probe, _, _ := w.p.Next(w.now)
		w.p.Sent(probe.Key, w.now)
		_, _, wake := w.p.Next(w.now)
		w.now = wake
	}
	if !w.p.Listens() {
		t.Error("not after the last probe of a round")
	}
	w.p.Begin(w.now)
	if w.p.Begin(w.now); !w.p.Listens() {
		t.Error("not in the last round")
	}
}

func TestRule7StopAndWait(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(2, "a b t")
	if w.p.Alone() {
		t.Fatal("it begins alone")
	}
	w.rounds(1, "a u t")
	if !w.p.Alone() {
		t.Fatal("it goes on with many")
	}
	w.rounds(2, "a - t")
	at := map[int]time.Duration{}
	for _, d := range w.log {
		if d.round == 5 {
			at[d.ttl] = d.at
		}
	}
	if at[3]-at[2] < 2*time.Second || at[2]-at[1] > time.Second {
		t.Errorf("in round 5 the probes leave at %v", at)
	}
	if !w.p.Listens() {
		t.Error("what becomes known does not matter")
	}
	w.round()
	if w.p.flights.count > 0 {
		t.Error("a round is over with a probe in flight")
	}
}

func TestRule7NoBulkInTheFirstRound(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 20})
	w.rounds(1, "u -")
	if w.ttls(1) == upTo(20) {
		t.Errorf("probed: %s", w.ttls(1))
	}
}

func TestRule8WhatWasInFlightIsDiscarded(t *testing.T) {
	w := newWorld(t, Config{})
	w.path = "a"
	var keys []plan.Key
	for range 3 {
		probe, _, _ := w.p.Next(w.now)
		w.p.Sent(probe.Key, w.now)
		keys = append(keys, probe.Key)
		w.now = w.now.Add(50 * time.Millisecond)
	}
	w.p.Observe(w.now, &plan.Observation{Key: keys[1], Kind: plan.Unclear})
	for i, k := range keys {
		if e := w.p.Entry(k); !e.Discarded || e.Hop != i || e.Ordinal != 0 || e.Round != 1 || !e.Counts {
			t.Errorf("%+v", e)
		}
	}
	reply := plan.Observation{Key: keys[0], Kind: plan.TimeExceeded, Settles: true, Responder: addressOf('a'), Sent: epoch}
	w.p.Observe(w.now, &reply)
	if got := w.p.Address(0); got != addressOf('a') {
		t.Errorf("an answer that comes all the same is %v's", got)
	}
	w.p.Observe(w.now, &plan.Observation{Key: keys[2], Kind: plan.Silent, Settles: true, Sent: epoch})
	w.inFlight(keys[1])
	if rec := w.p.outages.record(1); !rec.unsure || rec.inFlight != 1 {
		t.Errorf("%+v", rec)
	}
	if e := w.p.Entry(keys[2]); e.Discarded || !e.Sent.IsZero() {
		t.Errorf("of a settled probe: %+v", e)
	}
}

func TestRule9AProbeBehindTheEndIsRecalled(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second})
	var keys []plan.Key
	for range 3 {
		probe, _, _ := w.p.Next(w.now)
		keys = append(keys, probe.Key)
		if len(keys) < 3 {
			w.p.Sent(probe.Key, w.now)
			w.now = w.now.Add(50 * time.Millisecond)
		}
	}
	if !w.p.Wants(keys[2]) {
		t.Error("the third is not wanted")
	}
	w.inFlight(keys[0], keys[1]) // it did not leave
	w.p.Observe(w.now, &plan.Observation{Key: keys[1], Kind: plan.Reply, FromTarget: true, Settles: true, Responder: addressOf('t'), Sent: epoch})
	if w.p.Wants(keys[2]) {
		t.Error("it is wanted behind the end")
	}
	w.p.Recall(keys[2])
	w.inFlight(keys[0])
	if h := w.p.path.hops[2]; h.sent != 0 {
		t.Errorf("%d probes are counted", h.sent)
	}
	w.p.Recall(keys[2]) // it is gone
}

func TestRule9ARecalledProbeIsAskedForAgain(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 14})
	w.rounds(1, "a b c -")
	for n := 0; n < 13; n++ {
		probe, ok, wake := w.p.Next(w.now)
		if !ok {
			w.now = wake
			n--
			continue
		}
		switch n {
		case 4: // the fifth
			w.p.Recall(probe.Key)
		case 12: // the scout
			if probe.TTL != 12 || !w.p.Wants(probe.Key) {
				t.Errorf("the scout is %d", probe.TTL)
			}
			w.p.Recall(probe.Key)
			if again, ok, _ := w.p.Next(w.now.Add(time.Second)); !ok || again.TTL != 12 {
				t.Errorf("not asked for again, but %d", again.TTL)
			}
		default:
			w.p.Sent(probe.Key, w.now)
			w.log = append(w.log, departure{0, probe.TTL, 2, probe.Key})
		}
	}
	w.want("hops", w.ttls(2), upTo(11))
	if rec := w.p.outages.record(2); rec.inFlight != 12 {
		t.Errorf("%d in flight", rec.inFlight)
	}
}

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
		{"path 4: a new path", Config{}, []step{{12, "a b t"}}, ""},
		{"path 5: shorter", Config{}, []step{{6, "a b c t"}, {6, "a t"}}, "2:b>t@7 3:c>-@7 4:t>-@7"},
		{"path 5: a silent router less", Config{}, []step{{12, "a - t"}, {2, "a t"}}, ""},
		{"path 5: and that is no chance", Config{}, []step{{40, "a - t"}, {6, "a t"}}, "3:t>-@41"},
		{"path 5: chance", Config{}, []step{{3, "a - t"}, {62, "a t"}}, ""},
		{"path 6: longer", Config{}, []step{{6, "a t"}, {6, "a b t"}}, "2:t>b@7 3:->t@7"},
		{"path 6: by two", Config{}, []step{{6, "a t"}, {8, "a b c t"}}, "2:t>b@7 3:->c@7 4:->t@7"},
		{"path 6: by a silent router", Config{}, []step{{20, "a t"}, {16, "a - t"}}, "3:->t@21"},
		{"path 5: to one hop", Config{}, []step{{6, "a t"}, {8, "t"}}, "1:a>t@7 2:t>-@7"},
		{"path 6: from one hop", Config{}, []step{{6, "t"}, {8, "a t"}}, "1:t>a@7 2:->t@7"},
		{"path 6: from one hop, by a silent router", Config{}, []step{{20, "t"}, {18, "- t"}}, "2:->t@21"},
		{"path 6: not before the target gave 3 answers", Config{}, []step{{6, "a t"}, {2, "a b t"}, {6, "a b -"}}, "2:t>b@7 outage@9"},
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

// Rule 11.
func TestTheTargetIsReachedUnlessThereIsAnOutage(t *testing.T) {
	for _, outage := range []int{3, -1} {
		w := newWorld(t, Config{Outage: outage})
		w.rounds(4, "a t")
		w.rounds(2, "a -")
		if !w.p.Reached() {
			t.Error("not reached after two silent probes")
		}
		w.rounds(4, "a -")
		if w.p.Reached() {
			t.Errorf("Outage %d: reached in an outage", outage)
		}
		w.rounds(3, "a t") // the silent ones before have to be settled
		if !w.p.Reached() {
			t.Error("not reached after an outage")
		}
	}
	w := newWorld(t, Config{})
	w.rounds(4, "a t")
	w.rounds(1, "a !t")
	if hops, why := w.p.Show(); hops != 2 || why != plan.EndUnreachable {
		t.Errorf("where the target's hop refuses: %d hops, %v", hops, why)
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
}

func TestProbesOfALongRunAreTold(t *testing.T) {
	w := newWorld(t, Config{})
	w.p.round = 1<<24 + 5
	for round, want := range map[int]int{1<<24 + 5: 1<<24 + 5, 1 << 24: 1 << 24, 1<<24 - 1: 1<<24 - 1, 5: 1<<24 + 5, 6: 6} {
		if e := w.p.Entry(plan.MakeKey(1, round)); e.Round != want {
			t.Errorf("round %d is taken for %d, want %d", round, e.Round, want)
		}
	}
}

func TestWhatIsNotKnownIsIgnored(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(3, "a t")
	before := fmt.Sprintf("%+v", *w.p)
	stranger := plan.MakeKey(2, 1)
	w.p.Observe(w.now, &plan.Observation{Key: stranger, Kind: plan.Silent, Settles: true})
	w.p.Refused(stranger, errNoPath, w.now)
	w.p.Recall(stranger)
	w.p.Sent(stranger, w.now)
	if after := fmt.Sprintf("%+v", *w.p); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
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

func TestRecordsOfRounds(t *testing.T) {
	d := newOutages(3)
	d.open(7, epoch)
	d.open(8, epoch)
	for round, want := range map[int]bool{6: false, 7: true, 8: true, 9: false} {
		if got := d.record(round) != nil; got != want {
			t.Errorf("round %d is recorded: %v", round, got)
		}
	}
	d.leaves(7, 3, false, false)
	d.leaves(7, 5, true, false)
	d.leaves(7, 6, true, true)
	d.sent(7, 3, epoch.Add(1))
	d.sent(7, 5, epoch.Add(2))
	d.sent(7, 6, epoch.Add(3))
	if rec := d.record(7); rec.aimed != 5 || !rec.began.Equal(epoch.Add(2)) || rec.inFlight != 3 || !rec.looked {
		t.Errorf("%+v", rec)
	}
	d.close(9, true) // is not open
	d.leaves(9, 1, true, true)
	d.sent(9, 1, epoch)
	d.skip(9, true)
	d.refused(9, true)
	if rec := d.record(8); rec.closed || rec.looked || rec.inFlight != 0 {
		t.Errorf("%+v", rec)
	}
	for _, threshold := range []int{0, -1} {
		if d := newOutages(threshold); d.told || d.limit != 3 {
			t.Errorf("threshold %d: %+v", threshold, d)
		}
	}
}

// Outage 1 and 4: the earliest of the moments counts.
func TestTheFirstOfSeveralProbesCounts(t *testing.T) {
	d := newOutages(1)
	d.seen = true
	hear := func(round, index int, word string, sent time.Time) {
		o := observations(word, 1)[0]
		o.Sent = sent
		d.leaves(round, index, true, true)
		d.take(round, index, &o)
	}
	d.open(1, epoch)
	hear(1, 1, "-", epoch.Add(5))
	hear(1, 2, "-", epoch.Add(3))
	hear(1, 3, "-", epoch.Add(4))
	d.close(1, false)
	events := d.judge(nil)
	d.open(2, epoch)
	hear(2, 1, "t", epoch.Add(15))
	hear(2, 2, "t", epoch.Add(13))
	hear(2, 3, "t", epoch.Add(14))
	events = d.judge(events)
	if len(events) != 2 || !events[0].Time.Equal(epoch.Add(3)) || !events[1].Time.Equal(epoch.Add(13)) || events[1].Duration != 10 {
		t.Errorf("%+v", events)
	}
	if len(d.rounds) != 0 || d.first != 3 {
		t.Errorf("%+v", d)
	}
}

// Outage 6: the target answers again where it was, or farther away.
func TestWhereTheTargetAnswersAgain(t *testing.T) {
	for index, want := range map[int]int{2: 2, 3: 0} { // outage and recovery, or nothing
		d := newOutages(3)
		d.seen, d.downs = true, 3
		d.open(9, epoch)
		d.leaves(9, 2, true, false)
		d.leaves(9, 3, true, true)
		o := observations("t", 1)[0]
		o.Sent = epoch
		d.take(9, index, &o)
		if events := d.judge(nil); len(events) != want {
			t.Errorf("at hop %d: %+v", index, events)
		}
	}
}

// Probes in flight are found whatever order they go in.
func TestFlights(t *testing.T) {
	var f flights
	next, in := 0, map[plan.Key]int{}
	for i := range 5000 {
		if i%7 < 4 {
			k := plan.MakeKey(1+next%3, next/3)
			f.add(flight{key: k, round: next / 3, ordinal: next})
			in[k] = next
			next++
			continue
		}
		for k, n := range in { // any
			if x, ok := f.take(k, n/3); !ok || x.ordinal != n {
				t.Fatalf("%v is %+v, %v", k, x, ok)
			}
			if _, ok := f.take(k, n/3); ok || f.find(k, n/3) != nil {
				t.Fatal("it is there twice")
			}
			delete(in, k)
			break
		}
	}
	if f.count != len(in) {
		t.Fatalf("%d of %d", f.count, len(in))
	}
	last := -1
	for k := range f.each {
		if in[k] <= last {
			t.Fatalf("%d after %d", in[k], last)
		}
		last = in[k]
		delete(in, k)
	}
	if len(in) > 0 {
		t.Errorf("not told: %v", in)
	}
	for range f.each {
		break
	}
	for i := range 10000 { // the memory does not grow with the number of probes
		k := plan.MakeKey(1, 1<<20+i)
		f.add(flight{key: k, round: 1<<20 + i})
		f.take(k, 1<<20+i)
	}
	f = flights{}
	for i := range 10000 {
		f.add(flight{key: plan.MakeKey(1, i), round: i})
		if i >= 3 {
			f.take(plan.MakeKey(1, i-3), i-3)
		}
	}
	if cap(f.all) > 64 {
		t.Errorf("room for %d where 4 are in flight", cap(f.all))
	}
}
