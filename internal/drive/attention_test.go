package drive

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

func soon(*target) Attention    { return Soon }
func whenDue(*target) Attention { return WhenDue }

// What becomes known is looked at as soon as the most attentive task wants it.
func TestTasksHearAsSoonAsTheyWant(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tasks func(w *world)
		want  string
	}{
		{"at once", func(w *world) {
			w.attends("a", nil, 3*ms, 5*ms, 30*ms)
		}, `
			3ms a1 sent
			5ms a2 sent
			13ms a1 replied
			15ms a2 replied
			30ms a3 sent
			40ms a3 replied
			40ms a done
			40ms over`},
		{"soon: 10 ms after the last look", func(w *world) {
			w.attends("a", soon, 3*ms, 5*ms)
		}, `
			3ms a1 sent
			5ms a2 sent
			13ms a1 replied
			23ms a2 replied
			23ms a done
			23ms over`},
		{"soon, or earlier when something is due", func(w *world) {
			w.attends("a", soon, 3*ms, 5*ms, 18*ms)
		}, `
			3ms a1 sent
			5ms a2 sent
			13ms a1 replied
			18ms a2 replied
			18ms a3 sent
			28ms a3 replied
			28ms a done
			28ms over`},
		{"when something is due, and at once when nothing is", func(w *world) {
			w.attends("a", whenDue, 3*ms, 30*ms)
		}, `
			3ms a1 sent
			30ms a1 replied
			30ms a2 sent
			40ms a2 replied
			40ms a done
			40ms over`},
		{"soon where another only wants it when something is due", func(w *world) {
			w.attends("a", soon, 3*ms, 5*ms)
			w.attends("b", whenDue, 60*ms)
		}, `
			3ms a1 sent
			5ms a2 sent
			13ms a1 replied
			23ms a2 replied
			23ms a done
			60ms b1 sent
			70ms b1 replied
			70ms b done
			70ms over`},
		{"at once until the one who wants that has ended", func(w *world) {
			w.attends("a", soon, ms, 4*ms)
			w.attends("b", nil, 2*ms)
		}, `
			1ms a1 sent
			2ms b1 sent
			4ms a2 sent
			11ms a1 replied
			12ms b1 replied
			12ms b done
			22ms a2 replied
			22ms a done
			22ms over`},
		{"at once until it changes its mind", func(w *world) {
			w.attends("a", func(t *target) Attention {
				if t.open[1] {
					return AtOnce
				}
				return Soon
			}, 0, 3*ms, 12*ms)
		}, `
			0s a1 sent
			3ms a2 sent
			10ms a1 replied
			12ms a3 sent
			20ms a2 replied
			30ms a3 replied
			30ms a done
			30ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				tt.tasks(w)
				w.run(t.Context())
				w.happened(t, tt.want)
				if w.Driver.attention != [WhenDue + 1]int{} {
					t.Errorf("of those that want what %v are left", w.Driver.attention)
				}
			})
		})
	}
}

// attends adds a target that wants to hear.
func (w *world) attends(name string, how func(*target) Attention, times ...time.Duration) {
	a := w.to(name, host, times...)
	a.attention = how
	w.Add(a)
}

// Where routers are waited for and very many probes are in flight, what becomes known is
// looked at when something may leave, after one millisecond at the least and two at the most.
func TestVeryManyAnswersAreGathered(t *testing.T) {
	for _, tt := range []struct {
		name     string
		routers  *Routers
		inFlight int
		due      time.Duration // when another probe may leave
		want     string
	}{
		{"64 in flight", &Routers{}, 64, time.Second, "10.5ms"},
		{"65 in flight", &Routers{}, 65, time.Second, "12ms"},
		{"65 in flight, when something may leave", &Routers{}, 65, 11700 * time.Microsecond, "11.7ms"},
		{"65 in flight, when something may leave at once", &Routers{}, 65, 10200 * time.Microsecond, "11ms"},
		{"65 in flight, without routers", nil, 65, time.Second, "10.5ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Config{Routers: tt.routers}, func(t *testing.T, w *world) {
				w.inFlight = tt.inFlight - 1 // of others
				w.Add(w.to("a", odd, 0))
				w.Add(w.to("b", none, tt.due))
				w.run(t.Context())
				if want := tt.want + " a1 replied"; !slices.Contains(w.log, want) {
					t.Errorf("it happened: %q, want %s", w.log, want)
				}
			})
		})
	}
}

// An answer without a mark may be to a probe of any task that probes the address by the
// same operation of the engine.
func TestAnAnswerWithoutAMarkIsHeardByAllItMayBeFor(t *testing.T) {
	for name, tt := range map[string]struct {
		endless bool
		fate    engine.Fate
		want    string
	}{
		"of a run that goes on":           {true, engine.Unclear, "0s a7 unclear\n0s b7 unclear\n0s b1 handed out"},
		"of one that does not":            {false, engine.Unclear, "0s a7 unclear"},
		"an answer that is nobody else's": {true, engine.Late, "0s a7 late"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{Endless: tt.endless}, func(t *testing.T, w *world) {
				gone := w.AddBy(w.to("gone", host, time.Hour), &w.cfg.Rules, netip.MustParseAddr(host))
				var a Ref
				for _, name := range []string{"a", "b", "c", "d", "e"} {
					task := w.to(name, host, time.Hour)
					switch name {
					case "c":
						task.line.Dst = netip.MustParseAddr(far)
					case "d":
						task.line.Pool = w.other
					case "e":
						task.line.Op = w.NewOp(engine.OpConfig{Timeout: w.cfg.Timeout})
					}
					if r := w.AddBy(task, &w.cfg.Rules, task.line.Dst); name == "a" {
						a = r
					}
					if name == "b" {
						task.news = []int{1}
					}
				}
				w.Cut(gone, nil)
				w.log = nil
				w.heard(&engine.Outcome{Tag: makeTag(a, plan.MakeKey(0, 7)), Fate: tt.fate}, time.Now())
				w.happened(t, tt.want)
			})
		})
	}
}

// There is room for so many tasks that each has a tag of its own.
func TestADriverIsFull(t *testing.T) {
	d := New(Config{})
	d.slots.all = make([]slot, maxSlots-1)
	if d.Full() {
		t.Error("full with room for one")
	}
	d.slots.all = make([]slot, maxSlots)
	if !d.Full() {
		t.Error("not full without room")
	}
}
