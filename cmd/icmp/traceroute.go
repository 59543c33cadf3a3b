package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

const tracerouteExamples = `  icmp traceroute example.net
  icmp traceroute -n -q 1 --gap 5 192.0.2.1
  icmp traceroute -T -p 443 -m 20 example.net
  icmp traceroute -U --service quic example.net
  icmp traceroute --json -6 example.net
  icmp traceroute --mtu example.net
  icmp traceroute --loss example.net
  icmp traceroute --flows all example.net
  icmp traceroute --flows all --svg ways.svg example.net
  icmp traceroute --json -q 1 --file targets.txt > routes.ndjson`

func newTracerouteCommand() *cobra.Command {
	flags := &tracerouteFlags{}
	cmd := &cobra.Command{
		Use:     "traceroute [flags] TARGET...",
		Aliases: []string{"trace"},
		Short:   "Find the routers on the path to a host",
		Long: `Find the routers on the path to a host.

traceroute probes several hops at a time. All probes belong to one flow; with
--flows there are more, and a graph of their paths follows the hops. Each hop is
printed when it is final: its responders, one per line, and their round-trip times
in sending order, or the minimum, mean and maximum of many; * is a silent hop. The
marks are those of traceroute: !N network, !H host and !P protocol unreachable, !X
prohibited, !F-MTU too big for the next link, !S source route failed, !V and !C
precedence, !<n> another code. [MPLS] is the label stack with which the probe
arrived; [rewritten: ...] names header fields that changed since the hop before;
--nat reports where they change.

--loss probes each hop slowly and then fast, 260 times in 75 seconds, to tell
packet loss from routers that limit their rate of answers. It prints the loss at
both rates with its bounds (95 % confidence), and what that means for the hop's
own answers and for the path.

Many targets, thousands if need be, are traced at once: names, addresses,
prefixes (10.0.0.0/24) or ranges (10.0.0.1-20), as arguments or in files, one per
line; see --file, --rate, --hop-rate and --parallel. Each route is printed when
it is complete.

Times take a unit, such as 200ms, or are a number of seconds.

Exit codes: 0 the targets were reached, 1 some were not, 2 a name was not found,
3 the command line is wrong, 4 no permission or a system error.`,
		Example: tracerouteExamples,
		Args:    flags.someTargets,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.runAll(cmd.Context(), terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}, targets)
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

func oneTarget(cmd *cobra.Command, targets []string) error {
	switch {
	case len(targets) == 0:
		return errors.New(cmd.Name() + ": a TARGET is missing: one name or address is allowed")
	case len(targets) > 1:
		return errors.New(cmd.Name() + " " + targets[0] + " " + targets[1] + ": one TARGET is allowed")
	}
	return nil
}

// A routeReporter writes a route as it becomes known: start once it is certain
// that something can be sent, each hop as it becomes final, and end in any case,
// with the error that there was.
type routeReporter interface {
	start(r *icmplib.Route)
	hop(r *icmplib.Route, h *icmplib.Hop)
	end(r *icmplib.Route, err error)
}

// counted counts the hops that are final.
type counted struct {
	routeReporter
	hops *atomic.Int32
}

func (c counted) hop(r *icmplib.Route, h *icmplib.Hop) {
	c.hops.Add(1)
	c.routeReporter.hop(r, h)
}

// run traces the route to a target and reports it.
func (f *tracerouteFlags) run(ctx context.Context, term terminal, target string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	if _, err := f.asnFlags.cache(); err != nil {
		return err
	}
	var loss *icmplib.ExplainLossOptions
	if f.loss {
		if loss, err = f.lossOptions(opts); err != nil {
			return err
		}
	}
	cfg.Rate = f.rate
	prober, end, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer end()

	if f.loss {
		return f.explainLoss(ctx, prober, term, target, loss)
	}
	status, term := newStatus(term)
	defer status.end()
	if f.json || f.csv || opts.Flows != 0 {
		status.follow(func(elapsed time.Duration) string { return "tracing for " + seconds(elapsed) })
	}
	report, err := f.reporter(term.out, opts)
	if err != nil {
		return err
	}
	if f.svg != "" {
		picture, err := openPicture(ctx, f.svg, term.out)
		if err != nil {
			return err
		}
		defer picture.close()
		report = f.drawn(report, picture)
	}
	route := &icmplib.Route{Name: target}
	var known atomic.Int32
	stop := whenAsked(ctx, func() { fmt.Fprintf(term.err, "%s: %d hops are known so far\n", target, known.Load()) })
	err = f.explain(trace(ctx, prober, route, opts, counted{report, &known}))
	stop()
	blind := f.looked(route)
	if f.json && err == nil {
		err = blind
	}
	status.end()
	report.end(route, err)
	if verdict := routeVerdict(route, err); verdict != nil || blind == nil {
		return verdict
	}
	return blind
}

// trace fills the route. Ctrl-C ends it: what there is by then is the result.
func trace(ctx context.Context, p *icmplib.Prober, route *icmplib.Route, opts *icmplib.TracerouteOptions, report routeReporter) error {
	addrs, err := p.Resolve(ctx, route.Name, opts.Family)
	if err != nil {
		return unlessInterrupted(err)
	}
	route.Address = addrs[0]
	if err := suits(&opts.Packet, route.Address); err != nil {
		return err
	}
	if err := rehearse(p, route.Address, opts); err != nil {
		return err
	}
	if opts.Flows != 0 {
		return traceFlows(ctx, p, route, opts, report)
	}
	report.start(route)
	sent := false
	for hop, err := range p.TracerouteSeq(ctx, route.Address.String(), opts) {
		if err != nil && !sent && len(route.Hops) > 0 {
			route.Hops = nil
			return &notSentError{err}
		}
		if err != nil {
			return unlessInterrupted(err)
		}
		route.Hops = append(route.Hops, *hop)
		// Hops are held back while nothing has left: if nothing ever does,
		// there is one thing to say, and not one for each.
		if !sent && hop.PacketsSent > 0 {
			sent = true
			for i := range len(route.Hops) - 1 {
				report.hop(route, &route.Hops[i])
			}
		}
		if sent {
			report.hop(route, hop)
		}
	}
	route.End = route.Hops[len(route.Hops)-1].End
	route.Reached = route.End == icmplib.EndReached
	return nil
}

// rehearse finds what keeps a trace from beginning, so that nothing is printed
// of it: a trace whose context has ended opens its sockets and sends nothing.
func rehearse(p *icmplib.Prober, target netip.Addr, opts *icmplib.TracerouteOptions) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range p.TracerouteSeq(ctx, target.String(), opts) {
		if err != nil {
			return unlessInterrupted(err)
		}
	}
	return nil
}

func unlessInterrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// routeVerdict returns the error that a route stands for. Packets that the
// system did not send make an unreachable target, unless it lacked the
// permission.
func routeVerdict(r *icmplib.Route, err error) error {
	switch {
	case r.Reached:
		return nil
	case err == nil:
		return errDead
	}
	var unsent *notSentError
	if errors.As(err, &unsent) && !errors.Is(err, os.ErrPermission) {
		return errDead
	}
	return err
}

// notSentError is why the system sent none of the probes.
type notSentError struct{ err error }

func (e *notSentError) Error() string { return "not sent: " + e.err.Error() }
func (e *notSentError) Unwrap() error { return e.err }

// maxQueries is the most that the library takes.
const maxQueries = 1000

// tracerouteFlags is the command line of traceroute.
type tracerouteFlags struct {
	traceFlags
	asnFlags
	flowFlags
	manyFlags
	mtuFlag
	nat      bool
	natRaw   bool // it looks by raw sockets
	queries  int
	interval time.Duration
	gap      int
	fast     bool
	json     bool
	csv      bool
	loss     bool
	flags    *pflag.FlagSet
}

func (f *tracerouteFlags) register(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(tracerouteName)
	flags.IntVarP(&f.queries, "count", "q", 3, "probes per hop; same as --queries")
	durationVar(flags, &f.timeout, "timeout", "w", 2*time.Second, "how long to wait for each answer; same as --wait")
	durationVar(flags, &f.interval, "interval", "z", 50*time.Millisecond, "time between probes to a hop; 0: none")
	f.traceFlags.register(flags, tracerouteLetters)
	otherwise(flags, "interval", "traceroute")
	f.flowFlags.register(flags)
	f.asnFlags.register(flags, letters{"as-lookup": "A"})
	flags.IntVar(&f.gap, "gap", 0, "end after this many silent hops in a row; 0: never")
	flags.BoolVar(&f.fast, "fast", false, "probe each hop only until it has answered once")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVar(&f.mtu, "mtu", false, "find the MTU of each hop and of the path, and PMTU black holes")
	flags.BoolVar(&f.nat, "nat", false, "report at the end where header fields are rewritten, as NATs do; needs raw sockets")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target and line")
	flags.BoolVar(&f.csv, "csv", false, "print a CSV header and a line per hop and responder")
	flags.BoolVar(&f.loss, "loss", false, "probe each hop at two rates to tell loss from rate limits; -z and -q (200) set the fast one")
	f.manyFlags.register(flags)
	f.flags = flags
}

// tracerouteName lets flags be called as traceroute(8) calls them, too.
func tracerouteName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "tos":
		name = "traffic-class"
	case "wait":
		name = "timeout"
	case "queries":
		name = "count"
	case "first":
		name = "first-hop"
	case "flowlabel":
		name = "flow-label"
	case "as-path-lookups":
		name = "as-lookup"
	case "sendwait":
		name = "interval"
	}
	return pflag.NormalizedName(name)
}

// options translates the command line, and refuses what it cannot mean.
func (f *tracerouteFlags) options() (*icmplib.TracerouteOptions, *icmplib.Config, error) {
	for _, err := range []error{f.checkOwn(), f.checkFlows(), f.manyFlags.check(), f.probeFlags.check(), f.protocolFlags.check(&f.probeFlags)} {
		if err != nil {
			return nil, nil, err
		}
	}
	opts := &icmplib.TracerouteOptions{
		FirstHop: f.firstHop,
		MaxHops:  f.maxHops,
		Count:    f.queries,
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Fast:     f.fast,
		GapLimit: f.gap,
		Flows:    f.flows.option(),
		Family:   f.family(),
		Packet:   f.packet(),
	}
	f.apply(&opts.Packet)
	cfg := f.config()
	f.lookRaw(opts, cfg)
	return opts, cfg, nil
}

