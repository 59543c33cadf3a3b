package main

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
)

// target is a job that runs: its name is resolved again and again, and each of
// its addresses has a pinger.
type target struct {
	job     *job
	prober  prober
	metrics *metrics
	lookup  lookupFunc
	log     *slog.Logger

	cancel  context.CancelFunc
	done    chan struct{}
	pingers map[netip.Addr]func() // stops the pinger, and waits for its end
	all     sync.WaitGroup
}

// start has the target run until it is stopped.
func (t *target) start() {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel, t.done, t.pingers = cancel, make(chan struct{}), map[netip.Addr]func(){}
	go func() {
		defer close(t.done)
		t.run(ctx)
	}()
}

// stop begins the end of the target, and wait waits for it. When that returns,
// its series are gone.
func (t *target) stop() { t.cancel() }
func (t *target) wait() { <-t.done }

func (t *target) run(ctx context.Context) {
	labels := t.metrics.labelsOf(t.job)
	count := t.metrics.addresses.With(labels)
	failed := t.metrics.resolveErrors.With(labels)
	defer t.metrics.addresses.Delete(labels)
	defer t.metrics.resolveErrors.Delete(labels)
	defer t.all.Wait()
	_, err := netip.ParseAddr(t.job.host)
	isName := err != nil
	names := familyKeeper{lookup: t.lookup}
	for {
		wait := t.job.resolveEvery
		addrs, err := names.resolve(ctx, t.job.host, t.job.ping.Family)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failed.Inc()
			t.log.Warn("the name was not resolved", "target", t.job.host, "error", err)
			wait = min(wait, restartPause)
		}
		if err == nil || isGone(err) {
			t.probe(ctx, choose(addrs, t.job.firstOnly, t.isProbed))
			count.Set(float64(len(t.pingers)))
		}
		if err == nil && !isName {
			<-ctx.Done() // an address stays what it is
			return
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

func (t *target) isProbed(addr netip.Addr) bool { return t.pingers[addr] != nil }

// probe has these addresses probed, and no others.
func (t *target) probe(ctx context.Context, addrs []netip.Addr) {
	for addr, stop := range t.pingers {
		if !slices.Contains(addrs, addr) {
			stop()
			delete(t.pingers, addr)
		}
	}
	for _, addr := range addrs {
		if t.isProbed(addr) {
			continue
		}
		p := &pinger{t.prober, t.job, addr, t.metrics.newSeries(t.job, addr), t.log}
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		t.pingers[addr] = func() { cancel(); <-done }
		t.all.Go(func() {
			defer close(done)
			defer cancel()
			p.run(ctx)
		})
	}
}
