package icmplib

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A day of many targets, in which each has a change of its route and an outage
// at times of its own, behind loss, jitter, balanced and limited routers: all
// that happened is told, with its time, nothing else is, and memory does not
// grow. ICMPLIB_MONITOR_DAY=30s makes it 100 targets with this interval, which
// takes 40 s; any other will do, too.
func TestMonitorForADay(t *testing.T) {
	targets, interval, length := 8, 3*time.Minute, 24*time.Hour
	if every, err := time.ParseDuration(os.Getenv("ICMPLIB_MONITOR_DAY")); err == nil {
		targets, interval = 100, every
	}
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(dayNetwork(targets))
		n.Quiet(true)
		p := simProber(t, n, true)
		defer p.Close()
		start := time.Now()
		var all sync.WaitGroup
		for i := range targets {
			all.Go(func() {
				watchForADay(t, p, i, start, &MonitorOptions{Interval: interval, Rounds: int(length / interval), Outage: 10})
			})
		}
		var early, late runtime.MemStats
		time.Sleep(length / 4)
		runtime.GC()
		runtime.ReadMemStats(&early)
		time.Sleep(length * 7 / 10)
		runtime.GC()
		runtime.ReadMemStats(&late)
		all.Wait()
		t.Logf("heap after a quarter of the day %d KiB, at its end %d KiB", early.HeapAlloc>>10, late.HeapAlloc>>10)
		if perTarget := (int64(late.HeapAlloc) - int64(early.HeapAlloc)) / int64(targets); perTarget > 100<<10 {
			t.Errorf("memory grew by %d bytes for each target", perTarget)
		}
	})
}

// dayNetwork describes a network with targets 10.9.i.9, each of which has another
// router from changeOf(i) on and is out of reach for a while from outageOf(i) on.
func dayNetwork(targets int) string {
	var b strings.Builder
	b.WriteString(`seed 7
client 192.0.2.1
node a 10.0.1.1 delay=1ms
node l 10.0.1.2 delay=3ms jitter=2ms lose@2%
node b 10.0.2.1 delay=3ms
node c 10.0.2.2 delay=3ms
node limited 10.0.3.1 delay=2ms rate=0.05 burst=5
node hole 10.0.4.1 lose
node mute 10.0.4.2 silent
`)
	for i := range targets {
		fmt.Fprintf(&b, "node x%d 10.1.%d.1 delay=2ms\nnode y%d 10.2.%d.1 delay=2ms\nnode t%d 10.9.%d.9 delay=5ms\n", i, i, i, i, i, i)
		hop := fmt.Sprintf("time:%v( x%d | y%d )", changeOf(i), i, i)
		if i%4 == 3 { // longer
			hop = fmt.Sprintf("x%d time:%v( | y%d )", i, changeOf(i), i)
		}
		out, back := outageOf(i)
		fmt.Fprintf(&b, "path 10.9.%d.0/24 a l random( b | c ) limited mute %s time:%v,%v( | hole | ) t%d\n", i, hop, out, back, i)
	}
	return b.String()
}

func changeOf(i int) time.Duration { return 6*time.Hour + time.Duration(i)*3*time.Minute }

func outageOf(i int) (from, to time.Duration) {
	from = 13*time.Hour + time.Duration(i)*2*time.Minute
	return from, from + time.Hour + time.Duration(i)*time.Minute
}

func watchForADay(t *testing.T, p *Prober, i int, start time.Time, opts *MonitorOptions) {
	x, y, target := fmt.Sprintf("10.1.%d.1", i), fmt.Sprintf("10.2.%d.1", i), fmt.Sprintf("10.9.%d.9", i)
	out, back := outageOf(i)
	type happening struct {
		what string
		at   time.Duration
	}
	want := []happening{{"route-change 6 " + x + " " + y, changeOf(i)}, {"outage 0 invalid IP invalid IP", out}, {"recovery 0 invalid IP invalid IP", back}}
	if i%4 == 3 {
		want[0].what = "route-change 7 " + target + " " + y
		want = append(want, happening{"route-change 8 invalid IP " + target, changeOf(i)})
	}
	for s, err := range p.Monitor(t.Context(), target, opts) {
		if err != nil {
			t.Error(err)
			return
		}
		for _, e := range s.Events {
			what, at := fmt.Sprintf("%v %d %v %v", e.Kind, e.Distance, e.From, e.To), e.Time.Sub(start)
			found := false
			for j, h := range want {
				// The first probes after it may be lost, and before an outage the
				// last ones, too, which then are the first of it.
				early := time.Duration(0)
				if e.Kind == EventOutage {
					early = 3 * opts.Interval
				}
				if found = h.what == what && at >= h.at-early && at < h.at+3*opts.Interval; found {
					want = append(want[:j:j], want[j+1:]...)
					break
				}
			}
			if !found {
				t.Errorf("%s: %s after %v (round %d) did not happen", target, what, at, e.Round)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%s: not told: %v", target, want)
	}
}
