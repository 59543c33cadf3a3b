package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/goicmp/icmplib"
)

const multipingExamples = `  icmp multiping 127.0.0.1 ::1 localhost
  icmp multiping --alive 192.168.1.0/24
  icmp multiping -f hosts.txt --json > hosts.ndjson
  icmp multiping -c 1 --rate 1000 --shuffle --shard 0/4 10.0.0.0/8
  generate-targets | icmp multiping --csv`

func newMultipingCommand() *cobra.Command {
	flags := &multipingFlags{}
	cmd := &cobra.Command{
		Use:   "multiping [flags] [TARGET...]",
		Short: "Ping very many hosts at once",
		Long: `Send echo requests to very many hosts at once and report each as it completes.

A TARGET is a name, an address, a prefix (10.0.0.0/24, 2001:db8::/120) or a
range (10.0.0.1-10.0.0.20, 10.0.0.1-20). --file reads a list of them, one per
line, with comments after a #. Without TARGET and --file, targets come from
standard input, unless it is a terminal. Targets of the command line and of files
are checked before anything is sent; targets of standard input are pinged as they
arrive. In an IPv4 prefix of up to 30 bits, the network and the broadcast address
are skipped.

Results go to standard output, the summary to standard error. Times take a unit,
such as 200ms, or are a number of seconds.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line is wrong, 4 no permission or a system error.`,
		Example: multipingExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			return flags.run(cmd.Context(), words, terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()})
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

// run pings the targets and reports each as it completes.
func (f *multipingFlags) run(ctx context.Context, words []string, term terminal) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	list, err := f.targets(ctx, words, term.in)
	if err != nil {
		return err
	}
	prober, end, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer end()

	names := &everyAddress{prober: prober, family: f.family(), on: f.everyAddress, names: map[string][]string{}}
	if f.sideBySide() {
		return f.loop(ctx, prober, opts, list, names, term)
	}
	sweep := f.sweep(prober, opts, list, names, term)
	stop := whenAsked(ctx, func() { sweep.total.tell(term.err, list.order) })
	sweep.run(ctx)
	stop()
	return sweep.end()
}

// targets opens the lists.
func (f *multipingFlags) targets(ctx context.Context, words []string, stdin io.Reader) (*targetList, error) {
	files := f.files
	if len(words) == 0 && len(files) == 0 {
		if isTerminal(stdin) {
			return nil, errors.New("multiping: a TARGET is missing: one or more names, addresses, prefixes or ranges are allowed")
		}
		files = []string{"-"}
	}
	list := &targetList{stdin: stdin, all: f.allAddresses, order: f.order()}
	return list, list.open(ctx, words, files)
}

// maxMultipingCount is the most that the library takes.
const maxMultipingCount = 1<<24 - 1

// multipingFlags is the command line of multiping.
type multipingFlags struct {
	probeFlags
	count        int
	interval     time.Duration
	rate         int
	files        []string
	allAddresses bool
	broadcast    bool
	shuffle      bool
	seed         uint64
	shard        shardFlag
	alive        bool
	unreachable  bool
	quiet        bool
	json         bool
	csv          bool
	retries      int
	backoff      float64
	results      int
	endless      bool
	every        time.Duration
	reachable    int
	outage       bool
	everyAddress bool
	timestamp    bool
	trace        bool
	stats        bool
	given        func(flag string) bool // reports whether a flag is on the command line
}

// fpingLetters are those of fping.
var fpingLetters = letters{
	"timeout": "t", "size": "b", "ttl": "H", "traffic-class": "O", "ipv4": "4", "ipv6": "6", "via": "I", "dont-fragment": "M", "source": "S",
}

// fpingName lets flags be called as fping calls them, too.
func fpingName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "period":
		name = "interval"
	case "iface":
		name = "via"
	case "dontfrag":
		name = "dont-fragment"
	case "src":
		name = "source"
	case "tos":
		name = "traffic-class"
	case "unreach":
		name = "unreachable"
	case "retry":
		name = "retries"
	case "squiet":
		name = "summary-every"
	case "vcount":
		name = "results"
	case "all":
		name = "every-address"
	}
	return pflag.NormalizedName(name)
}

