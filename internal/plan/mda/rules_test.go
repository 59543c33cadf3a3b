package mda

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/plantest"
)

var start = time.Unix(1_000_000, 0)

// met returns a trace of which it is known what flows met: "r:01234 / a:012 b:34". A
// letter or digit is a flow, from 0 on. The name * is silence, one with a . is the
// target, and one with a ! refuses to forward.
func met(t *testing.T, cfg Config, text string) *Trace {
	t.Helper()
	tr := New(cfg, start)
	for hop, level := range strings.Split(text, "/") {
		for _, word := range strings.Fields(level) {
			name, flows, _ := strings.Cut(word, ":")
			for _, c := range flows {
				flow := strings.IndexRune(letters, c)
				p := tr.take(place{hop, flow}, start)
				a := tr.ask(hop, flow)
				a.want = max(a.want, 1)
				o := plan.Observation{Key: p.Key, Settles: true, Sent: start, Kind: plan.TimeExceeded, RTT: time.Millisecond}
				switch {
				case name == "*":
					o.Kind = plan.Silent
					a.sent = cfg.Count
				case strings.HasSuffix(name, "."):
					o.Kind = plan.Reply
				case strings.HasSuffix(name, "!"):
					o.Kind = plan.Unreachable
				}
				if name != "*" {
					o.Responder = plantest.Address(strings.TrimRight(name, ".!"))
				}
				tr.Observe(start, &o)
			}
		}
	}
	return tr
}

const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// asked returns what is to be asked: "2:56" are the flows 5 and 6 at the second hop.
func asked(tr *Trace) string {
	tr.stale = true
	tr.update(tr.window.hops)
	var words []string
	for hop := range tr.hops {
		flows := ""
		for flow := range tr.hops[hop].asks {
			a := &tr.hops[hop].asks[flow]
			if tr.wants(a) && tr.ends[flow] >= hop && hop <= tr.last {
				flows += string(letters[flow])
				if more := a.want - a.answered; a.answered > 0 && more > 0 {
					flows += fmt.Sprintf("(%d)", more)
				}
			}
		}
		if flows != "" {
			words = append(words, fmt.Sprintf("%d:%s", hop+1, flows))
		}
	}
	return strings.Join(words, " ")
}

// short is a trace of few hops.
func short(hops int) Config {
	c := usual()
	c.MaxHops = hops
	return c
}

// sent returns when probes leave to a hop that answers as n does, in milliseconds.
func times(t *testing.T, n *network, cfg Config, ttl int) (at []int) {
	t.Helper()
	n.trace(t, cfg)
	for i, p := range n.sent {
		if p.TTL == ttl {
			at = append(at, int(n.times[i].Milliseconds()))
		}
	}
	return at
}

func TestRule1AFlowIsAskedForAgainLaterEachTime(t *testing.T) {
	for _, tt := range []struct {
		name              string
		count             int
		interval, timeout time.Duration
		want              []int
	}{
		{"after 250 ms, then after twice as long", 7, 50, 20_000, []int{0, 250, 750, 1750, 3750, 7750, 11750}},
		{"not before the interval", 3, 400, 20_000, []int{0, 400, 900}},
		{"after the timeout at the latest", 4, 50, 300, []int{0, 250, 550, 850}},
		{"as often as it may be", 1, 50, 300, []int{0}},
	} {
		cfg := Config{FirstHop: 1, MaxHops: 1, Flows: 1, Count: tt.count, Interval: tt.interval * time.Millisecond, Timeout: tt.timeout * time.Millisecond}
		if got := times(t, newNetwork("r! t", 1), cfg, 1); !slices.Equal(got, tt.want) {
			t.Errorf("%s: probes leave at %v, want %v", tt.name, got, tt.want)
		}
	}
	tr := met(t, short(3), "r:0")
	tr.slow = 400 * time.Millisecond
	a := ask{sent: 1, left: start}
	if due := tr.due(&hop{}, &a, start); !due.Equal(start.Add(800 * time.Millisecond)) {
		t.Errorf("after an RTT of 400 ms it is asked again after %v, want twice that", due.Sub(start))
	}
	if a.discarded = 1; !tr.due(&hop{}, &a, start).Equal(start) {
		t.Error("what is discarded puts the next off")
	}
	if tr.Observe(start, &plan.Observation{Key: plan.MakeKey(1, 0), Settles: true, Kind: plan.TimeExceeded, Responder: plantest.Address("r"), RTT: time.Second}); tr.slow != time.Second {
		t.Errorf("the longest RTT is %v", tr.slow)
	}
}

