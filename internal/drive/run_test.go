package drive

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

const host, far, odd, none = "10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.9.9"

func TestProbesLeaveInOrder(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   Config
		tasks func(w *world)
		want  string
	}{
		{"each when it is due, and its fate is told", Config{}, func(w *world) {
			w.Add(w.to("a", host, 0, 20*ms))
			w.Add(w.to("b", none, 5*ms))
		}, `
			0s a1 sent
			5ms b1 sent
			10ms a1 replied
			20ms a2 sent
			30ms a2 replied
			30ms a done
			105ms b1 silent
			105ms b done
			105ms over`},
		{"a probe has the TTL of the line unless it has its own", Config{}, func(w *world) {
			a := w.to("a", host, 0, 0, 0)
			a.ttl = 1
			w.Add(a)
		}, `
			0s a1 sent
			0s a2 sent
			0s a3 sent
			2ms a1 failed
			4ms a2 failed
			10ms a3 replied
			10ms a done
			10ms over`},
		{"who has begun leaves before fresh ones", Config{Own: engine.NewPacer(100)}, func(w *world) {
			w.Add(w.to("a", none, 0, 5*ms, 5*ms))
			w.Add(w.to("b", none, 0))
			w.Add(w.to("c", none, 0))
		}, `
			0s a1 sent
			8ms a2 sent
			18ms a3 sent
			28ms b1 sent
			38ms c1 sent
			100ms a1 silent
			108ms a2 silent
			118ms a3 silent
			118ms a done
			128ms b1 silent
			128ms b done
			138ms c1 silent
			138ms c done
			138ms over`},
		{"at the lower of both rates, that of all", Config{Own: engine.NewPacer(100), All: engine.NewPacer(25)}, func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0))
		}, `
			0s a1 sent
			10ms a1 replied
			38ms a2 sent
			48ms a2 replied
			78ms a3 sent
			88ms a3 replied
			88ms a done
			88ms over`},
		{"at the lower of both rates, that of its own", Config{Own: engine.NewPacer(50), All: engine.NewPacer(1000)}, func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0))
		}, `
			0s a1 sent
			10ms a1 replied
			18ms a2 sent
			28ms a2 replied
			38ms a3 sent
			48ms a3 replied
			48ms a done
			48ms over`},
		{"two at a time of a greater rate", Config{Own: engine.NewPacer(1000)}, func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0, 0, 0))
		}, `
			0s a1 sent
			0s a2 sent
			0s a3 sent
			0s a4 sent
			2ms a5 sent
			10ms a1 replied
			10ms a2 replied
			10ms a3 replied
			10ms a4 replied
			12ms a5 replied
			12ms a done
			12ms over`},
		{"no more in flight than may be", Config{MaxInFlight: 2}, func(w *world) {
			w.Add(w.to("a", host, 0, ms, ms))
			w.Add(w.to("b", none, 2*ms))
			w.Add(w.to("c", host, 50*ms))
			w.Add(w.to("d", none, 65*ms, 65*ms))
		}, `
			0s a1 sent
			1ms a2 sent
			10ms a1 replied
			10ms a3 sent
			11ms a2 replied
			11ms b1 sent
			20ms a3 replied
			20ms a done
			50ms c1 sent
			60ms c1 replied
			60ms c done
			65ms d1 sent
			111ms b1 silent
			111ms b done
			111ms d2 sent
			165ms d1 silent
			211ms d2 silent
			211ms d done
			211ms over`},
		{"those of one operation of the engine together", Config{}, func(w *world) {
			other := w.NewOp(engine.OpConfig{Timeout: w.cfg.Timeout})
			for i, name := range []string{"a", "b", "c", "d"} {
				task := w.to(name, none, 0)
				if i%2 == 1 {
					task.line.Op = other
				}
				w.Add(task)
			}
		}, `
			0s a1 sent
			0s c1 sent
			0s b1 sent
			0s d1 sent
			100ms a1 silent
			100ms a done
			100ms c1 silent
			100ms c done
			100ms b1 silent
			100ms b done
			100ms d1 silent
			100ms d done
			100ms over`},
		{"what is not wanted any more is recalled, and another has its place", Config{Own: engine.NewPacer(100)}, func(w *world) {
			a := w.to("a", none, 0, 0, 0)
			a.wants = func(k int) bool { return k != 2 }
			w.Add(a)
		}, `
			0s a1 sent
			8ms a2 recalled
			8ms a3 sent
			100ms a1 silent
			108ms a3 silent
			108ms a done
			108ms over`},
		{"as many as a router may answer, wherever else others end", Config{Routers: &Routers{Rate: 100}}, func(w *world) {
			for range 3 {
				a := w.to("a", none, 0)
				a.ttl = 1
				w.Add(a)
			}
			b := w.to("b", none, 5*ms)
			b.ttl = 2
			w.Add(b)
		}, `
			0s a1 sent
			0s a1 sent
			5ms b1 sent
			10ms a1 sent
			100ms a1 silent
			100ms a done
			100ms a1 silent
			100ms a done
			105ms b1 silent
			105ms b done
			110ms a1 silent
			110ms a done
			110ms over`},
		{"one that has ended is not looked at when it would be due", Config{}, func(w *world) {
			w.Add(w.to("a", none, 0))
			b := w.Add(w.to("b", host, 50*ms))
			w.at(20*ms, func() { w.Cut(b, nil) })
		}, `
			0s a1 sent
			20ms b done
			100ms a1 silent
			100ms a done
			100ms over`},
		{"a task without a line ends before it sends", Config{}, func(w *world) {
			a := w.to("a", host, 0)
			a.lineErr = errors.New("no socket")
			w.Add(a)
			w.Add(w.to("b", host, 0))
		}, `
			0s a ended: no socket
			0s b1 sent
			10ms b1 replied
			10ms b done
			10ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, tt.cfg, func(t *testing.T, w *world) {
				tt.tasks(w)
				w.run(t.Context())
				w.happened(t, tt.want)
			})
		})
	}
}

// What the system says against a probe is for its task.
func TestRefusalsAreForTheTask(t *testing.T) {
	refused := func(errs ...error) func(netip.Addr) error {
		return func(netip.Addr) (err error) {
			if len(errs) > 0 {
				err, errs = errs[0], errs[1:]
			}
			return err
		}
	}
	ends := Rules{Ends: func(err error) bool { return errors.Is(err, syscall.EINVAL) }}
	for _, tt := range []struct {
		name   string
		cfg    Config
		refuse func(netip.Addr) error
		tasks  func(w *world)
		want   string
	}{
		{"it is told, and what follows leaves", Config{}, refused(nil, syscall.EACCES, nil), func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0))
		}, `
			0s a1 sent
			0s a2 refused: permission denied
			0s a3 sent
			10ms a1 replied
			10ms a3 replied
			10ms a done
			10ms over`},
		{"the last of a batch", Config{MaxInFlight: 1}, refused(syscall.EACCES, nil), func(w *world) {
			w.Add(w.to("a", host, 0, 0))
		}, `
			0s a1 refused: permission denied
			0s a2 sent
			10ms a2 replied
			10ms a done
			10ms over`},
		{"one that ends the task", Config{Rules: ends}, refused(nil, syscall.EINVAL, nil, nil), func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0))
			w.Add(w.to("b", host, 0))
		}, `
			0s a1 sent
			0s a ended: invalid argument
			0s b1 sent
			10ms b1 replied
			10ms b done
			10ms over`},
		{"one of a task with rules of its own", Config{}, refused(syscall.EINVAL, syscall.EINVAL), func(w *world) {
			w.AddBy(w.to("a", host, 0), &ends, netip.Addr{})
			w.Add(w.to("b", host, 0))
		}, `
			0s a ended: invalid argument
			0s b1 refused: invalid argument
			0s b done
			0s over`},
		{"further ones of a task that has ended", Config{Rules: ends}, refused(syscall.EINVAL, syscall.EINVAL, nil), func(w *world) {
			w.Add(w.to("a", host, 0, 0, 0))
		}, `
			0s a ended: invalid argument
			0s over`},
		{"a port in use is none of a task whose probes have ports of their own", Config{}, refused(nil, syscall.EADDRINUSE), func(w *world) {
			w.Add(w.to("a", host, 0, 0))
		}, `
			0s a1 sent
			0s a2 refused: address already in use
			10ms a1 replied
			10ms a done
			10ms over`},
		{"another refusal is told where connections have one port", Config{Rules: Rules{OnePort: true}}, refused(nil, syscall.EACCES), func(w *world) {
			w.Add(w.to("a", host, 0, 0))
		}, `
			0s a1 sent
			0s a2 refused: permission denied
			10ms a1 replied
			10ms a done
			10ms over`},
		{"a connection waits for one in flight, however long that takes", Config{Rules: Rules{OnePort: true, Timeout: 20 * time.Second}}, refused(nil, syscall.EADDRINUSE), func(w *world) {
			w.Add(w.to("a", none, 0, 7*time.Second))
		}, `
			0s a1 sent
			20s a1 silent
			20s a2 sent
			40s a2 silent
			40s a done
			40s over`},
		{"a connection of a new task waits", Config{Rules: Rules{OnePort: true}}, refused(nil, syscall.EADDRINUSE), func(w *world) {
			w.Add(w.to("a", none, 0, 20*time.Second))
			w.at(10*time.Second, func() { w.Add(w.to("b", host, 0)) })
		}, `
			0s a1 sent
			100ms a1 silent
			10.1s b1 sent
			10.11s b1 replied
			10.11s b done
			20s a2 sent
			20.1s a2 silent
			20.1s a done
			20.1s over`},
		{"a port in use is somebody else's while nothing was sent", Config{Rules: Rules{OnePort: true}}, refused(syscall.EADDRINUSE, nil), func(w *world) {
			w.Add(w.to("a", host, 0, 0))
		}, `
			0s a1 refused: address already in use
			0s a2 sent
			10ms a2 replied
			10ms a done
			10ms over`},
		{"a connection waits for that before it, and then one follows the other", Config{Rules: Rules{OnePort: true}},
			refused(nil, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, nil, syscall.EADDRINUSE, nil), func(w *world) {
				w.Add(w.to("a", host, 0, 0, 0, 300*ms))
			}, `
			0s a1 sent
			10ms a1 replied
			100ms a2 sent
			110ms a2 replied
			210ms a3 sent
			220ms a3 replied
			300ms a4 sent
			310ms a4 replied
			310ms a done
			310ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, tt.cfg, func(t *testing.T, w *world) {
				w.refuse = tt.refuse
				tt.tasks(w)
				w.run(t.Context())
				w.happened(t, tt.want)
			})
		})
	}
}