func (f *multipingFlags) register(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(fpingName)
	flags.IntVarP(&f.count, "count", "c", 2, "requests per host")
	durationVar(flags, &f.interval, "interval", "p", 500*time.Millisecond, "time between requests to a host; 0: send after each reply")
	flags.IntVarP(&f.rate, "rate", "", 10_000, "packets per second to all hosts together; 0: no limit")
	flags.StringArrayVarP(&f.files, "file", "f", nil, "file of targets, one per line; -: standard input; may be repeated")
	flags.BoolVar(&f.allAddresses, "all-addresses", false, "also ping the network and broadcast addresses of IPv4 prefixes")
	flags.BoolVarP(&f.broadcast, "broadcast", "", false, "allow broadcast addresses among the targets")
	flags.BoolVar(&f.shuffle, "shuffle", false, "ping all targets in random order")
	flags.Uint64Var(&f.seed, "seed", 0, "with --shuffle: seed of the order to repeat; 0: a new order")
	flags.Var(&f.shard, "shard", "ping only every Nth target: share I of N, counted from 0")
	flags.BoolVarP(&f.alive, "alive", "a", false, "print only hosts that answer; as text, just their names")
	flags.BoolVarP(&f.unreachable, "unreachable", "u", false, "print only hosts that do not answer; as text, just their names")
	f.probeFlags.register(flags, fpingLetters)
	otherwise(flags, "interval", "fping")
	otherwise(flags, "timeout", "fping")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per host")
	flags.BoolVar(&f.csv, "csv", false, "print a CSV header and a line per host")
	flags.BoolVarP(&f.stats, "stats", "s", false, "with --json or --csv: also write the summary to standard error in that format")
	flags.IntVarP(&f.retries, "retries", "r", 0, "instead of --count: one request, and up to this many more until the host answers")
	flags.Float64VarP(&f.backoff, "backoff", "B", 1.5, "with --retries: factor by which each timeout grows, 1 to 5")
	flags.BoolVarP(&f.everyAddress, "every-address", "m", false, "ping every address of a name, not just the first")
	flags.IntVarP(&f.reachable, "reachable", "x", 0, "end when this many hosts are alive, and report whether there were enough")
	flags.BoolVarP(&f.endless, "loop", "l", false, "ping all hosts in parallel until interrupted, and print each reply")
	durationVar(flags, &f.every, "summary-every", "Q", 0, "with --loop: print the sums of each interval of this length instead of replies")
	flags.IntVarP(&f.results, "results", "C", 0, "ping all hosts in parallel this many times, and print all round-trip times of a host on one line")
	flags.BoolVarP(&f.outage, "outage", "o", false, "with --loop or --results: print how long each host was silent: one interval per loss")
	flags.BoolVarP(&f.timestamp, "timestamp", "D", false, "with --loop: begin each line with the time in seconds since 1970")
	flags.BoolVar(&f.trace, "trace-on-loss", false, "with --loop: after three losses in a row, trace the route to the host and print what changed")
	f.given = flags.Changed
}

// options translates the command line, and refuses what it cannot mean.
func (f *multipingFlags) options() (*icmplib.MultiPingOptions, *icmplib.Config, error) {
	for _, check := range []func() error{f.checkOwn, f.check} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	opts := &icmplib.MultiPingOptions{
		Count:    f.count,
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Rate:     f.rate,
		Family:   f.family(),
		Packet:   f.packet(),
	}
	opts.Packet.Broadcast = f.broadcast
	if f.rate == 0 {
		opts.Rate = -1 // which is the library's word for no limit
	}
	switch {
	case f.given("retries"):
		opts.Count = 1
	case f.results > 0:
		opts.Count = f.results
	}
	if f.sideBySide() && !f.given("interval") {
		opts.Interval = time.Second
	}
	cfg := f.config()
	if f.sideBySide() {
		cfg.Rate = f.rate
	}
	return opts, cfg, nil
}

func (f *multipingFlags) checkOwn() error {
	switch {
	case f.count < 1 || f.count > maxMultipingCount:
		return refuse("count", f.count, fmt.Sprintf("1 to %d", maxMultipingCount))
	case f.rate < 0:
		return refuse("rate", f.rate, "0 or more")
	case f.seed != 0 && !f.shuffle:
		return refuse("seed", f.seed, "none without --shuffle")
	case f.retries < 0 || f.retries > maxRetries:
		return refuse("retries", f.retries, fmt.Sprintf("0 to %d", maxRetries))
	case f.given("retries") && f.given("count"):
		return errors.New("--retries and --count exclude each other: one of them is allowed")
	case !(f.backoff >= 1 && f.backoff <= 5):
		return refuse("backoff", f.backoff, "1 to 5")
	case f.given("results") && f.results < 1 || f.results > maxResults:
		return refuse("results", f.results, fmt.Sprintf("1 to %d", maxResults))
	case f.given("reachable") && f.reachable < 1:
		return refuse("reachable", f.reachable, "1 or more")
	case f.endless && f.results > 0:
		return errors.New("--loop and --results exclude each other: one of them is allowed")
	case f.sideBySide() && (f.given("retries") || f.given("count") || f.reachable > 0 || f.alive || f.unreachable):
		return errors.New("--loop and --results exclude --count, --retries, --reachable, --alive and --unreachable: one of them is allowed")
	case !f.endless && (f.every > 0 || f.timestamp):
		return errors.New("--summary-every and --timestamp: they need --loop")
	case f.given("summary-every") && f.every == 0:
		return refuse("summary-every", f.every, "more than 0")
	case f.trace && !f.endless:
		return errors.New("--trace-on-loss: it needs --loop")
	case f.outage && !f.sideBySide():
		return errors.New("--outage: it needs --loop or --results")
	case f.stats && f.sideBySide():
		return errors.New("--stats and --loop or --results exclude each other: each host has its statistics")
	case f.alive && f.unreachable:
		return errors.New("--alive and --unreachable exclude each other: one of them is allowed")
	case f.json && f.csv:
		return errors.New("--json and --csv exclude each other: one of them is allowed")
	case f.quiet && !f.endless && (f.json || f.csv):
		return errors.New("--quiet and --json or --csv exclude each other: one of them is allowed")
	}
	return nil
}