func TestRule2ProbesToAHopLeaveInBursts(t *testing.T) {
	cfg := usual()
	cfg.Flows, cfg.MaxHops = 20, 1
	want := append(append([]int{0}, slices.Repeat([]int{2}, 7)...), append(slices.Repeat([]int{50}, 8), slices.Repeat([]int{100}, 4)...)...)
	if got := times(t, newNetwork("r t", 1), cfg, 1); !slices.Equal(got, want) {
		t.Errorf("20 probes leave at %v, want %v", got, want)
	}
}

func TestRule3OneFlowScouts(t *testing.T) {
	tr := New(usual(), start)
	next := func(at time.Duration) (words string, wake time.Duration) {
		for {
			p, ok, due := tr.Next(start.Add(at))
			if !ok {
				return words, due.Sub(start)
			}
			words += fmt.Sprintf("%d:%d ", p.TTL, p.Flow)
		}
	}
	if words, wake := next(0); words != "1:0 2:0 3:0 4:0 " || wake != 50*time.Millisecond {
		t.Errorf("at first %s, and then after %v", words, wake)
	}
	if words, _ := next(49 * time.Millisecond); words != "" {
		t.Errorf("after 49 ms %s", words)
	}
	if words, _ := next(50 * time.Millisecond); words != "5:0 6:0 7:0 8:0 " {
		t.Errorf("after an Interval %s", words)
	}
	answer := plan.Observation{Key: plan.MakeKey(6, 0), Settles: true, Kind: plan.TimeExceeded, Responder: plantest.Address("f"), Sent: start, RTT: time.Millisecond}
	tr.Observe(start, &answer)
	if words, _ := next(50 * time.Millisecond); !strings.HasSuffix(words, "9:0 10:0 ") || strings.Contains(words, "11:") || !strings.HasPrefix(words, "1:1 1:2 1:3 1:4 1:5 2:1") || strings.Contains(words, "7:1") {
		t.Errorf("after an answer of the sixth hop %s", words)
	}
	answer = plan.Observation{Key: plan.MakeKey(3, 0), Settles: true, Kind: plan.Reply, Responder: plantest.Address("t"), Sent: start, RTT: time.Millisecond}
	tr.Observe(start, &answer)
	if words, wake := next(time.Second); strings.Contains(words, "11:") || wake == 100*time.Millisecond {
		t.Errorf("behind the end %s, and again after %v", words, wake)
	}
	if w := newWindow(start, 0); !w.grows.Equal(start.Add(10 * time.Millisecond)) {
		t.Errorf("without an interval the window grows after %v", w.grows.Sub(start))
	}
	for i, opens := range []bool{true, true, true, false} { // of 16 hops
		tr := New(short(16), start)
		tr.window.hops = []int{4, 8, 15, 16}[i]
		if tr.opens() != opens {
			t.Errorf("with %d of 16 hops open, it opens further: %v", tr.window.hops, !opens)
		}
	}
}

func TestRule4AFlowEndsWhereItsAnswersEndIt(t *testing.T) {
	tr := met(t, usual(), "r:0123 / t.:0 a!:1 b:23 / c:2 t.:3")
	if !slices.Equal(tr.ends, []int{1, 1, never, 2}) || tr.near != 1 || tr.far != 2 {
		t.Errorf("ends %v, the nearest %d, the farthest answer %d", tr.ends, tr.near, tr.far)
	}
	tr.answer(1, 1, plantest.Address("b"), plan.Passes)
	if tr.ends[1] != never {
		t.Errorf("a flow that passes ends at %d", tr.ends[1])
	}
	tr.answer(1, 0, plantest.Address("b"), plan.Passes)
	if tr.ends[0] != 1 {
		t.Errorf("a flow that the target answered ends at %d", tr.ends[0])
	}
	for _, tt := range []struct {
		network   string
		hop, flow int // from 0
		want      bool
	}{
		{"r:01 / a:01 / b:1 t.:0", 3, 1, true},             // seen to go on
		{"r:01 / a:01 / t.:0", 3, 1, false},                // not asked for at the end
		{"r:01 / a:01 / t.:0", 2, 1, true},                 // up to the end
		{"r:01 / a:01 / b:1 t.:0", 3, 0, false},            // it ended
		{"r:01 / a:01 / t.:0 *:1 / *:1 / *:1", 5, 1, true}, // silent behind it, but not for long
		{"r:01 / a:0 *:1 / t.:0 *:1 / *:1 / *:1", 5, 1, false},
		{"t.:0 *:1 / *:1 / *:1", 3, 1, true},
		{"t.:0 *:1 / *:1 / *:1 / *:1", 4, 1, false},
	} {
		if got := met(t, usual(), tt.network).mayReach(tt.hop, tt.flow); got != tt.want {
			t.Errorf("%s: flow %d may be asked for at hop %d: %v", tt.network, tt.flow, tt.hop+1, got)
		}
	}
}

