package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

const mtrExamples = `  icmp mtr example.net
  icmp mtr -T -P 443 -i 200ms example.net example.org
  icmp mtr --report -c 20 -n 192.0.2.1
  icmp mtr -u --flows 8 example.net
  icmp mtr --json -c 60 -6 example.net > route.json`

func newMTRCommand() *cobra.Command {
	flags := &mtrFlags{}
	cmd := &cobra.Command{
		Use:     "mtr [flags] TARGET...",
		Aliases: []string{"monitor"},
		Short:   "Watch the routes to hosts, live",
		Long: `Watch the routes to one or more hosts on a full screen: loss and round-trip times
of each router on the path, and what changes. ? lists the keys. When you quit, mtr
prints the table.

With --report, --json or --csv, mtr shows nothing, measures --count rounds and
prints the result at the end.

Times take a unit, such as 200ms, or are a number of seconds.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line is wrong, 4 no permission or a system error.`,
		Example: mtrExamples,
		Args:    flags.needTarget,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.run(cmd.Context(), terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}, targets)
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

func (f *mtrFlags) needTarget(_ *cobra.Command, targets []string) error {
	if len(targets) == 0 && len(f.files) == 0 {
		return errors.New("mtr: a TARGET is missing: one or more names or addresses are allowed")
	}
	return nil
}

// run watches the targets and shows or reports them.
func (f *mtrFlags) run(ctx context.Context, term terminal, targets []string) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := f.checkScreen(isTerminal(term.out), os.Getenv("TERM")); err != nil {
		return err
	}
	targets, err := f.targets(ctx, targets, term)
	if err != nil {
		return err
	}
	if f.flows > 1 && len(targets)*int(f.flows) > maxMTRTargets {
		return refuse("flows", f.flows.String(), fmt.Sprintf("up to %d for %d targets, as %d routes are watched at the most", max(maxMTRTargets/len(targets), 1), len(targets), maxMTRTargets))
	}
	if f.numbers, err = f.asnFlags.cache(); err != nil {
		return err
	}
	probers, stop, err := f.newProbers(ctx, f.config(), int(f.flows))
	if err != nil {
		return err
	}
	defer stop()

	watch := watching(probers)
	if f.reports() {
		status, term := newStatus(term)
		screen := live.Config{Targets: targets, Flows: int(f.flows)}
		c := newCollection(screen.Subjects(), status)
		stop := whenAsked(ctx, func() { c.tell(term.err) })
		outcomes := c.collect(ctx, watch, f.monitorOptions(f.settings()))
		stop()
		status.end()
		return f.conclude(term.out, outcomes)
	}
	outcomes, err := f.show(ctx, watch, targets)
	var table strings.Builder
	verdict := f.conclude(&table, outcomes)
	keepTable(term, "mtr", table.String())
	if err != nil {
		return err // the terminal's: what was seen is printed all the same
	}
	return verdict
}

// checkScreen refuses to draw where nothing can be drawn.
func (f *mtrFlags) checkScreen(terminal bool, kind string) error {
	switch {
	case f.reports():
		return nil
	case !terminal:
		return errors.New("mtr: standard output is not a terminal: give --report, --json or --csv, and --count")
	case kind == "dumb":
		return errors.New("mtr: a dumb terminal (TERM) has no screen: give --report, --json or --csv, and --count")
	}
	return nil
}

// watching is how targets are watched: each flow by a Prober of its own, whose ports and
// ids nothing else has. A port that was chosen is that of the first flow.
func watching(probers []*icmplib.Prober) live.Watch {
	return func(ctx context.Context, s live.Subject, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error] {
		flow := max(s.Flow-1, 0)
		own := *opts
		if own.Packet.SourcePort != 0 {
			own.Packet.SourcePort += uint16(flow)
		}
		return probers[flow].Monitor(ctx, s.Name, &own)
	}
}

// conclude prints the outcomes, and returns what is to be said of them.
func (f *mtrFlags) conclude(out io.Writer, outcomes []*mtrOutcome) error {
	for _, o := range outcomes {
		o.err = f.explain(o.err)
	}
	f.reporter(out).outcomes(outcomes)
	return mtrVerdict(outcomes)
}

// mtrFlags is the command line of mtr.
type mtrFlags struct {
	traceFlags
	asnFlags
	count    int
	flows    flowCount
	interval time.Duration
	outage   int
	resolve  time.Duration
	report   bool
	wide     bool
	both     bool // names and addresses
	fields   string
	files    []string
	json     bool
	csv      bool
	looks    looksFlags

	numbers *nameCache // of autonomous systems; nil: none
}

