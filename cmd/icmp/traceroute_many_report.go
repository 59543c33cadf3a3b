package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/goicmp/icmplib"
)

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
	if t, ok := by.(*textRoutes); ok && t.names != nil {
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
}

// ask has the names of a route's routers looked up, all at once.
func (t *textRoutes) ask(r *icmplib.Route) {
	for h := range r.Responding() {
		for i := range h.Responders {
			t.names.ask(h.Responders[i].Address)
		}
	}
}

func (t *textRoutes) route(r *icmplib.Route) {
	if !r.Address.IsValid() {
		fmt.Fprintf(t.out, "traceroute to %s: %v\n", r.Name, r.Err)
		return
	}
	one := &textRoute{out: t.out, opts: t.opts, size: t.size, names: t.names, nat: t.nat}
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

func (f *tracerouteFlags) routesReporter(out io.Writer, opts *icmplib.TracerouteOptions) routesReporter {
	if f.json || f.csv {
		return eachRoute{f.reporter(out, opts)}
	}
	text := &textRoutes{out: out, opts: opts, size: f.size, nat: f.nat}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}
