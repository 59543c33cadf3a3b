package main

import (
	"context"
	"hash/fnv"
	"iter"
	"log/slog"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib"
)

// prober is what the exporter uses of an [icmplib.Prober].
type prober interface {
	Resolve(ctx context.Context, name string, family icmplib.Family) ([]netip.Addr, error)
	PingSeq(ctx context.Context, target string, opts *icmplib.PingOptions) iter.Seq2[icmplib.Result, error]
	Counters() icmplib.Counters
	Close() error
}

// pinger probes one address for as long as its context lasts.
type pinger struct {
	prober prober
	job    *job
	addr   netip.Addr
	series *series
	log    *slog.Logger
}

// restartPause is how long a pinger waits when its probing broke off.
const restartPause = 10 * time.Second

func (p *pinger) run(ctx context.Context) {
	defer p.series.end()
	for wait := p.phase(); pause(ctx, wait); wait = restartPause {
		for r, err := range p.prober.PingSeq(ctx, p.addr.String(), &p.job.ping) {
			if err == nil {
				p.series.add(&r)
				continue
			}
			if ctx.Err() == nil {
				p.series.fail()
				p.log.Error("probing broke off", "target", p.job.host, "address", p.addr, "again in", restartPause, "error", err)
			}
		}
	}
}

// phase is when in its interval an address is probed: by its name, so that many
// addresses spread evenly, and each keeps its place when the exporter is started
// again.
func (p *pinger) phase() time.Duration {
	h := fnv.New64a()
	h.Write([]byte(p.job.id()))
	h.Write(p.addr.AsSlice())
	const bits = 32
	part := float64(h.Sum64()>>bits) / (1 << bits)
	return time.Duration(part * float64(p.job.ping.Interval))
}

// pause waits, and reports whether ctx is still there.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