// What bounds how much is watched at once: routes, and flows to a target, each of which has
// sockets of its own.
const (
	maxMTRTargets = 1000
	maxMTRFlows   = 64
)

// targets returns the words and what the lists have.
func (f *mtrFlags) targets(ctx context.Context, words []string, term terminal) ([]string, error) {
	if len(f.files) == 0 {
		return words, nil
	}
	list := &targetList{stdin: term.in, order: order{shards: 1}}
	if err := list.open(ctx, words, f.files); err != nil {
		return nil, err
	}
	var all []string
	for target := range list.seq(ctx) {
		if len(all) == maxMTRTargets {
			return nil, fmt.Errorf("--file: up to %d targets are allowed", maxMTRTargets)
		}
		all = append(all, target)
	}
	if len(all) == 0 && list.err == nil {
		return nil, errors.New("--file: it has no target: one or more are allowed")
	}
	return all, list.err
}

// reportRounds is how many rounds there are where nobody looks on, and nothing
// else was said.
const reportRounds = 10

// leastMTRInterval is the least that the library takes.
const leastMTRInterval = time.Millisecond

// mtrLetters are those of mtr, as far as traceFlags has them.
var mtrLetters = letters{
	"first-hop": "f", "max-hops": "m", "ipv4": "4", "ipv6": "6", "source": "a", "interface": "I", "traffic-class": "Q", "mark": "M",
	"udp": "u", "tcp": "T", "port": "P", "source-port": "L",
}

func (f *mtrFlags) register(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(mtrName)
	flags.IntVarP(&f.count, "count", "c", 0, "end after this many rounds; 0: run until interrupted, the default except with\n--report, --json and --csv, where it is 10")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "time between rounds")
	durationVar(flags, &f.timeout, "timeout", "Z", 2*time.Second, "how long to wait for each answer")
	f.flows = 1
	flags.Var(&f.flows, "flows", fmt.Sprintf("flows per target, up to %d, to see the paths of load balancers: each has a row,\nand tab shows the hops of the next one", maxMTRFlows))
	flags.IntVar(&f.outage, "outage", 3, "silent probes to the target in a row that count as an outage; 0: report none")
	durationVar(flags, &f.resolve, "resolve-every", "", 0, resolveUsage)
	f.traceFlags.register(flags, mtrLetters)
	f.asnFlags.register(flags, letters{"as-lookup": "z"})
	flags.StringVarP(&f.fields, "order", "o", "", "columns, by the letters of mtr: "+live.FieldLetters)
	flags.StringArrayVarP(&f.files, "file", "F", nil, "file of targets, one per line; -: standard input; may be repeated")
	flags.BoolVarP(&f.wide, "report-wide", "w", false, "same as --report, which never cuts names")
	flags.BoolVarP(&f.both, "show-ips", "b", false, "show names and addresses (the default)")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses; same as --no-dns")
	flags.BoolVarP(&f.report, "report", "r", false, "show no screen; print a table at the end")
	flags.BoolVarP(&f.json, "json", "j", false, "print one JSON object per target at the end")
	flags.BoolVarP(&f.csv, "csv", "C", false, "print a CSV line per hop and responder at the end")
	f.looks.register(flags)
}

// mtrName lets flags be called as mtr and the other commands call them, too.
func mtrName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "report-cycles":
		name = "count"
	case "address":
		name = "source"
	case "aslookup":
		name = "as-lookup"
	case "filename":
		name = "file"
	case "localport":
		name = "source-port"
	case "no-dns":
		name = "numeric"
	case "first-ttl":
		name = "first-hop"
	case "max-ttl":
		name = "max-hops"
	case "tos":
		name = "traffic-class"
	}
	return pflag.NormalizedName(name)
}

// check refuses what cannot be meant.
func (f *mtrFlags) check() error {
	for _, err := range []error{f.checkOwn(), f.probeFlags.check(), f.protocolFlags.check(&f.probeFlags)} {
		if err != nil {
			return err
		}
	}
	if _, err := live.Fields(f.fields); err != nil {
		return refuse("order", fmt.Sprintf("%q", f.fields), err.Error())
	}
	if f.reports() && !f.given("count") {
		f.count = reportRounds
	}
	return nil
}

