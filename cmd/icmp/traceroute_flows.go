package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/graphsvg"
)

// flowFlags is the part of the command line that is about several flows.
type flowFlags struct {
	flows flowCount
	dot   bool
	svg   string // the file of the picture; -: standard output; "": none
}

func (f *flowFlags) register(flags *pflag.FlagSet) {
	f.flows = 1
	flags.Var(&f.flows, "flows", fmt.Sprintf("flows to trace, up to %d, or all: enough to find all paths with 95 %% confidence", icmplib.MaxFlows))
	flags.StringVar(&f.svg, "svg", "", "write the graph of the flows to an SVG file; -: to standard output, and nothing else")
	flags.BoolVar(&f.dot, "dot", false, "print only the graph of the flows, in the Graphviz language")
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
		return fmt.Errorf("1 to %d, or all, is allowed", icmplib.MaxFlows)
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
	case f.given("svg") && f.svg == "":
		return errors.New("--svg: a name is missing: a file, or - for standard output, is allowed")
	case f.svg != "" && f.flows == 1:
		return errors.New("--svg: it needs --flows: a number above 1, or all, is allowed")
	case f.svg == "-" && (f.dot || f.json || f.csv):
		return errors.New("--svg - excludes --dot, --json and --csv, which also write to standard output: a file is allowed")
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
type dotRoute struct {
	out     io.Writer
	numbers *nameCache // of autonomous systems; nil: none
}

func (d dotRoute) start(*icmplib.Route)             {}
func (d dotRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (d dotRoute) end(r *icmplib.Route, _ error) {
	if r.Graph != nil {
		_ = r.Graph.WriteDOT(d.out, withNumbers(r, d.numbers)) // as with all that is printed
	}
}

// writeGraph writes the graph below the hops.
func (t *textRoute) writeGraph(r *icmplib.Route) {
	if r.Graph != nil {
		_ = r.Graph.WriteText(t.out, withNumbers(r, t.numbers))
	}
}

// withNumbers returns how the addresses of a graph are written: with the numbers of their
// autonomous systems, all of which it has looked up.
func withNumbers(r *icmplib.Route, numbers *nameCache) func(netip.Addr) string {
	if numbers == nil {
		return nil
	}
	eachResponder(r, func(addr netip.Addr) { numbers.ask(addr) })
	return func(addr netip.Addr) string { return addr.String() + asnMark(numbers.await(addr)) }
}

// svgRoute draws the graph of a route, besides what another reporter writes.
type svgRoute struct {
	routeReporter
	to      *pictureFile
	names   *nameCache // nil: addresses only
	numbers *nameCache
}

func (s svgRoute) end(r *icmplib.Route, err error) {
	s.routeReporter.end(r, err)
	if r.Graph == nil || len(r.Graph.Hops) == 0 {
		return
	}
	labels := graphsvg.Labels{Mark: responderMark, End: describeEnd(r)}
	for label, cache := range map[*func(netip.Addr) string]*nameCache{&labels.Name: s.names, &labels.ASN: s.numbers} {
		if cache != nil {
			eachResponder(r, func(addr netip.Addr) { cache.ask(addr) })
			*label = cache.await
		}
	}
	s.to.write(func(w io.Writer) error { return graphsvg.Write(w, r, labels) })
}

// silentRoute writes nothing: a picture is all that is wanted.
type silentRoute struct{}

func (silentRoute) start(*icmplib.Route)             {}
func (silentRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (silentRoute) end(*icmplib.Route, error)        {}

// pictureFile is where a picture will be. It is opened before anything is sent, and
// nothing of what was in it is touched until there is a picture.
type pictureFile struct {
	file   *os.File // nil: standard output
	out    io.Writer
	isNew  bool
	drawn  bool
	failed func(error)
}

func openPicture(ctx context.Context, name string, out io.Writer) (*pictureFile, error) {
	if name == "-" {
		return &pictureFile{out: out, failed: func(error) {}}, nil // standard output keeps its error
	}
	_, err := os.Stat(name)
	p := &pictureFile{isNew: errors.Is(err, os.ErrNotExist)}
	p.failed = func(err error) {
		if out, ok := ctx.Value(outputKey{}).(*output); ok {
			out.broke(fmt.Errorf("--svg: %w", err))
		}
	}
	if p.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666); err != nil {
		return nil, fmt.Errorf("--svg: %w", err)
	}
	return p, nil
}

// write writes the picture in place of what was in the file.
func (p *pictureFile) write(draw func(io.Writer) error) {
	p.drawn = true
	if p.file == nil {
		_ = draw(p.out)
		return
	}
	if err := draw(p.file); err != nil {
		p.failed(err)
		return
	}
	at, err := p.file.Seek(0, io.SeekCurrent)
	if err == nil && at > 0 {
		err = p.file.Truncate(at) // a picture that was there before may have been longer
	}
	if info, _ := p.file.Stat(); err != nil && info != nil && info.Mode().IsRegular() {
		p.failed(err)
	}
}

// close ends it. A file that was made for a picture which there is not goes again.
func (p *pictureFile) close() {
	if p.file == nil {
		return
	}
	if err := p.file.Close(); err != nil && p.drawn {
		p.failed(err)
	}
	if p.isNew && !p.drawn {
		_ = os.Remove(p.file.Name())
	}
}
