package drive

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/plan/cadence"
)

// So many names are looked up at a time, each for so long at the most; what they are is
// told by the goroutine of the Driver.
func TestNamesAreLookedUpForADriver(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		w.Add(w.to("a", host, time.Minute))
		find := func(ctx context.Context) { <-ctx.Done() }
		for i := range namesAtOnce + 2 {
			if i > 0 {
				find = func(context.Context) { time.Sleep(time.Duration(i)*time.Second - 100*ms) } // in virtual time
			}
			w.LookUp(find, func() { w.note("name %d", i) })
		}
		w.run(t.Context())
		w.happened(t, `
			900ms name 1
			1.9s name 2
			2.9s name 3
			3.9s name 4
			4.9s name 5
			5.9s name 6
			6.9s name 7
			7.9s name 8
			8.9s name 9
			9.9s name 10
			10s name 0
			10.9s name 11
			11.9s name 12
			12.9s name 13
			13.9s name 14
			14.9s name 15
			16.8s name 16
			18.8s name 17
			1m0s a1 sent
			1m0.01s a1 replied
			1m0.01s a done
			1m0.01s over`)
	})
}

// A name is looked up again and again until it is stopped, also where a look-up fails or
// ends its goroutine; its context ends with the run, and with Until.
func TestANameIsLookedUpAgainAndAgain(t *testing.T) {
	inWorld(t, Config{}, func(t *testing.T, w *world) {
		until, end := context.WithCancel(t.Context())
		defer end()
		times := 0
		n := &Name{Until: until}
		n.Renewal = cadence.NewRenewal(cadence.Beat{Epoch: w.start, Interval: 20 * time.Second}, time.Second, true, w.start)
		n.Find = func(ctx context.Context) ([]netip.Addr, error) {
			times++
			switch times {
			case 2:
				return nil, errors.New("no such host")
			case 3:
				<-ctx.Done() // until the look-up takes too long
				return nil, ctx.Err()
			case 4:
				time.AfterFunc(time.Second, end)
				<-ctx.Done()
			}
			return []netip.Addr{netip.MustParseAddr(host)}, nil
		}
		n.Found = func(addrs []netip.Addr, err error) {
			w.note("%v %v", addrs, err)
			if times == 4 {
				n.Stop()
			}
		}
		w.Renew(n)
		w.run(t.Context())
		w.happened(t, `
			20s [10.0.0.1] <nil>
			40s [] no such host
			51s [] context deadline exceeded
			53s [10.0.0.1] <nil>
			53s over`)
	})
}

func TestALookUpEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, until := range []context.Context{nil, t.Context()} {
			d := New(newShared(nil).Config())
			var err error
			n := &Name{Until: until, Found: func([]netip.Addr, error) { t.Error("it is told after the end") }}
			n.Renewal = cadence.NewRenewal(cadence.Beat{}, 0, false, time.Now())
			n.Find = func(ctx context.Context) ([]netip.Addr, error) {
				<-ctx.Done()
				err = ctx.Err()
				return nil, err
			}
			d.Renew(n)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			_ = d.Run(ended)
			d.Close()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("its context ends with %v", err)
			}
		}
	})
}
