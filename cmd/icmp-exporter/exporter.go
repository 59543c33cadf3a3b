package main

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/trouble"
)

var missedTotal = counter("icmp_results_missed_total", "Results not counted, because the exporter was too slow.")

// lookupFunc finds the addresses of a host, as [icmplib.Prober.Resolve] does.
type lookupFunc func(ctx context.Context, host string, family icmplib.Family) ([]netip.Addr, error)

// exporter runs what the configuration says, and what it says next.
type exporter struct {
	open   func(*icmplib.Config) (*icmplib.Prober, error)
	lookup lookupFunc // nil: the Prober's
	log    *slog.Logger

	mu      sync.Mutex // one configuration at a time
	current atomic.Pointer[world]
	probing atomic.Pointer[probing]
}

func newExporter(log *slog.Logger) *exporter { return &exporter{open: icmplib.NewProber, log: log} }

// apply has the settings take effect. Targets that stay as they are go on, and
// keep their counters, as long as the shape is the same.
func (e *exporter) apply(s *settings) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.current.Load()
	w := before
	if w == nil || !reflect.DeepEqual(w.shape, s.shape) {
		var err error
		if w, err = e.newWorld(s.shape); err != nil {
			return err
		}
	}
	if err := w.set(s.jobs); err != nil {
		if w != before {
			w.end()
		}
		return err
	}
	e.current.Store(w)
	e.probing.Store(s.probing)
	if w != before {
		before.end()
	}
	e.log.Info("probing", "targets", len(s.jobs))
	return nil
}

// close ends everything. The last figures can still be read.
func (e *exporter) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current.Load().end()
}

// world is all that one shape of the configuration has: targets that share a
// Prober and what watches them.
type world struct {
	shape    shape
	prober   *icmplib.Prober
	watch    *icmplib.Watch
	resolve  lookupFunc // the Prober's, which knows to which family there is a route
	registry *prometheus.Registry
	log      *slog.Logger

	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
	tracer    *trouble.Tracer[*series]
	routed    chan struct{} // holds a token for each way that is watched
	mtuPlaces chan struct{}

	mu      sync.Mutex
	targets map[string]*target   // by the id of their job
	named   map[string][]*target // by the name of their host
	missed  uint64
	leftOut uint64 // ways that are not watched, because there are too many

	troubles []foundRoute // the newest last
}

func (e *exporter) newWorld(s shape) (*world, error) {
	cfg := s.prober
	cfg.Logger = e.log
	p, err := e.open(&cfg)
	if err != nil {
		return nil, err
	}
	w := &world{
		shape: s, prober: p, resolve: e.lookup, log: e.log,
		registry: prometheus.NewRegistry(), targets: map[string]*target{},
		routed: make(chan struct{}, mostRouted), mtuPlaces: make(chan struct{}, mtuAtOnce),
	}
	if w.resolve == nil {
		w.resolve = p.Resolve
	}
	if w.watch, err = p.NewWatch(&icmplib.WatchOptions{Lookup: w.lookup}); err != nil {
		p.Close()
		return nil, err
	}
	w.registry.MustRegister(collector(w.figures), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.tracer = w.newTracer(w.ctx)
	w.running.Go(func() { w.take(w.ctx) })
	return w, nil
}

// set has these jobs done, and no others.
func (w *world) set(jobs []job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := map[*target]following{} // in how their ways are followed alone
	targets, named := make(map[string]*target, len(jobs)), map[string][]*target{}
	watched := make([]icmplib.WatchTarget, 0, len(jobs))
	for i := range jobs {
		j := &jobs[i]
		t := w.targets[j.id()]
		if t == nil || !t.job.probesAs(j) {
			t = newTarget(j)
		}
		if t.following != j.following {
			changed[t] = j.following
		}
		targets[j.id()] = t
		if j.isName() {
			named[j.host] = append(named[j.host], t)
		}
		watched = append(watched, j.watch(t))
	}
	if err := w.watch.Set(watched); err != nil {
		return err
	}
	for id, t := range w.targets {
		if targets[id] != t {
			w.forget(t)
		}
	}
	w.targets, w.named = targets, named
	for t, following := range changed {
		w.forget(t)
		t.following = following
		for _, s := range t.addresses {
			w.follow(s)
		}
	}
	return nil
}

// forget ends what finds out about the ways to a target.
func (w *world) forget(t *target) {
	for _, s := range t.addresses {
		w.unfollow(s)
	}
}

// take takes in what happens until ctx ends.
func (w *world) take(ctx context.Context) {
	for e, err := range w.watch.Events(ctx) {
		if err == nil {
			w.note(&e)
		}
	}
}

// note takes in what happened.
func (w *world) note(e *icmplib.WatchEvent) {
	t := e.Value.(*target)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.missed += uint64(e.Missed)
	switch e.Kind {
	case icmplib.WatchLookupFailed:
		t.resolveErrors++
		w.log.Warn("the name was not resolved", "target", e.Host, "error", e.Err)
		return
	case icmplib.WatchGone:
		if s := t.addresses[e.Address]; s != nil {
			w.unfollow(s)
			delete(t.addresses, e.Address)
		}
		return
	}
	s := t.addresses[e.Address]
	if s == nil {
		s = newSeries(t, e.Address, w.shape.buckets)
		t.addresses[e.Address] = s
		if w.targets[e.ID] == t {
			w.follow(s)
		}
	}
	w.suspect(s, e)
	switch e.Kind {
	case icmplib.WatchResult:
		s.add(&e.Result)
	case icmplib.WatchNewID:
		s.newIDs++
	}
}

// lookup resolves a name for the Watch, and notes how long that took.
func (w *world) lookup(ctx context.Context, host string, family icmplib.Family) ([]netip.Addr, error) {
	began := time.Now()
	addrs, err := w.resolve(ctx, host, family)
	took := time.Since(began)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.named[host] {
		if of := t.job.probing.Family; of == family || of == icmplib.AnyFamily {
			t.resolveTime = took
		}
	}
	return addrs, err
}

// figures returns what is known at this moment.
func (w *world) figures() []prometheus.Metric {
	all := proberFigures(w.prober)
	w.mu.Lock()
	defer w.mu.Unlock()
	all = append(all, missedTotal.of(nil, float64(w.missed)), leftOutTotal.of(nil, float64(w.leftOut+w.tracer.LeftOut())))
	for _, t := range w.targets {
		all = t.figures(all)
	}
	return all
}

// end ends all that runs in a world.
func (w *world) end() {
	if w == nil {
		return
	}
	w.watch.Close()
	w.cancel()
	w.running.Wait()
	w.tracer.Wait()
	w.prober.Close()
}
