package main

import (
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/goicmp/icmplib"
)

// exporter runs what the configuration says, and what it says next.
type exporter struct {
	open  func(*icmplib.Config) (prober, error)
	limit func(lookupFunc) lookupFunc // how many look-ups may run at a time
	log   *slog.Logger

	mu      sync.Mutex // one configuration at a time
	current atomic.Pointer[world]
	probing atomic.Pointer[probing]
}

// world is all that one shape of the configuration has: targets that share a
// Prober and metrics.
type world struct {
	shape   shape
	prober  prober
	lookup  lookupFunc // the Prober's, which knows to which family there is a route
	metrics *metrics
	targets map[string]*target // by the id of their job
}

func newExporter(log *slog.Logger) *exporter {
	return &exporter{
		open:  func(cfg *icmplib.Config) (prober, error) { return icmplib.NewProber(cfg) },
		limit: limited,
		log:   log,
	}
}

// apply has the settings take effect. Targets that stay as they are go on, and
// keep their counters, as long as the shape is the same.
func (e *exporter) apply(s *settings) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.current.Load()
	if w == nil || !reflect.DeepEqual(w.shape, s.shape) {
		next, err := e.newWorld(s.shape)
		if err != nil {
			return err
		}
		w.end()
		w = next
	}
	e.run(w, s.jobs)
	e.current.Store(w)
	e.probing.Store(s.probing)
	return nil
}

func (e *exporter) newWorld(s shape) (*world, error) {
	cfg := s.prober
	cfg.Logger = e.log
	p, err := e.open(&cfg)
	if err != nil {
		return nil, err
	}
	w := &world{shape: s, prober: p, lookup: e.limit(p.Resolve), metrics: newMetrics(&s), targets: map[string]*target{}}
	w.metrics.registry.MustRegister(proberMetrics{p})
	return w, nil
}

// run stops the targets of a world that have no job any more, or another one, and
// starts those that it lacks.
func (e *exporter) run(w *world, jobs []job) {
	wanted := map[string]*job{}
	for i := range jobs {
		wanted[jobs[i].id()] = &jobs[i]
	}
	var ended []*target
	for id, t := range w.targets {
		if j := wanted[id]; j == nil || !j.same(t.job) {
			t.stop()
			ended = append(ended, t)
			delete(w.targets, id)
		}
	}
	for _, t := range ended {
		t.wait()
	}
	for id, j := range wanted {
		if w.targets[id] == nil {
			t := &target{job: j, prober: w.prober, metrics: w.metrics, lookup: w.lookup, log: e.log}
			t.start()
			w.targets[id] = t
		}
	}
	e.log.Info("probing", "targets", len(w.targets))
}

// end ends all that runs in a world.
func (w *world) end() {
	if w == nil {
		return
	}
	for _, t := range w.targets {
		t.stop()
	}
	for _, t := range w.targets {
		t.wait()
	}
	w.prober.Close()
}

// close ends everything. The last figures can still be read.
func (e *exporter) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current.Load().end()
}