func (f *mtrFlags) checkOwn() error {
	f.report = f.report || f.wide
	if !f.given("max-hops") && f.maxHops < f.firstHop {
		f.maxHops = f.firstHop // as in the library
	}
	if err := f.checkHops(); err != nil {
		return err
	}
	switch {
	case f.count < 0:
		return refuse("count", f.count, "0 or more")
	case f.interval < leastMTRInterval:
		return refuse("interval", f.interval, "1ms or more")
	case f.outage < 0:
		return refuse("outage", f.outage, "0 or more")
	case tooOften(f.resolve):
		return refuse("resolve-every", f.resolve, resolveAllowed)
	case f.flows < 1 || f.flows > maxMTRFlows:
		return refuse("flows", f.flows.String(), fmt.Sprintf("1 to %d", maxMTRFlows)+"; icmp traceroute --flows all finds the number of paths")
	case f.flows > 1 && f.csv:
		return errors.New("--flows and --csv exclude each other: --json, which names the flow, is allowed")
	case f.flows > 1 && f.flowLabel != 0:
		return errors.New("--flows and --flow-label exclude each other: a fixed label makes all flows one")
	case f.sourcePort > 0 && f.sourcePort+int(f.flows)-1 > 65535:
		return refuse("source-port", f.sourcePort, fmt.Sprintf("up to %d, because each of %d flows needs a port,", 65536-int(f.flows), f.flows))
	case f.both && f.numeric:
		return errors.New("--show-ips and --numeric exclude each other: one of them is allowed")
	case f.fields != "" && (f.json || f.csv):
		return errors.New("--order and --json or --csv exclude each other: the latter have all fields")
	case f.report && f.json, f.report && f.csv, f.json && f.csv:
		return errors.New("--report, --json and --csv exclude each other: one of them is allowed")
	}
	return nil
}

// reports reports whether the result is printed at the end, and nothing before.
func (f *mtrFlags) reports() bool { return f.report || f.json || f.csv }

// settings are what the command line says of what keys change.
func (f *mtrFlags) settings() live.Settings {
	p, _ := icmplib.ParseProtocol(f.protocol)
	return live.Settings{Protocol: p, Family: f.family()}
}

// monitorOptions translates the command line, which has been checked. What
// belongs to one protocol only does not go along to another one.
func (f *mtrFlags) monitorOptions(s live.Settings) *icmplib.MonitorOptions {
	opts := &icmplib.MonitorOptions{
		Interval: f.interval,
		Rounds:   f.count,
		FirstHop: f.firstHop,
		MaxHops:  f.maxHops,
		Timeout:  f.timeout,
		Outage:   orNone(f.outage),
		Family:   s.Family,
		Packet:   f.packet(),

		ResolveEvery: f.resolve,
	}
	p := &opts.Packet
	p.Protocol = s.Protocol
	switch s.Protocol {
	case icmplib.ICMP:
		return opts
	case icmplib.UDP:
		p.Service, _ = icmplib.ParseService(f.service)
		p.ServiceName = f.asked
		if p.Size = max(p.Size, minSizeUDP); f.asks() {
			p.Size = 0
		}
	default:
		p.Size = 0
	}
	p.Port, p.SourcePort, p.FlowLabel = uint16(f.port), uint16(f.sourcePort), f.flowLabel
	return opts
}

// probes says in words what is sent.
func (f *mtrFlags) probes(s live.Settings) string { return f.words(s.Protocol) }

func (f *mtrFlags) reporter(out io.Writer) mtrReporter {
	switch {
	case f.json:
		return jsonMTR{&jsonWriter{out: out}, f.numbers}
	case f.csv:
		return csvMTR{newCSVHops(out, f.numbers)}
	}
	text := &textMTR{out: out, fields: f.fields, numbers: f.numbers}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}

// show watches the targets on the terminal until its user quits, and returns
// what was there at last.
func (f *mtrFlags) show(ctx context.Context, watch live.Watch, targets []string) ([]*mtrOutcome, error) {
	screen := f.screen(targets, os.Getenv)
	m := live.New(screen)
	err := live.Run(ctx, m, live.Terminal{
		Out:     os.Stdout,
		Environ: os.Environ(),
		Watch:   watch,
		Options: f.monitorOptions,
	})
	subjects := screen.Subjects()
	outcomes := make([]*mtrOutcome, len(subjects))
	for i, s := range subjects {
		o := m.Outcome(i)
		outcomes[i] = &mtrOutcome{Subject: s, began: o.Began, last: o.Last, events: o.Events, err: o.Err, unsent: o.Unsent}
	}
	return outcomes, err
}

// screen says what the view is to look like.
func (f *mtrFlags) screen(targets []string, env func(string) string) live.Config {
	looks := f.looks.apply(looksOf(env))
	c := live.Config{
		Targets:  targets,
		Flows:    int(f.flows),
		Settings: f.settings(),
		Probes:   f.probes,
		Interval: f.interval.String(),
		Mark:     responderMark,
		Colours:  looks.color,
		ASCII:    !looks.unicode,
		Fields:   f.fields,
	}
	if f.numbers != nil {
		c.ASN = f.numbers.get
	}
	if !f.numeric {
		c.Name = newNameCache().get
	}
	return c
}
