package icmplib

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// inCrowd runs Monitors of many targets on one Prober, each with a loop of its own.
func inCrowd(t *testing.T, p *Prober, monitors int, one func(i int, target string)) {
	t.Helper()
	var all sync.WaitGroup
	for i := range monitors {
		all.Go(func() { one(i, fmt.Sprintf("10.0.9.%d", 1+i)) })
	}
	all.Wait()
}

// A loop whose body sleeps delays its own Monitor, and no other; one that is left, that
// panics or whose context ends ends its own, and no other.
func TestMonitorsOfOneProberDoNotDisturbEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(monitoredNetwork), false)
		defer p.Close()
		inCrowd(t, p, 12, func(i int, target string) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			enough := errors.New("enough")
			begun, rounds := time.Now(), 0
			end := func() (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = fmt.Errorf("panic: %v", r)
					}
				}()
				for s, err := range p.Monitor(ctx, target, &MonitorOptions{Rounds: 20}) {
					if err != nil {
						return err
					}
					rounds++
					if s.Round != rounds || s.Address.String() != target {
						t.Errorf("%s: round %d of %v, want %d", target, s.Round, s.Address, rounds)
					}
					switch {
					case i%4 == 1 && rounds == 5:
						time.Sleep(time.Minute)
					case i%4 == 2 && rounds == 6:
						panic(i)
					case i%4 == 3 && rounds == 7 && i < 8:
						return nil
					case i%4 == 3 && rounds == 7:
						cancel(enough)
					}
				}
				return nil
			}()
			took := time.Since(begun)
			switch i % 4 {
			case 0:
				if end != nil || rounds != 20 || took > 22*time.Second {
					t.Errorf("%s: %d rounds in %v: %v", target, rounds, took, end)
				}
			case 1:
				if end != nil || rounds != 20 || took < 80*time.Second {
					t.Errorf("%s: %d rounds in %v with a slow body: %v", target, rounds, took, end)
				}
			case 2:
				if end == nil || end.Error() != fmt.Sprintf("panic: %d", i) || rounds != 6 {
					t.Errorf("%s: %d rounds: %v, want its own panic", target, rounds, end)
				}
			case 3:
				if i < 8 && end != nil || i >= 8 && !errors.Is(end, enough) || rounds < 7 || rounds > 8 {
					t.Errorf("%s: %d rounds: %v", target, rounds, end)
				}
			}
		})
	})
}

// Probes of many Monitors leave together.
func TestProbesOfManyMonitorsLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(monitoredNetwork)
		p := simProber(t, n, false)
		defer p.Close()
		inCrowd(t, p, 50, func(i int, target string) {
			time.Sleep(time.Duration(i) * 7 * time.Millisecond)
			for _, err := range p.Monitor(t.Context(), target, &MonitorOptions{Rounds: 5}) {
				if err != nil {
					t.Error(err)
				}
			}
		})
		moments := map[time.Time]int{}
		for _, r := range n.Log() {
			moments[r.Time]++
		}
		if len(n.Log()) < 50*4*5 || len(moments) > 5*200+200 {
			t.Errorf("%d packets at %d moments, of which there are 200 a second", len(n.Log()), len(moments))
		}
	})
}

// Closing the Prober, also in the body of a loop, ends all of its Monitors and Watches.
func TestACrowdEndsWithItsProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(monitoredNetwork), false)
		w, err := p.NewWatch(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Set([]WatchTarget{{Host: "10.0.9.9"}}); err != nil {
			t.Fatal(err)
		}
		inCrowd(t, p, 8, func(i int, target string) {
			var end error
			for s, err := range p.Monitor(t.Context(), target, nil) {
				if end = err; err == nil && s.Round == 3 && i == 5 {
					p.Close()
				}
			}
			if !errors.Is(end, net.ErrClosed) {
				t.Errorf("%s ends with %v", target, end)
			}
		})
		for _, err := range w.Events(t.Context()) {
			if err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
		if err := w.Set(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Set behind it: %v", err)
		}
		w.Close()
		for _, err := range p.Monitor(t.Context(), "10.0.9.9", nil) {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("a Monitor behind it: %v", err)
			}
		}
	})
}
