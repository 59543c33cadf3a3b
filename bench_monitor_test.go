package icmplib

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan/watch"
)

var testBenchTarget = netip.MustParseAddr("10.0.9.9")

func benchRouter(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}) }

// BenchmarkMonitorSnapshot is a round of a route of 15 hops that has been watched
// for long, with its snapshot.
func BenchmarkMonitorSnapshot(b *testing.B) {
	opts, err := (*MonitorOptions)(nil).withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	t := monitoring{opts: opts, Plan: watch.New(opts.watch(), now)}
	t.line.Dst = testBenchTarget
	round := func(i int) {
		for !t.HasNews() {
			probe, ok, wake := t.Next(now)
			if !ok {
				now = wake
				continue
			}
			t.Sent(probe.Key, now)
			r := Result{Dst: testBenchTarget, Responder: benchRouter(probe.TTL), Status: StatusTTLExpired, RTT: time.Duration(10+probe.TTL+i%7) * time.Millisecond, Sent: now, TTL: probe.TTL}
			if probe.TTL >= 15 {
				r.Status, r.Responder = StatusReply, testBenchTarget
			}
			t.note(probe.Key, &r, true, now)
		}
	}
	for i := range 3000 {
		round(i)
		t.results = nil
		t.Begin(now)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		round(i)
		i++
		t.snapshot(now)
		t.Begin(now)
	}
}
