package drive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// Targets are named by their addresses. What is no address is looked up, which takes a
// second for each letter.
var parsed = Names{
	Parse: func(name string) (netip.Addr, bool) {
		addr, err := netip.ParseAddr(strings.TrimPrefix(name, "unreachable "))
		return addr, err == nil
	},
	LookUp: func(ctx context.Context, name string) (netip.Addr, error) {
		select {
		case <-time.After(time.Duration(len(name)) * time.Second):
		case <-ctx.Done():
			return netip.Addr{}, ctx.Err()
		}
		if name == "nobody" {
			return netip.Addr{}, errors.New("no such host")
		}
		return netip.MustParseAddr(host), nil
	},
}

func TestTargetsAreBegun(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cfg     Config
		targets []string
		want    string
	}{
		{"as many as may be in flight", Config{Parallel: 2}, []string{host, far, "10.0.0.3"}, `
			0s t0 begins
			0s t1 begins
			0s t01 sent
			0s t11 sent
			10ms t01 replied
			10ms t0 done
			10ms t2 begins
			10ms t21 sent
			12ms t11 replied
			12ms t1 done
			20ms t21 replied
			20ms t2 done
			20ms over`},
		{"those of one address one behind the other", Config{Parallel: 9}, []string{host, host, far, host}, `
			0s t0 begins
			0s t2 begins
			0s t01 sent
			0s t21 sent
			10ms t01 replied
			10ms t0 done
			10ms t1 begins
			10ms t11 sent
			12ms t21 replied
			12ms t2 done
			20ms t11 replied
			20ms t1 done
			20ms t3 begins
			20ms t31 sent
			30ms t31 replied
			30ms t3 done
			30ms over`},
		{"who waits for an address comes before new ones", Config{Parallel: 1}, []string{host, host, "10.0.0.2"}, `
			0s t0 begins
			0s t01 sent
			10ms t01 replied
			10ms t0 done
			10ms t1 begins
			10ms t11 sent
			20ms t11 replied
			20ms t1 done
			20ms t2 begins
			20ms t21 sent
			30ms t21 replied
			30ms t2 done
			30ms over`},
		{"no more than may wait to send their first probe", Config{Parallel: 9, Ahead: 2, Own: engine.NewPacer(100)},
			[]string{none, "10.0.9.1", "10.0.9.2", "10.0.9.3"}, `
			0s t0 begins
			0s t1 begins
			0s t01 sent
			0s t2 begins
			8ms t11 sent
			8ms t3 begins
			18ms t21 sent
			28ms t31 sent
			100ms t01 silent
			100ms t0 done
			108ms t11 silent
			108ms t1 done
			118ms t21 silent
			118ms t2 done
			128ms t31 silent
			128ms t3 done
			128ms over`},
		{"when their names are looked up", Config{Parallel: 9}, []string{"somebody", "10.0.0.2", "nobody"}, `
			0s t1 begins
			0s t11 sent
			10ms t11 replied
			10ms t1 done
			6s t2 ended: no such host
			8s t0 begins
			8s t01 sent
			8.01s t01 replied
			8.01s t0 done
			8.01s over`},
		{"one to which nothing can be sent ends at once, and others of its address follow", Config{Parallel: 9},
			[]string{host, "unreachable 10.0.0.1", "unreachable 10.0.0.1", host}, `
			0s t0 begins
			0s t01 sent
			10ms t01 replied
			10ms t0 done
			10ms t1 ended: no socket
			10ms t2 ended: no socket
			10ms t3 begins
			10ms t31 sent
			20ms t31 replied
			20ms t3 done
			20ms over`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inTargets(t, tt.cfg, slices.Values(tt.targets), func(t *testing.T, w *world) {
				w.begins(w.begin)
				w.run(t.Context())
				w.happened(t, tt.want)
				if q := &w.targets; q.waiting != 0 || len(q.blocked) != 0 || len(q.freed) != 0 {
					t.Errorf("%d targets wait for %d addresses, and %d of none", q.waiting, len(q.blocked), len(q.freed))
				}
			})
		})
	}
}

// begins has tasks begun for targets.
func (w *world) begins(f func(*Target) (Task, error)) { w.Driver.cfg.Begin = f }

// begin begins a task with the number of its target.
func (w *world) begin(tg *Target) (Task, error) {
	if strings.HasPrefix(tg.Name, "unreachable") {
		tg.Err = errors.New("no socket")
	}
	addr := host
	if tg.Err == nil {
		addr = tg.Addr.String()
		w.note("t%d begins", tg.Index)
	}
	return w.to(fmt.Sprint("t", tg.Index), addr, 0), nil
}

