package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// someTargets wants a target, as words or in a list.
func (f *tracerouteFlags) someTargets(cmd *cobra.Command, words []string) error {
	if n := len(words); n > 1 {
		if _, err := strconv.Atoi(words[n-1]); err == nil {
			return fmt.Errorf("%s %s %s: traceroute's packetlen is --size here: bytes of payload", cmd.Name(), words[n-2], words[n-1])
		}
	}
	if len(words) == 0 && len(f.files) == 0 {
		return errors.New(cmd.Name() + ": a TARGET is missing: one or more names, addresses, prefixes or ranges are allowed")
	}
	return nil
}

// runAll traces the target, or all of them at once.
func (f *tracerouteFlags) runAll(ctx context.Context, term terminal, words []string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	list, many, err := f.targets(ctx, words, term)
	switch {
	case err != nil:
		return err
	case !many && f.mtu:
		return f.mtuFlag.run(ctx, term, words[0], f)
	case !many:
		return f.run(ctx, term, words[0])
	}
	if err := f.refuseMany(); err != nil {
		return err
	}
	prober, stop, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer stop()
	return f.runMany(ctx, prober, opts, list, term)
}

// refuseMany refuses what is for one target only.
func (f *tracerouteFlags) refuseMany() error {
	for _, flag := range []string{"mtu", "loss", "flows", "dot", "svg"} {
		if f.given(flag) {
			return fmt.Errorf("--%s with many targets: one TARGET is allowed", flag)
		}
	}
	return nil
}

// runMany reports each route when it is complete. A route that is cut short by
// Ctrl-C is not reported.
func (f *tracerouteFlags) runMany(ctx context.Context, p *icmplib.Prober, opts *icmplib.TracerouteOptions, list *targetList, term terminal) error {
	many := f.manyFlags.options(opts)
	status, term := newStatus(term)
	defer status.end()
	var packets int
	many.Progress = func(g icmplib.Progress) {
		packets = g.PacketsSent
		status.set(fmt.Sprintf("%d of %s traced, %d reached, %d packets", g.Completed, list.total(), g.Alive, g.PacketsSent))
	}
	each, err := f.routesReporter(term.out, opts)
	if err != nil {
		return err
	}
	report := newRoutesReport(each)
	defer report.close()
	var faults failures
	var so tracedSoFar
	stop := whenAsked(ctx, func() { so.tell(term.err) })
	dead := false
	for route, err := range p.MultiTracerouteSeq(ctx, list.seq(ctx), many) {
		if err != nil {
			if err = f.explain(err); unlessInterrupted(err) != nil {
				faults = faults.with(err)
			}
			dead = true
			break
		}
		if err := f.explain(route.Err); err != route.Err {
			faults = faults.with(err) // a flag is wrong, and would be for every target
			break
		}
		if route.Err == nil && route.End == icmplib.EndUnknown || errors.Is(route.Err, context.Canceled) {
			continue
		}
		so.add(route)
		switch err := routeFault(route); {
		case route.Reached:
		case err != nil && len(faults) == 0:
			faults = faults.with(err) // the first: they may be very many
			dead = true
		default:
			dead = true
		}
		if err := f.looked(route); err != nil {
			faults = faults.with(err)
		}
		report.route(route)
	}
	stop()
	report.close()
	status.end()
	switch {
	case errors.Is(list.err, errDead):
		dead = true
	case list.err != nil:
		faults = faults.with(list.err)
	}
	if !f.json && !f.csv && so.all > 0 {
		fmt.Fprintf(term.err, "%d targets, %d reached, %d packets sent\n", so.all, so.reached, packets)
	}
	return faults.orDead(dead)
}

// tracedSoFar counts routes, for those who ask meanwhile, too.
type tracedSoFar struct {
	mu           sync.Mutex
	all, reached int
}

func (s *tracedSoFar) add(r *icmplib.Route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all++
	if r.Reached {
		s.reached++
	}
}

func (s *tracedSoFar) tell(out io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(out, "%d targets, %d reached, so far\n", s.all, s.reached)
}

// routeFault returns what stood in the way of a trace, and is more than that the
// target cannot be reached.
func routeFault(r *icmplib.Route) error {
	if errors.Is(r.Err, icmplib.ErrNameLookup) || errors.Is(r.Err, os.ErrPermission) {
		return r.Err
	}
	return nil
}

// maxParallelTraces is the most that the library takes.
const maxParallelTraces = 1 << 16

// manyFlags is what concerns traces of many targets.
type manyFlags struct {
	files    []string
	rate     int
	hopRate  int
	parallel int
}

func (f *manyFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.files, "file", nil, "file of targets, one per line; -: standard input; may be repeated")
	flags.IntVar(&f.rate, "rate", 10_000, "packets per second of all traces together; 0: no limit")
	flags.IntVar(&f.hopRate, "hop-rate", 500, "with many targets: packets per second that expire at one router; 0: no limit")
	flags.IntVar(&f.parallel, "parallel", 1000, "maximum of traces at a time")
}

