package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// flowFlags is the part of the command line that is about several flows.
type flowFlags struct {
	flows flowCount
	dot   bool
}

func (f *flowFlags) register(flags *pflag.FlagSet) {
	f.flows = 1
	flags.Var(&f.flows, "flows", fmt.Sprintf("flows to trace, up to %d, or all: as many as show all ways with 95 %% confidence", icmplib.MaxFlows))
	flags.BoolVar(&f.dot, "dot", false, "print the graph of the flows in the language of Graphviz, and nothing else")
}

// flowCount is a number of flows, or all of them, which is -1.
type flowCount int

func (c *flowCount) String() string {
	if *c < 0 {
		return "all"
	}
	return strconv.Itoa(int(*c))
}

// Set takes the value of the flag.
func (c *flowCount) Set(value string) error {
	if value == "all" {
		*c = -1
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > icmplib.MaxFlows {
		return fmt.Errorf("1 to %d, or all", icmplib.MaxFlows)
	}
	*c = flowCount(n)
	return nil
}

// option is what the library takes: 0 for one flow.
func (c *flowCount) option() int {
	if *c == 1 {
		return 0
	}
	return int(*c)
}

// Type names the value in the help.
func (c *flowCount) Type() string { return "N|all" }

func (f *tracerouteFlags) checkFlows() error {
	switch {
	case f.dot && f.flows == 1:
		return errors.New("--dot: it needs --flows: a number above 1, or all, is allowed")
	case f.dot && (f.json || f.csv):
		return errors.New("--dot excludes --json and --csv: one of them is allowed")
	case f.nat && f.flows != 1:
		return errors.New("--nat and --flows exclude each other: one of them is allowed")
	case f.fast && f.flows != 1:
		return errors.New("--fast and --flows exclude each other: one of them is allowed")
	}
	return nil
}

// traceFlows fills the route with the ways of several flows. The hops are known
// when all of them are.
func traceFlows(ctx context.Context, p *icmplib.Prober, route *icmplib.Route, opts *icmplib.TracerouteOptions, report routeReporter) error {
	report.start(route)
	found, err := p.Traceroute(ctx, route.Address.String(), opts)
	if found == nil {
		return unlessInterrupted(err)
	}
	if err != nil && found.Graph == nil {
		return &notSentError{err}
	}
	found.Name = route.Name
	*route = *found
	for i := range route.Hops {
		report.hop(route, &route.Hops[i])
	}
	return unlessInterrupted(err)
}

// dotRoute writes the graph of a route and nothing else.
type dotRoute struct{ out io.Writer }

func (d dotRoute) start(*icmplib.Route)             {}
func (d dotRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (d dotRoute) end(r *icmplib.Route, _ error) {
	if r.Graph != nil {
		_ = r.Graph.WriteDOT(d.out) // as with all that is printed
	}
}

// writeGraph writes the graph below the hops.
func (t *textRoute) writeGraph(r *icmplib.Route) {
	if r.Graph != nil {
		_ = r.Graph.WriteText(t.out)
	}
}
