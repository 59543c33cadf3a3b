package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

// fakeProber stands in for a Prober: each request is answered after a
// millisecond. It notes when requests left.
type fakeProber struct {
	mu     sync.Mutex
	sent   map[string][]time.Time // by address
	broken map[string]error       // addresses of which the probing breaks off
	closed bool
	names  *fakeNames
}

func (f *fakeProber) Resolve(ctx context.Context, name string, family icmplib.Family) ([]netip.Addr, error) {
	return f.names.lookup(ctx, name, family)
}

var errBroken = errors.New("no socket")

func (f *fakeProber) PingSeq(ctx context.Context, to string, opts *icmplib.PingOptions) iter.Seq2[icmplib.Result, error] {
	return func(yield func(icmplib.Result, error) bool) {
		const rtt = time.Millisecond
		for seq := 0; ; seq++ {
			f.mu.Lock()
			err := f.broken[to]
			f.sent[to] = append(f.sent[to], time.Now())
			f.mu.Unlock()
			if err != nil {
				yield(icmplib.Result{}, err)
				return
			}
			sent := time.Now()
			if !pause(ctx, rtt) {
				yield(icmplib.Result{}, ctx.Err())
				return
			}
			if !yield(icmplib.Result{Seq: seq, Status: icmplib.StatusReply, RTT: rtt, Sent: sent}, nil) {
				return
			}
			if !pause(ctx, opts.Interval-rtt) {
				yield(icmplib.Result{}, ctx.Err())
				return
			}
		}
	}
}

func (f *fakeProber) Counters() icmplib.Counters { return icmplib.Counters{PacketsSent: 7, Dropped: 3} }

func (f *fakeProber) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// requests returns when requests left to an address, and forgets it.
func (f *fakeProber) requests(to string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	sent := f.sent[to]
	delete(f.sent, to)
	return sent
}

// probed returns the addresses to which requests left since it was asked last.
func (f *fakeProber) probed() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer clear(f.sent)
	return slices.Sorted(maps.Keys(f.sent))
}

func (f *fakeProber) breaks(to string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken[to] = err
}

// fakeNames are names and their addresses, or why there are none.
type fakeNames struct {
	mu    sync.Mutex
	names map[string]any // []netip.Addr or error
	asked int
}

func (f *fakeNames) set(name string, to any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names[name] = to
}

func (f *fakeNames) lookup(_ context.Context, name string, family icmplib.Family) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	switch v := f.names[name].(type) {
	case []netip.Addr:
		return v, nil
	case map[icmplib.Family][]netip.Addr:
		if v[family] == nil {
			return nil, &net.DNSError{Name: name, IsNotFound: true}
		}
		return v[family], nil
	case error:
		return nil, v
	}
	return nil, errors.New("the test has not said what this name is")
}

// fakeWorld is an exporter on fakes.
type fakeWorld struct {
	*exporter
	names   *fakeNames
	probers []*fakeProber // all that were opened
}

func newFakeWorld() *fakeWorld {
	w := &fakeWorld{exporter: newExporter(slog.New(slog.DiscardHandler)), names: &fakeNames{names: map[string]any{}}}
	w.limit = func(lookup lookupFunc) lookupFunc { return lookup }
	w.open = func(*icmplib.Config) (prober, error) {
		p := &fakeProber{sent: map[string][]time.Time{}, broken: map[string]error{}, names: w.names}
		w.probers = append(w.probers, p)
		return p, nil
	}
	return w
}

// use has a configuration take effect.
func (w *fakeWorld) use(t *testing.T, text string) {
	t.Helper()
	if err := w.apply(mustSettings(t, text)); err != nil {
		t.Fatal(err)
	}
}

// prober is the one in use.
func (w *fakeWorld) prober() *fakeProber { return w.probers[len(w.probers)-1] }

// figures returns a metric of the world in use, by the address that it is about.
func (w *fakeWorld) figures(t *testing.T, name, label string) map[string]float64 {
	t.Helper()
	families, err := w.current.Load().metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			key := ""
			for _, l := range m.GetLabel() {
				if l.GetName() == label {
					key = l.GetValue()
				}
			}
			found[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return found
}

func addrs(all ...string) (parsed []netip.Addr) {
	for _, a := range all {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}