func TestRule5TheTraceEndsByItsShape(t *testing.T) {
	for _, tt := range []struct {
		name, network string
		gap, hops     int
		end           plan.End
		last          int
	}{
		{"a circle", "r:0 / a:0 / b:0 / a:0 / b:0 / c:0", 0, 9, plan.EndLoop, 4},
		{"sets of routers", "r:0 / a:0 b:1 / c:0 / b:0 a:1 / c:0 / d:0", 0, 9, plan.EndLoop, 4},
		{"other sets", "r:0 / a:0 b:1 / c:0 / b:0 / c:0 / d:0", 0, 9, plan.EndMaxHops, 8},
		{"a gap", "r:0 / *:0 / *:0 / *:0 / d:0", 2, 9, plan.EndGap, 2},
		{"a gap that is not long enough", "r:0 / *:0 / b:0 / *:0 / d:0", 2, 9, plan.EndMaxHops, 8},
		{"any gap", "r:0 / *:0 / *:0 / *:0 / *:0", 0, 9, plan.EndMaxHops, 8},
		{"a gap from the beginning", "*:0 / *:0 / c:0", 2, 9, plan.EndGap, 1},
		{"the target has the address of routers", "r:0 / r:0 / r.:0", 0, 9, plan.EndMaxHops, 8},
		{"silence is no circle", "r:0 / *:0 / *:0 / *:0 / *:0 / *:0", 0, 9, plan.EndMaxHops, 8},
		{"a circle behind the target", "r:0 / t.:0 / t.:1 / t.:1", 0, 9, plan.EndMaxHops, 8},
		{"no further hop", "r:0 / a:0", 0, 2, plan.EndMaxHops, 1},
	} {
		cfg := short(tt.hops)
		cfg.GapLimit, cfg.Flows = tt.gap, 1
		tr := met(t, cfg, tt.network)
		if asked(tr); tr.cut != tt.end || tr.last != tt.last {
			t.Errorf("%s: it ends with %d at hop %d, want %d at %d", tt.name, tr.cut, tr.last+1, tt.end, tt.last+1)
		}
	}
	cfg := usual()
	cfg.Flows = 2
	tr := met(t, cfg, "r:0 / r:0")
	asked(tr)
	if tr.answer(2, 0, plantest.Address("r"), plan.Passes); asked(tr) == "" || tr.cut != plan.EndMaxHops {
		t.Error("a circle ends the trace before all flows were asked for")
	}
}

func TestRule6EachOfANumberOfFlowsIsAskedForAtEachHop(t *testing.T) {
	cfg := usual()
	cfg.Flows = 3
	for network, want := range map[string]string{
		"r:0":                      "1:12 2:0 3:0 4:0 5:0",
		"r:012 / a:0":              "2:12 3:0 4:0 5:0 6:0",
		"r:012 / a:012 / t.:0":     "3:12",
		"r:012 / a:012 / t.:012":   "",
		"r:012 / t.:02 *:1":        "", // silent where the others end
		"r:012 / a:01 b:2 / t.:01": "2:0(3) 3:2",
		"r:012 / t.:0 b:12 / t.:1": "2:0(3) 3:2",
		"r:012 / t.:0 b:12 / c:1":  "2:0(3) 3:2 4:1",
	} {
		if got := asked(met(t, cfg, network)); got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
	n := newNetwork("r a, a t", 1)
	v := n.trace(t, cfg).View(true)
	if n.probes(v) != 9 || v.Holds() || v.Flows() != 3 {
		t.Errorf("%d probes of %d flows, complete: %v", n.probes(v), v.Flows(), v.Holds())
	}
}
