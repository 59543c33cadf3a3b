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

func times(n int, space time.Duration) string {
	var all []string
	for i := range n {
		all = append(all, (time.Duration(i) * space).String())
	}
	return strings.Join(all, " ")
}
