package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
)

// answering is a network whose hosts all answer after a millisecond.
const answering = `
	client 203.0.113.9 2001:db8:9::9
	node r 203.0.113.1 2001:db8:9::1
	node h 192.0.2.1 2001:db8::1 delay=500us
	path 192.0.2.0/24 198.51.100.0/24 2001:db8::/64 r h
`

// testWorld is an exporter on a simulated network, in virtual time.
type testWorld struct {
	*exporter
	t       *testing.T
	names   *testNames
	probers []*icmptest.Prober // all that were opened
}

func newTestWorld(t *testing.T, network string) *testWorld {
	w := &testWorld{exporter: newExporter(slog.New(slog.DiscardHandler)), t: t, names: &testNames{names: map[string]any{}}}
	w.lookup = w.names.lookup
	w.open = func(cfg *icmplib.Config) (*icmplib.Prober, error) {
		p := icmptest.NewProber(t, network, cfg)
		w.probers = append(w.probers, p)
		return p.Prober, nil
	}
	return w
}

// use has a configuration take effect.
func (w *testWorld) use(text string) {
	w.t.Helper()
	if err := w.apply(mustSettings(w.t, text)); err != nil {
		w.t.Fatal(err)
	}
}

// probed returns the addresses to which packets left since it was asked last.
func (w *testWorld) probed() (all []string) {
	p := w.probers[len(w.probers)-1]
	for _, packet := range p.Truth() {
		all = append(all, packet.Destination.String())
	}
	p.ForgetTruth()
	slices.Sort(all)
	return slices.Compact(all)
}

// isClosed reports whether the Prober that was opened as the nth is closed.
func (w *testWorld) isClosed(n int) bool {
	_, err := w.probers[n].NewWatch(nil)
	if err == nil {
		_, err = w.probers[n].Ping(w.t.Context(), "192.0.2.1", &icmplib.PingOptions{Count: 1})
	}
	return errors.Is(err, net.ErrClosed)
}

// figures returns a metric of the world in use, by the value of a label.
func (w *testWorld) figures(name, label string) map[string]float64 {
	w.t.Helper()
	families, err := w.current.Load().registry.Gather()
	if err != nil {
		w.t.Fatal(err)
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
			found[key] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return found
}

// testNames are names and their addresses, or why there are none.
type testNames struct {
	mu    sync.Mutex
	names map[string]any // []netip.Addr or error
	asked int
	takes time.Duration
}

func (f *testNames) set(name string, to any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names[name] = to
}

func (f *testNames) lookup(_ context.Context, name string, family icmplib.Family) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	time.Sleep(f.takes)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	switch v := f.names[name].(type) {
	case []netip.Addr:
		of := slices.DeleteFunc(slices.Clone(v), func(a netip.Addr) bool {
			return family == icmplib.IPv4 && !a.Is4() || family == icmplib.IPv6 && a.Is4()
		})
		if len(of) == 0 {
			return nil, &net.DNSError{Name: name, IsNotFound: true}
		}
		return of, nil
	case error:
		return nil, v
	}
	return nil, errors.New("the test has not said what this name is")
}

func addrs(all ...string) (parsed []netip.Addr) {
	for _, a := range all {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}

// figureOf returns the first figure of a metric among those of a series.
func figureOf(s *series, m *metric) (value float64, ok bool) {
	for _, one := range s.figures(nil) {
		if f, is := one.(*figure); is && f.metric == m {
			return f.value, true
		}
	}
	return 0, false
}