const (
	maxRetries = 100
	maxResults = 10_000
)

// sideBySide reports whether hosts are pinged for longer, and each has a line of its
// own, instead of being done with one after the other.
func (f *multipingFlags) sideBySide() bool { return f.endless || f.results > 0 }

// order returns which targets are drawn, and in which order. A seed is made up
// where none was given.
func (f *multipingFlags) order() order {
	o := order{shard: f.shard.index, shards: max(f.shard.of, 1), shuffle: f.shuffle, seed: f.seed}
	for o.shuffle && o.seed == 0 {
		o.seed = rand.Uint64()
	}
	return o
}

// shows reports whether a host is to be printed. One that was in flight when the
// command was interrupted is neither alive nor unreachable.
func (f *multipingFlags) shows(fate hostFate) bool {
	switch {
	case f.quiet || fate == hostOpen:
		return false
	case f.alive:
		return fate == hostAlive
	case f.unreachable:
		return fate != hostAlive
	}
	return true
}

// sumsUp reports whether the end is for people.
func (f *multipingFlags) sumsUp() bool { return !f.json && !f.csv }

func (f *multipingFlags) reporter(out io.Writer) hostReporter {
	switch {
	case f.json:
		return jsonHosts{&jsonWriter{out: out}}
	case f.csv:
		return newCSVHosts(out)
	case f.alive || f.unreachable:
		return nameHosts{out}
	}
	return textHosts{out}
}

// shardFlag is a share of the targets, as 0/4: the index, and how many shares
// there are.
type shardFlag struct{ index, of uint64 }

var _ pflag.Value = (*shardFlag)(nil)

var errShard = errors.New("a share such as 0/4, from 0/4 to 3/4, is allowed")

func (s *shardFlag) Set(text string) error {
	index, of, _ := strings.Cut(text, "/")
	i, err := strconv.ParseUint(index, 10, 64)
	if err != nil {
		return errShard
	}
	n, err := strconv.ParseUint(of, 10, 64)
	if err != nil || i >= n {
		return errShard
	}
	*s = shardFlag{i, n}
	return nil
}

func (s *shardFlag) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.index, s.of)
}

// Type is what the help shows for the value.
func (s *shardFlag) Type() string { return "I/N" }

// terminal is where the command reads and writes; any of the three may be one.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// width returns how many columns the terminal has.
func (t terminal) width() int {
	const usual = 80
	return cmp.Or(columnsOf(t.out), usual)
}

// columnsOf returns how many columns a terminal has, 0 for what is none.
func columnsOf(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 0
}

// oneRow cuts a text that is to be drawn over: what takes two rows of a terminal stays
// there when the second is drawn anew. The last column stays free, for some terminals
// wrap behind it.
func oneRow(text string, columns int) string {
	if runes := []rune(text); columns > 0 && len(runes) >= columns {
		return string(runes[:columns-1])
	}
	return text
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress is a line on standard error that says how far a sweep has come, or nothing
// at all.
type progress struct {
	out   io.Writer // nil: nothing
	all   int64     // targets; -1: nobody can count them
	shown int       // columns

	columns func() int // of the terminal; 0: not known
}

// bar returns the bar of a sweep of so many targets, -1 where nobody can count
// them. There is one if somebody looks at it.
func (f *multipingFlags) bar(t terminal, targets int64) *progress {
	if !isTerminal(t.err) {
		return &progress{}
	}
	return newProgress(t.err, targets)
}

func newProgress(out io.Writer, targets int64) *progress {
	return &progress{out: out, all: targets, columns: func() int { return columnsOf(out) }}
}

// progressWidth is how many columns are filled as the targets complete.
const progressWidth = 20

// update shows how far the sweep has come. The library calls it ten times a
// second, at most.
func (p *progress) update(now icmplib.Progress) {
	if p.out == nil {
		return
	}
	line := fmt.Sprintf("%d alive ", now.Alive)
	if p.all > 0 {
		part := min(int64(now.Completed), p.all)
		line += fmt.Sprintf("%3d%% [%-*s] (%d/%d)", part*100/p.all, progressWidth, strings.Repeat("=", int(part*progressWidth/p.all)), now.Completed, p.all)
	} else {
		line += fmt.Sprintf("(%d/-)", now.Completed)
	}
	columns := p.columns()
	line = oneRow(line, columns)
	if columns > 0 {
		p.shown = min(p.shown, columns-1) // the window may have become narrower
	}
	fmt.Fprintf(p.out, "\r%-*s", p.shown, line) // it may have become shorter
	p.shown = max(p.shown, len(line))
}

// hide clears the line for something else.
func (p *progress) hide() {
	if p.shown > 0 {
		fmt.Fprintf(p.out, "\r%*s\r", p.shown, "")
		p.shown = 0
	}
}
