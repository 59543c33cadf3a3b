package drive

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// Where answers do not say which probe they are to, the next one leaves when none can
// come any more: 50 ms after an answer, or two timeouts after a probe that was silent. A
// task has its target for itself, of all tasks that send by the same socket.
func TestStopAndWait(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tasks func(w *world)
		want  string
	}{
		{"behind an answer", func(w *world) {
			w.to("a", host, 0, 0).begin(always)
		}, `
			0s a1 sent
			10ms a1 replied
			60ms a2 sent
			70ms a2 replied
			70ms a done
			70ms over`},
		{"behind silence", func(w *world) {
			w.to("a", none, 0, 0).begin(always)
		}, `
			0s a1 sent
			100ms a1 silent
			200ms a2 sent
			300ms a2 silent
			300ms a done
			300ms over`},
		{"behind the answer of a router", func(w *world) {
			a := w.to("a", host, 0, 0)
			a.ttl = 1
			a.begin(always)
		}, `
			0s a1 sent
			2ms a1 failed
			52ms a2 sent
			56ms a2 failed
			56ms a done
			56ms over`},
		{"one task behind the other, in their order", func(w *world) {
			w.to("a", host, 0).begin(always)
			w.to("b", host, 0).begin(always)
			w.to("c", host, 0).begin(always)
		}, `
			0s a1 sent
			10ms a1 replied
			10ms a done
			60ms b1 sent
			70ms b1 replied
			70ms b done
			120ms c1 sent
			130ms c1 replied
			130ms c done
			130ms over`},
		{"not by another socket, or to another target", func(w *world) {
			w.to("a", host, 0).begin(always)
			w.to("b", far, 0).begin(always)
			c := w.to("c", host, 5*ms)
			c.line.Pool = w.other
			c.begin(always)
		}, `
			0s a1 sent
			0s b1 sent
			5ms c1 sent
			10ms a1 replied
			10ms a done
			12ms b1 replied
			12ms b done
			15ms c1 replied
			15ms c done
			15ms over`},
		{"who hands something out lets the next one in", func(w *world) {
			a := w.to("a", host, 0, 0)
			a.hands = true
			a.begin(always)
			w.to("b", host, 0).begin(always)
		}, `
			0s a1 sent
			10ms a1 replied
			10ms a1 handed out
			60ms b1 sent
			70ms b1 replied
			70ms b done
			120ms a2 sent
			130ms a2 replied
			130ms a2 handed out
			130ms a done
			130ms over`},
		{"who is cut leaves what is in flight behind", func(w *world) {
			a := w.to("a", none, 0).begin(always)
			w.to("b", none, 0).begin(always)
			c := w.to("c", none, 0).begin(always)
			w.at(30*ms, func() { w.Cut(c, errors.New("cut")); w.Cut(a, errors.New("cut")) })
		}, `
			0s a1 sent
			30ms c ended: cut
			30ms a ended: cut
			230ms b1 sent
			330ms b1 silent
			330ms b done
			330ms over`},
		{"a task that stops to be alone sends the rest at once, and lets the next one in", func(w *world) {
			w.to("a", host, 0, 0, 0).begin(func(t *target) bool { return t.asked < 2 })
			w.to("b", host, 0).begin(always)
		}, `
			0s a1 sent
			10ms a1 replied
			60ms a2 sent
			60ms a3 sent
			60ms b1 sent
			70ms a2 replied
			70ms a3 replied
			70ms a done
			70ms b1 replied
			70ms b done
			70ms over`},
		{"a task that becomes alone first waits for what is in flight", func(w *world) {
			sent := false
			a := w.to("a", none, 0, 0, 10*ms)
			a.wants = func(int) bool { sent = true; return true }
			a.begin(func(*target) bool { return sent })
		}, `
			0s a2 recalled
			0s a1 sent
			100ms a1 silent
			200ms a2 sent
			300ms a2 silent
			400ms a3 sent
			500ms a3 silent
			500ms a done
			500ms over`},
		{"a task without a line ends", func(w *world) {
			a := w.to("a", host, 0)
			a.lineErr = errors.New("no socket")
			a.begin(always)
		}, `
			0s a ended: no socket
			0s over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				tt.tasks(w)
				w.run(t.Context())
				w.happened(t, tt.want)
				if n := len(w.cfg.Locks.locks); n != 0 {
					t.Errorf("%d locks are left", n)
				}
			})
		})
	}
}

// Operations that share the locks wait for each other, also those that end early.
func TestOperationsWaitForEachOther(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		other := New(w.cfg)
		op := other.NewOp(engine.OpConfig{Timeout: w.cfg.Timeout})
		w.to("a", none, 0).begin(always)
		b := w.to("b", host, 0)
		b.alone, b.line.Op = always, op
		other.Add(b)
		quits := New(w.cfg)
		c := w.to("c", host, 0)
		c.alone = always
		c.line.Dst = b.line.Dst
		quits.Add(c)
		d := w.to("d", host, 0)
		d.alone, d.line.Op = always, op
		other.Add(d)
		quits.Close()
		time.AfterFunc(ms, func() {
			_ = other.Run(t.Context())
			w.note("the other is over")
			other.Close()
		})
		w.run(t.Context())
		time.Sleep(time.Second) // in virtual time
		synctest.Wait()
		w.happened(t, `
			0s a1 sent
			1ms b1 sent
			11ms b1 replied
			11ms b done
			61ms d1 sent
			71ms d1 replied
			71ms d done
			71ms the other is over
			100ms a1 silent
			100ms a done
			100ms over`)
	})
}

// The lock is free when a task is ended because its run is cut short, whatever the caller
// does then.
func TestACancelledRunFreesItsLocks(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		a := w.to("a", none, 0)
		a.ends = func() {
			if n := len(w.cfg.Locks.locks); n != 0 {
				t.Errorf("%d locks are held at its end", n)
			}
		}
		a.begin(always)
		w.at(5*ms, cancel)
		w.run(ctx)
	})
}

// turning is a task that finds out in Next that it needs to be alone no more.
type turning struct{ *target }

func (t turning) Next(now time.Time) (p plan.Probe, ok bool, wake time.Time) {
	if t.Alone() {
		t.alone = nil
		return p, false, wake
	}
	return t.target.Next(now)
}

func TestATaskThatStopsToBeAloneIsAskedAgain(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		a := w.to("a", host, 0, 0)
		a.alone = always
		w.Add(turning{a})
		w.run(t.Context())
		w.happened(t, `
			0s a1 sent
			0s a2 sent
			10ms a1 replied
			10ms a2 replied
			10ms a done
			10ms over`)
	})
}

// For how long an answer may be to an earlier probe, and which answers a router is judged by.
func TestWhatAnOutcomeSays(t *testing.T) {
	router := netip.MustParseAddr("10.9.0.1")
	for _, tt := range []struct {
		name    string
		o       engine.Outcome
		holdoff time.Duration
		judged  int
	}{
		{"a reply", engine.Outcome{Fate: engine.Replied, RTT: 10 * ms, Responder: router}, 1060 * ms, 1},
		{"an error", engine.Outcome{Fate: engine.Failed, RTT: 2 * ms, Responder: router}, 1052 * ms, 1},
		{"an error of this host", engine.Outcome{Fate: engine.Failed}, 0, 0},
		{"silence", engine.Outcome{Fate: engine.Silent}, 1200 * ms, 0},
		{"a late answer", engine.Outcome{Fate: engine.Late, RTT: 150 * ms, Responder: router}, 1200 * ms, 0},
		{"an answer without a mark", engine.Outcome{Fate: engine.Unclear, RTT: 10 * ms, Responder: router}, 0, 0},
	} {
		inWorld(t, Config{Routers: &Routers{Rate: 100}}, func(t *testing.T, w *world) {
			r := w.Add(w.to("a", host, time.Hour))
			tt.o.Tag, tt.o.Sent, tt.o.TTL = makeTag(r, plan.MakeKey(0, 1)), w.epoch.Add(time.Second), 3
			w.heard(&tt.o, w.start)
			if got := w.slots.find(r).holdoff; got != tt.holdoff {
				t.Errorf("%s: held off until %v, want %v", tt.name, got, tt.holdoff)
			}
			if got := w.ready.routers.hop(3).gate.fresh; got != tt.judged {
				t.Errorf("%s: the router is judged by %d answers, want %d", tt.name, got, tt.judged)
			}
		})
	}
}