// leaving is a task after which the caller wants no more.
type leaving struct{ Task }

func (l leaving) End(err error) (goOn bool) {
	l.Task.End(err)
	return false
}

func TestTheCallerLeavesAtATargetToWhichNothingCanBeSent(t *testing.T) {
	inTargets(t, Config{Parallel: 9}, slices.Values([]string{host, "unreachable 10.0.0.2", "10.0.0.3"}), func(t *testing.T, w *world) {
		w.begins(func(tg *Target) (Task, error) {
			task, err := w.begin(tg)
			return leaving{task}, err
		})
		w.run(t.Context())
		w.happened(t, `
			0s t0 begins
			0s t1 ended: no socket
			0s over`)
	})
}

// inTargets is inWorld with targets, of which as many are drawn as there is room for.
func inTargets(t *testing.T, cfg Config, targets iter.Seq[string], f func(t *testing.T, w *world)) {
	t.Helper()
	inWorldWith(t, cfg, func(t *testing.T, cfg *Config) {
		cfg.Targets = NewFeed(t.Context(), targets, parsed)
		synctest.Wait()
	}, f)
}

func TestATargetThatCannotBeBegunEndsTheRun(t *testing.T) {
	inTargets(t, Config{Parallel: 9}, slices.Values([]string{host, "10.0.0.2"}), func(t *testing.T, w *world) {
		w.begins(func(tg *Target) (Task, error) {
			if tg.Index == 1 {
				return nil, errors.New("no more memory")
			}
			return w.to("a", host, 0), nil
		})
		w.run(t.Context())
		w.happened(t, `
			0s a ended: no more memory
			0s over: no more memory`)
	})
}

// Progress is told ten times a second at the most, and at the end.
func TestProgressIsTold(t *testing.T) {
	targets := slices.Repeat([]string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 100)[:295]
	inTargets(t, Config{Parallel: 1}, slices.Values(targets), func(t *testing.T, w *world) {
		w.begins(func(*Target) (Task, error) { return w.to("a", host, 0), nil })
		var at []time.Duration
		w.Driver.cfg.Progress = func(n int) {
			at = append(at, time.Since(w.start))
			if n != len(targets) {
				t.Errorf("%d targets are drawn, want %d", n, len(targets))
			}
		}
		if err := w.Run(t.Context()); err != nil {
			t.Error(err)
		}
		for i, got := range at {
			if want := min(time.Duration(i)*100*ms, 2950*ms); got != want {
				t.Fatalf("progress is told after %v, want %v", got, want)
			}
		}
		if len(at) != 31 {
			t.Errorf("progress is told %d times", len(at))
		}
	})
}

// No more targets are drawn than may wait, for their turn or for their address.
func TestTargetsAreDrawnAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drawn := 0
		f := NewFeed(t.Context(), func(yield func(string) bool) {
			for drawn++; yield(host); drawn++ {
			}
		}, parsed)
		var buf []Target
		for _, want := range []int{1024, 2048, 3072} {
			synctest.Wait()
			if drawn != want+1 || f.Count() != want {
				t.Errorf("%d are drawn, %d of them wait; want %d", drawn, f.Count(), want)
			}
			var more bool
			if buf, more = f.take(buf); len(buf) != 1024 || buf[0].Index != want-1024 || buf[1023].Index != want-1 || !more {
				t.Errorf("%d targets come, from %d; more: %v", len(buf), buf[0].Index, more)
			}
		}
		f.end()
	})
}

func TestNamesAreLookedUpSoManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		f := NewFeed(t.Context(), slices.Values(slices.Repeat([]string{"x"}, 2000)), Names{
			Parse: func(string) (addr netip.Addr, ok bool) { return },
			LookUp: func(context.Context, string) (netip.Addr, error) {
				now := running.Add(1)
				defer running.Add(-1)
				for m := most.Load(); m < now && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				time.Sleep(time.Second) // in virtual time
				return netip.MustParseAddr(host), nil
			},
		})
		for _, tt := range []struct {
			targets int
			more    bool
		}{{1024, true}, {976, false}} {
			time.Sleep(time.Minute)
			if targets, more := f.take(nil); len(targets) != tt.targets || more != tt.more || most.Load() != maxLookups {
				t.Errorf("%d targets come, %d at a time; more: %v", len(targets), most.Load(), more)
			}
		}
		f.end()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		f = NewFeed(ended, slices.Values([]string{"x"}), parsed)
		f.end()
		if n := f.Count(); n != 0 {
			t.Errorf("%d targets are drawn after the end", n)
		}
	})
}