func (f *manyFlags) check() error {
	switch {
	case f.rate < 0:
		return refuse("rate", f.rate, "0 or more")
	case f.hopRate < 0:
		return refuse("hop-rate", f.hopRate, "0 or more")
	case f.parallel < 1 || f.parallel > maxParallelTraces:
		return refuse("parallel", f.parallel, fmt.Sprintf("1 to %d", maxParallelTraces))
	}
	return nil
}

// options adds what many traces need to the options of one.
func (f *manyFlags) options(opts *icmplib.TracerouteOptions) *icmplib.MultiTracerouteOptions {
	many := &icmplib.MultiTracerouteOptions{
		FirstHop: opts.FirstHop, MaxHops: opts.MaxHops, Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout,
		Fast: opts.Fast, GapLimit: opts.GapLimit, Family: opts.Family, Packet: opts.Packet,
		Parallel: f.parallel, Rate: f.rate, HopRate: f.hopRate,
	}
	if many.Rate == 0 {
		many.Rate = -1 // the library's word for no limit
	}
	if many.HopRate == 0 {
		many.HopRate = -1
	}
	return many
}

// targets reads the targets, and reports whether they are many: a list, several
// words, or a word that stands for several addresses.
func (f *manyFlags) targets(ctx context.Context, words []string, term terminal) (list *targetList, many bool, err error) {
	if len(words) == 1 && len(f.files) == 0 {
		s, err := parseSpan(words[0], false)
		if err == nil && s.name != "" {
			return nil, false, nil
		}
	}
	list = &targetList{stdin: term.in, order: order{shards: 1}}
	return list, true, list.open(ctx, words, f.files)
}

// routesReporter writes whole routes, one after the other.
type routesReporter interface {
	route(r *icmplib.Route)
}

// routesAhead is how many routes wait to be printed, for the names of their
// routers perhaps, until the traces wait, too.
const routesAhead = 64

// routesReport prints routes in a goroutine of its own.
type routesReport struct {
	routes chan *icmplib.Route
	ask    func(r *icmplib.Route)
	once   sync.Once
	done   sync.WaitGroup
}

func newRoutesReport(by routesReporter) *routesReport {
	w := &routesReport{routes: make(chan *icmplib.Route, routesAhead), ask: func(*icmplib.Route) {}}
	if t, ok := by.(*textRoutes); ok {
		w.ask = t.ask
	}
	w.done.Go(func() {
		for r := range w.routes {
			by.route(r)
		}
	})
	return w
}

func (w *routesReport) route(r *icmplib.Route) {
	w.ask(r)
	w.routes <- r
}

// close waits until all is printed.
func (w *routesReport) close() {
	w.once.Do(func() { close(w.routes) })
	w.done.Wait()
}

// textRoutes writes what people read.
type textRoutes struct {
	out   io.Writer
	opts  *icmplib.TracerouteOptions
	size  int
	names *nameCache // nil: numbers only
	nat   bool

	numbers *nameCache // of autonomous systems; nil: none
}

// ask has the names of a route's routers looked up, all at once.
func (t *textRoutes) ask(r *icmplib.Route) {
	for h := range r.Responding() {
		for i := range h.Responders {
			if t.names != nil {
				t.names.ask(h.Responders[i].Address)
			}
			t.numbers.askIfAny(h.Responders[i].Address)
		}
	}
}

func (t *textRoutes) route(r *icmplib.Route) {
	if !r.Address.IsValid() {
		fmt.Fprintf(t.out, "traceroute to %s: %v\n", r.Name, r.Err)
		return
	}
	one := &textRoute{out: t.out, opts: t.opts, size: t.size, names: t.names, nat: t.nat, numbers: t.numbers}
	one.start(r)
	if r.Err != nil {
		one.end(r, &notSentError{r.Err})
		return
	}
	for i := range r.Hops {
		one.hop(r, &r.Hops[i])
	}
	one.end(r, nil)
}

// eachRoute writes a route as the reporter of a single one does.
type eachRoute struct{ routeReporter }

func (e eachRoute) route(r *icmplib.Route) {
	if r.Err == nil {
		for i := range r.Hops {
			e.hop(r, &r.Hops[i])
		}
	}
	e.end(r, r.Err)
}

func (f *tracerouteFlags) routesReporter(out io.Writer, opts *icmplib.TracerouteOptions) (routesReporter, error) {
	one, err := f.reporter(out, opts)
	if err != nil {
		return nil, err
	}
	if of, ok := one.(*textRoute); ok {
		return &textRoutes{out: out, opts: opts, size: f.size, nat: f.nat, names: of.names, numbers: of.numbers}, nil
	}
	return eachRoute{one}, nil
}