func (f *tracerouteFlags) checkOwn() error {
	if err := f.checkHops(); err != nil {
		return err
	}
	switch {
	case f.queries < 1 || f.queries > maxQueries:
		return refuse("count", f.queries, fmt.Sprintf("1 to %d", maxQueries))
	case f.timeout <= 0 || f.timeout > maxTimeout:
		return refuse("timeout", f.timeout, "more than 0 and up to 1h")
	case f.gap < 0:
		return refuse("gap", f.gap, "0 or more")
	case f.json && f.csv:
		return errors.New("--json and --csv exclude each other: one of them is allowed")
	}
	return nil
}

func (f *tracerouteFlags) reporter(out io.Writer, opts *icmplib.TracerouteOptions) (routeReporter, error) {
	numbers, err := f.asnFlags.cache()
	switch {
	case err != nil:
		return nil, err
	case f.dot:
		return dotRoute{out, numbers}, nil
	case f.json:
		return jsonRoute{&jsonWriter{out: out}, numbers}, nil
	case f.csv:
		return csvRoute{newCSVHops(out, numbers)}, nil
	}
	text := &textRoute{out: out, opts: opts, size: f.size, nat: f.nat, numbers: numbers}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text, nil
}

// drawn is a reporter that draws the route as well. Names that another one looks up, too,
// are not looked up twice.
func (f *tracerouteFlags) drawn(report routeReporter, to *pictureFile) routeReporter {
	s := svgRoute{routeReporter: report, to: to}
	s.numbers, _ = f.asnFlags.cache() // it was made without an error before
	if text, ok := report.(*textRoute); ok {
		s.names, s.numbers = text.names, text.numbers
	} else if !f.numeric {
		s.names = newNameCache()
	}
	if f.svg == "-" {
		s.routeReporter = silentRoute{}
	}
	return s
}

// maxDistance is the most that the library takes.
const maxDistance = 255

// traceFlags is what traceroute and mtr say alike: which hops are probed, and by
// packets of what shape. Of probeFlags it takes the values, under the letters
// that traceroute(8) gives them.
type traceFlags struct {
	probeFlags
	protocolFlags
	firstHop     int
	maxHops      int
	dontFragment bool
	numeric      bool
}

// tracerouteLetters are those of traceroute(8), as far as traceFlags has them.
var tracerouteLetters = letters{
	"first-hop": "f", "max-hops": "m", "ipv4": "4", "ipv6": "6", "source": "s", "interface": "i", "traffic-class": "t", "dont-fragment": "F",
	"protocol": "P", "icmp": "I", "udp": "U", "tcp": "T", "port": "p", "flow-label": "l",
}

func (f *traceFlags) register(flags *pflag.FlagSet, l letters) {
	flags.IntVarP(&f.firstHop, "first-hop", l["first-hop"], 1, "first distance to probe")
	flags.IntVarP(&f.maxHops, "max-hops", l["max-hops"], 30, "last distance to probe")
	f.protocolFlags.register(flags, l)
	flags.BoolVarP(&f.only4, "ipv4", l["ipv4"], false, "use IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", l["ipv6"], false, "use IPv6 only")
	flags.StringVarP(&f.source, "source", l["source"], "", "source address")
	flags.StringVarP(&f.device, "interface", l["interface"], "", "interface to send and receive on")
	flags.IntVarP(&f.class, "traffic-class", l["traffic-class"], 0, "traffic class byte: DSCP and ECN; same as --tos")
	flags.BoolVarP(&f.dontFragment, "dont-fragment", l["dont-fragment"], false, "forbid fragmentation")
	flags.IntVar(&f.size, "size", defaultSize, "payload bytes")
	flags.Uint32VarP(&f.mark, "mark", l["mark"], 0, "routing mark; needs privilege")
	f.registerSocket(flags)
	f.ttl, f.pmtudisc = 64, "dont" // what the check of probeFlags is to find
}

// checkHops refuses distances that there are not.
func (f *traceFlags) checkHops() error {
	switch {
	case f.firstHop < 1 || f.firstHop > maxDistance:
		return refuse("first-hop", f.firstHop, fmt.Sprintf("1 to %d", maxDistance))
	case f.maxHops < f.firstHop || f.maxHops > maxDistance:
		return refuse("max-hops", f.maxHops, fmt.Sprintf("%d (the first hop) to %d", f.firstHop, maxDistance))
	}
	return nil
}

// packet translates the shape of a probe. The flags have been checked.
func (f *traceFlags) packet() icmplib.Packet {
	p := f.probeFlags.packet()
	p.TTL = 0 // a trace sets it
	p.DontFragment = f.dontFragment
	return p
}