// A port that stays in use is somebody else's.
func TestAConnectionIsGivenUpWhenThePortStaysInUse(t *testing.T) {
	inWorld(t, Config{Rules: Rules{OnePort: true}}, func(t *testing.T, w *world) {
		tries := 0
		w.refuse = func(netip.Addr) error {
			if tries++; tries > 1 {
				return syscall.EADDRINUSE
			}
			return nil
		}
		w.Add(w.to("a", host, time.Second, 1020*ms))
		w.run(t.Context())
		w.happened(t, `
			1s a1 sent
			1.01s a1 replied
			6.02s a2 refused: address already in use
			6.02s a done
			6.02s over`)
		if tries != 52 {
			t.Errorf("it was tried %d times, want 52", tries)
		}
	})
}

func TestARunEndsEarly(t *testing.T) {
	stopped := errors.New("stopped")
	for _, tt := range []struct {
		name string
		end  func(w *world, cancel context.CancelCauseFunc)
		want string
	}{
		{"the context ends", func(_ *world, cancel context.CancelCauseFunc) { cancel(stopped) }, `
			0s a1 sent
			0s b1 sent
			10ms b1 replied
			10ms b1 handed out
			10ms b done
			50ms a ended: stopped
			50ms c ended: stopped
			50ms over: stopped`},
		{"the Prober is closed", func(w *world, _ context.CancelCauseFunc) { close(w.closed) }, `
			0s a1 sent
			0s b1 sent
			10ms b1 replied
			10ms b1 handed out
			10ms b done
			50ms a ended: use of closed network connection
			50ms c ended: use of closed network connection
			50ms over: use of closed network connection`},
		{"a task is cut", func(w *world, _ context.CancelCauseFunc) {
			w.Do(func() { w.Cut(Ref{place: 0}, stopped); w.Cut(Ref{place: 0}, stopped); w.Cut(Ref{place: 2}, nil) })
		}, `
			0s a1 sent
			0s b1 sent
			10ms b1 replied
			10ms b1 handed out
			10ms b done
			50ms a ended: stopped
			50ms c done
			50ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				w.calls.open()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				b := w.to("b", host, 0)
				b.hands = true
				w.Add(w.to("a", none, 0))
				w.Add(b)
				w.Add(w.to("c", host, 70*ms))
				time.AfterFunc(50*ms, func() { tt.end(w, cancel) })
				w.run(ctx)
				w.happened(t, tt.want)
			})
		})
	}
}

// A caller that wants no more is told of nothing else.
func TestACallerThatLeavesHearsNothingMore(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		a := w.to("a", host, 0, 0, 30*ms)
		a.hands, a.stops = true, 1
		w.Add(a)
		w.Add(w.to("b", host, 0))
		w.run(t.Context())
		w.happened(t, `
			0s a1 sent
			0s a2 sent
			0s b1 sent
			10ms a1 replied
			10ms a1 handed out
			10ms over`)
	})
}

// Where the sockets are closed, the places of what was not sent go to other operations.
func TestAClosedSocketEndsTheRun(t *testing.T) {
	inWorld(t, Config{All: engine.NewPacer(5000)}, func(t *testing.T, w *world) {
		_ = w.other.Close()
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			task := w.to(name, host, 0)
			switch name {
			case "b", "d":
				task.line.Pool = w.other
			case "c":
				task.line.Op = w.NewOp(engine.OpConfig{Timeout: w.cfg.Timeout})
			}
			w.Add(task)
		}
		w.run(t.Context())
		w.happened(t, `
			0s a1 sent
			0s e1 sent
			0s a ended: use of closed network connection
			0s b ended: use of closed network connection
			0s c ended: use of closed network connection
			0s d ended: use of closed network connection
			0s e ended: use of closed network connection
			0s over: use of closed network connection`)
		w.Close()
		if next := w.cfg.All.Reserve(w.start, 1).Sub(w.start); next != -2*ms+2*ms/5 {
			t.Errorf("the next packet of all may leave at %v", next)
		}
	})
}

// What was not sent when the context ended is given back.
func TestACancelledBatchIsGivenBack(t *testing.T) {
	inWorld(t, Config{All: engine.NewPacer(5000)}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		w.refuse = func(netip.Addr) error {
			if tries++; tries == 3 {
				cancel()
				return syscall.EACCES
			}
			return nil
		}
		w.Add(w.to("a", host, 0, 0, 0, 0, 0))
		w.run(ctx)
		w.happened(t, `
			0s a1 sent
			0s a2 sent
			0s a ended: context canceled
			0s over: context canceled`)
		w.Close()
		if next := w.cfg.All.Reserve(w.start, 1).Sub(w.start); next != -2*ms+2*ms/5 {
			t.Errorf("the next packet of all may leave at %v", next)
		}
	})
}

// A run of a context that has ended sends nothing.
func TestARunThatHasEndedBeforeItBegins(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.Add(w.to("a", host, 0))
		w.run(ctx)
		w.happened(t, `
			0s a ended: context canceled
			0s over: context canceled`)
	})
}

// What others ask for comes first in a turn of the loop, and what is for later last, also in
// the last one.
func TestTheOrderOfATurn(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		a := w.to("a", none, 0)
		a.ends = func() { w.Later(func() { w.note("later") }) }
		w.Add(a)
		w.at(50*ms, cancel)
		w.Do(func() { w.note("called"); w.Later(func() { w.note("at the end of the turn") }) })
		w.run(ctx)
		if w.Do(func() { t.Error("called after the end") }) {
			t.Error("it will be called after the end")
		}
		w.happened(t, `
			0s called
			0s a1 sent
			0s at the end of the turn
			50ms a ended: context canceled
			50ms later
			50ms over: context canceled`)
	})
}

// Before a task is ended, what is known of it is told.
func TestWhatIsKnownIsToldBeforeTheEnd(t *testing.T) {
	for name, end := range map[string]func(w *world, r Ref){
		"cut":       func(w *world, r Ref) { w.Cut(r, context.Canceled) },
		"abandoned": func(w *world, _ Ref) { _ = w.abandon(context.Canceled) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				r := w.Add(w.to("a", host, 0, time.Hour))
				if _, err := w.send(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * ms) // in virtual time
				end(w, r)
				w.happened(t, `
					0s a1 sent
					20ms a1 replied
					20ms a ended: context canceled`)
			})
		})
	}
}

// A task that has ended is neither looked at nor cut.
func TestATaskEndsOnce(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		r := w.Add(w.to("a", host, time.Hour))
		w.Cut(r, nil)
		w.Look(r)
		w.Cut(r, nil)
		w.happened(t, "0s a done")
	})
}

// A caller that wants no more at the end of one task is not told of the ends of others.
func TestACallerThatLeavesAtAnEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(w *world, cancel context.CancelFunc)
		want string
	}{
		{"when a task is done", func(*world, context.CancelFunc) {}, `
			0s a1 sent
			0s b1 sent
			10ms a1 replied
			10ms a done
			10ms over`},
		{"when all are abandoned", func(_ *world, cancel context.CancelFunc) { cancel() }, `
			0s a1 sent
			0s b1 sent
			5ms a ended: context canceled
			5ms over: context canceled`},
		{"when it has left before", func(w *world, _ context.CancelFunc) { w.Driver.closed = true; w.Cut(Ref{}, nil) }, `
			0s a1 sent
			0s b1 sent
			5ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, Config{}, func(t *testing.T, w *world) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				a := w.to("a", host, 0)
				a.leaves = true
				w.Add(a)
				w.Add(w.to("b", none, 0))
				w.at(5*ms, func() { tt.end(w, cancel) })
				w.run(ctx)
				w.happened(t, tt.want)
			})
		})
	}
}

// What becomes known behind the end is told to nobody.
func TestAClosedDriverHearsNothing(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		a, b := w.to("a", host, 0), w.to("b", host, 0)
		b.line.Op = w.Borrow(engine.OpConfig{Timeout: w.cfg.Timeout})
		w.Add(a)
		w.Add(b)
		if _, err := w.send(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Close()
		time.Sleep(20 * ms) // in virtual time
		if got := w.inbox.Take(nil); len(got) != 0 {
			t.Errorf("%d outcomes come", len(got))
		}
	})
}
