package icmplib

import (
	"net/netip"
	"testing"
	"time"
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
	p := newMonitorPlan(&opts, now)
	round := func(i int) {
		for h := range 15 {
			tag := p.sent(h, now)
			r := Result{Dst: testBenchTarget, Responder: benchRouter(h), Status: StatusTTLExpired, RTT: time.Duration(10+h+i%7) * time.Millisecond, Sent: now, TTL: h + 1}
			if h == 14 {
				r.Status, r.Responder = StatusReply, testBenchTarget
			}
			p.result(tag, &r, true)
		}
		p.finish()
		p.begin(now)
	}
	for i := range 3000 {
		round(i)
		p.results = nil
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		round(i)
		i++
		p.snapshot(now)
	}
}
