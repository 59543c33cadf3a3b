package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/trouble"
)

var troubleTracesTotal = counter("icmp_trouble_traces_total", "Traces taken because the address went down or lost too much, by how they compare with the last good one.")

const (
	tracesAtOnce = 16
	mostTroubles = 256 // that are kept to be shown
	pagesAtOnce  = 4

	// goodFor is how old a route to compare with may become.
	goodFor = 15 * time.Minute
)

// foundRoute is what a trace of an address in trouble has found, as it is shown.
type foundRoute struct {
	Time       time.Time         `json:"time"`
	Target     string            `json:"target"`
	Address    netip.Addr        `json:"address"`
	Protocol   string            `json:"protocol"`
	Labels     map[string]string `json:"labels,omitempty"`
	Reason     string            `json:"reason"`   // down or loss
	Compared   string            `json:"compared"` // unknown, same or changed
	Difference string            `json:"difference"`
	Now        *icmplib.Route    `json:"now"`
	Good       *icmplib.Route    `json:"good,omitempty"`
}

// knownRoute is what is known of the way to an address, as it is shown.
type knownRoute struct {
	Target   string            `json:"target"`
	Address  netip.Addr        `json:"address"`
	Protocol string            `json:"protocol"`
	Labels   map[string]string `json:"labels,omitempty"`
	Good     *icmplib.Route    `json:"good,omitempty"`    // when it was up last
	Watched  *icmplib.Route    `json:"watched,omitempty"` // as the Monitor sees it now
}

// routesPage is what /routes answers. docs/schema.json has all of it.
type routesPage struct {
	Schema   int          `json:"schema"`
	Troubles []foundRoute `json:"troubles"`
	Routes   []knownRoute `json:"routes"`
}

// traceFate is why a route was traced, and what that shows.
type traceFate struct{ why, outcome string }

// traceFates are all of them.
var traceFates = []traceFate{{"down", "same"}, {"down", "changed"}, {"down", "unknown"}, {"loss", "same"}, {"loss", "changed"}, {"loss", "unknown"}}

// newTracer returns what traces the routes to addresses in trouble.
func (w *world) newTracer(ctx context.Context) *trouble.Tracer[*series] {
	return trouble.New(ctx, trouble.Config[*series]{
		AtOnce: tracesAtOnce, Hosts: mostTraced, Tell: w.found,
		Trace: func(ctx context.Context, s *series) (*icmplib.Route, error) {
			route, err := w.prober.Traceroute(ctx, s.addr.String(), trouble.Options(s.target.job.probing.Packet))
			if route != nil {
				route.Name = s.target.job.host
			}
			return route, err
		},
		Good: func(s *series, route *icmplib.Route) {
			w.mu.Lock()
			defer w.mu.Unlock()
			s.good = route
		},
	})
}

// suspect has the route of an address traced where what happened is trouble, and now and
// then where all is well.
func (w *world) suspect(s *series, e *icmplib.WatchEvent) {
	change := trouble.None
	switch r := &e.Result; {
	case e.Kind == icmplib.WatchDown:
		s.down, change = true, trouble.Down
	case e.Kind == icmplib.WatchUp:
		s.down, change = false, trouble.Up
	case e.Kind != icmplib.WatchResult || !r.Settles() || r.Status == icmplib.StatusUnsettled:
		return
	default:
		answered := r.Status == icmplib.StatusReply
		if change = s.loss.Note(answered); s.down {
			change = trouble.None // of which the route is traced already
		}
		if change == trouble.None && answered && !s.down && e.Time.Sub(s.goodAsked) >= goodFor {
			change = trouble.Up
		}
	}
	if !s.target.following.trace {
		return
	}
	if change == trouble.Up {
		s.goodAsked = e.Time
	}
	w.tracer.Take(s, change)
}

// found keeps what a trace has found, and says so.
func (w *world) found(s *series, f trouble.Finding) {
	j := s.target.job
	report := foundRoute{
		Time: time.Now(), Target: j.host, Address: s.addr, Protocol: j.probing.Packet.Protocol.String(), Labels: j.labels,
		Reason: f.Why.String(), Compared: f.Outcome(), Difference: f.Difference(), Now: f.Now, Good: f.Good,
	}
	w.log.Warn(f.Text(j.host), "target", j.host, "address", s.addr)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.traces[traceFate{report.Reason, report.Compared}]++
	if len(w.troubles) >= mostTroubles {
		w.troubles = slices.Delete(w.troubles, 0, 1)
	}
	w.troubles = append(w.troubles, report)
}

// page returns what is known of routes: of all targets what traces of trouble have found,
// the newest first, and of one the routes too.
func (w *world) page(target string) *routesPage {
	w.mu.Lock()
	defer w.mu.Unlock()
	page := &routesPage{Schema: icmplib.JSONSchema, Troubles: []foundRoute{}, Routes: []knownRoute{}}
	for _, f := range slices.Backward(w.troubles) {
		if target == "" || f.Target == target {
			page.Troubles = append(page.Troubles, f)
		}
	}
	for _, t := range w.targets {
		if t.job.host != target {
			continue
		}
		for _, s := range t.addresses {
			if s.good != nil || s.way.now != nil {
				page.Routes = append(page.Routes, knownRoute{target, s.addr, t.job.probing.Packet.Protocol.String(), t.job.labels, s.good, s.way.now})
			}
		}
	}
	slices.SortFunc(page.Routes, func(a, b knownRoute) int { return a.Address.Compare(b.Address) })
	return page
}

// text writes the page for people.
func (p *routesPage) text(out io.Writer) {
	for _, f := range p.Troubles {
		fmt.Fprintf(out, "%s %s (%s), %s: %s\n", f.Time.UTC().Format(time.RFC3339), f.Target, f.Address, f.Reason, f.Difference)
		fmt.Fprintf(out, "now: %v\n", f.Now)
		if f.Good != nil {
			fmt.Fprintf(out, "before: %v\n", f.Good)
		}
		fmt.Fprintln(out)
	}
	for _, r := range p.Routes {
		if r.Good != nil {
			fmt.Fprintf(out, "when it was last up: %v\n\n", r.Good)
		}
		if r.Watched != nil {
			fmt.Fprintf(out, "as watched: %v\n\n", r.Watched)
		}
	}
	if len(p.Troubles)+len(p.Routes) == 0 {
		fmt.Fprintln(out, "no target has been in trouble; ?target=HOST shows the routes to one if trace_on_trouble or route_interval is set")
	}
}

// routesPage answers /routes?target=HOST&format=json|text.
func (d *daemon) routesPage(rw http.ResponseWriter, r *http.Request) {
	select {
	case d.pages <- struct{}{}:
		defer func() { <-d.pages }()
	default:
		rw.Header().Set("Retry-After", "1")
		http.Error(rw, "too many clients ask for routes at once", http.StatusServiceUnavailable)
		return
	}
	format := r.URL.Query().Get("format")
	if accept := r.Header.Get("Accept"); format == "" {
		if format = "json"; strings.Contains(accept, "text/") && !strings.Contains(accept, "application/json") {
			format = "text"
		}
	}
	page := d.exporter.current.Load().page(r.URL.Query().Get("target"))
	switch format {
	case "json":
		rw.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(rw).Encode(page); err != nil {
			d.log.Debug("the routes were not taken", "error", err)
		}
	case "text":
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		page.text(rw)
	default:
		http.Error(rw, fmt.Sprintf("format=%q: allowed is json or text", format), http.StatusBadRequest)
	}
}