// A panic of the caller's iterator is raised where the targets are taken, once.
func TestAPanicOfTheTargetsIsRaised(t *testing.T) {
	for name, raises := range map[string]func(f *Feed){
		"while targets are taken": func(f *Feed) { f.take(nil) },
		"at the end":              func(f *Feed) { f.end() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				f := NewFeed(t.Context(), func(yield func(string) bool) {
					yield("somebody")
					panic("a bug of the caller")
				}, parsed)
				<-f.ready // before what is looked up
				if since := time.Since(begun); since > 0 {
					t.Errorf("it is told after %v", since)
				}
				defer f.end()
				defer func() {
					if got := recover(); got != "a bug of the caller" {
						t.Errorf("it panics with %v", got)
					}
				}()
				raises(f)
			})
		})
	}
}

// A target waits while another one has its address, and so many may.
func TestWhoMayBeTaken(t *testing.T) {
	for _, tt := range []struct {
		name           string
		cfg            Config
		tasks          int
		fresh, waiting int
		want           bool
	}{
		{"the first", Config{Parallel: 1}, 0, 0, 0, true},
		{"behind the last", Config{Parallel: 2}, 2, 0, 0, false},
		{"any number of fresh ones", Config{Parallel: 2}, 1, 1000, 0, true},
		{"below the bound of fresh ones", Config{Parallel: 2, Ahead: 3}, 1, 2, 0, true},
		{"at the bound of fresh ones", Config{Parallel: 2, Ahead: 3}, 1, 3, 0, false},
		{"below the bound of those that wait", Config{Parallel: 2}, 1, 0, maxWaiting - 1, true},
		{"at the bound of those that wait", Config{Parallel: 2}, 1, 0, maxWaiting, false},
	} {
		d := New(tt.cfg)
		for range tt.tasks {
			d.slots.add(slot{task: idle{}})
		}
		for range tt.fresh {
			d.ready.push(waiting{}, false)
		}
		d.targets.waiting = tt.waiting
		if got := d.wants(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// Where the caller leaves, no further task begins, and no further target is drawn.
func TestNoTargetIsBegunBehindTheEnd(t *testing.T) {
	endless := func(yield func(string) bool) {
		for yield(host) && yield(far) {
		}
	}
	inWorldWith(t, Config{Parallel: 9}, func(_ *testing.T, cfg *Config) {
		cfg.Targets = NewFeed(context.Background(), endless, parsed)
		synctest.Wait()
	}, func(t *testing.T, w *world) {
		w.begins(func(tg *Target) (Task, error) {
			a := w.to(fmt.Sprint("t", tg.Index), tg.Addr.String(), 0)
			a.leaves = true
			return a, nil
		})
		w.run(t.Context())
		w.happened(t, `
			0s t01 sent
			0s t11 sent
			10ms t01 replied
			10ms t0 done
			10ms over`)
	})
}

func TestACancelledSweepTellsItsProgress(t *testing.T) {
	inTargets(t, Config{Parallel: 1}, slices.Values([]string{none, host}), func(t *testing.T, w *world) {
		w.begins(func(*Target) (Task, error) { return w.to("a", none, 0), nil })
		var at []time.Duration
		w.Driver.cfg.Progress = func(int) { at = append(at, time.Since(w.start)) }
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		_ = w.Run(ctx)
		if want := []time.Duration{0, 50 * ms}; !slices.Equal(at, want) {
			t.Errorf("progress is told after %v, want %v", at, want)
		}
	})
}

// A run ends when it becomes known that there are no targets, and its end waits for who draws.
func TestTargetsThatEndLate(t *testing.T) {
	inWorldWith(t, Config{Parallel: 9}, func(t *testing.T, cfg *Config) {
		cfg.Targets = NewFeed(t.Context(), func(func(string) bool) { time.Sleep(time.Second) }, parsed)
	}, func(t *testing.T, w *world) {
		w.run(t.Context())
		w.happened(t, "1s over")
		f := NewFeed(t.Context(), func(func(string) bool) { time.Sleep(time.Second) }, parsed)
		f.end()
		if took := time.Since(w.start); took != 2*time.Second {
			t.Errorf("the end is waited for until %v", took)
		}
	})
}
