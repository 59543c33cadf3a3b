package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

const pingExamples = `  icmp ping 127.0.0.1
  icmp ping -i 200ms 127.0.0.1 ::1 example.net
  icmp ping -c 10 -i 200ms --mode raw example.net
  icmp ping -6 -s 1400 -M do -I eth0 fe80::1%eth0
  icmp ping --json -c 3 127.0.0.1 ::1
  icmp ping --csv -v -c 60 example.net > replies.csv`

func newPingCommand() *cobra.Command {
	flags := &pingFlags{}
	cmd := &cobra.Command{
		Use:   "ping [flags] TARGET...",
		Short: "Send echo requests and report the replies",
		Long: `Send echo requests to one or more hosts and report the replies.

On a terminal, several hosts are shown as a live table with the latest results of
each: a higher bar is a longer round-trip time, x is no reply, ! is an ICMP error.
q or Ctrl-C ends it. For one host, each reply is a line, and its summary ends with
both drawings. To a file or a pipe, ping writes lines, and draws only with
--histogram.

Times take a unit, such as 200ms, or are a number of seconds. No privileges are
needed where the system allows datagram ICMP sockets.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line is wrong, 4 no permission or a system error.`,
		Example: pingExamples,
		Args:    needTarget,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.run(cmd.Context(), terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}, targets)
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

func needTarget(_ *cobra.Command, targets []string) error {
	if len(targets) == 0 {
		return errors.New("ping: a TARGET is missing: one or more names or addresses are allowed")
	}
	return nil
}

// run pings all targets at once and reports them in their order.
func (f *pingFlags) run(ctx context.Context, t terminal, targets []string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	prober, end, err := f.newProber(ctx, cfg)
	if err != nil {
		return err
	}
	defer end()

	hosts := make([]*icmplib.Host, len(targets))
	for i, target := range targets {
		hosts[i] = &icmplib.Host{Name: target}
		hosts[i].KeepRTTs(opts.Count)
	}
	ctx, interrupt := context.WithCancel(ctx)
	defer interrupt()
	if f.deadline > 0 {
		defer time.AfterFunc(f.deadline, interrupt).Stop()
	}
	report := f.reporter(t, hosts, interrupt)
	books := &pingBooks{hosts: hosts, replies: f.lastReply()}
	stop := whenAsked(ctx, func() { books.tell(t.err) })
	var all sync.WaitGroup
	for _, host := range hosts {
		all.Go(func() {
			watched, stop := f.watchOpen(host, report)
			books.ping(ctx, prober, host, opts, watched)
			stop()
			host.Err = f.explain(host.Err)
			report.end(host)
		})
	}
	all.Wait()
	stop()
	report.summaries(hosts)
	err = verdict(hosts)
	if few := func(h *icmplib.Host) bool { return h.PacketsReceived < f.count }; err == nil && f.waitsForReplies() && slices.ContainsFunc(hosts, few) {
		return errDead // as ping(8) has it
	}
	return err
}

// pingBooks are the statistics of all hosts while they are pinged.
type pingBooks struct {
	mu      sync.Mutex
	hosts   []*icmplib.Host
	replies int // that end the pings of a host; 0: none do
}

// tell writes a line of statistics for each host.
func (b *pingBooks) tell(out io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.hosts {
		fmt.Fprintf(out, "%s: %s\n", h.Name, strings.Join(statsLines(&h.Stats), ", "))
	}
}

// add counts a result.
func (b *pingBooks) add(host *icmplib.Host, r icmplib.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	host.Add(r)
	if host.PacketsSent == 0 {
		host.Err = r.Cause
	} else {
		host.Err = nil
	}
}

// ping pings one host and keeps its statistics. Ctrl-C ends it like the last
// of the replies: what there is by then is the result.
func (b *pingBooks) ping(ctx context.Context, p *icmplib.Prober, host *icmplib.Host, opts *icmplib.PingOptions, report reporter) {
	for r, err := range p.PingSeq(ctx, host.Name, opts) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				host.Err = err
			}
			return
		}
		if !host.Address.IsValid() {
			host.Address = r.Dst
			report.start(host)
		}
		b.add(host, r)
		report.result(host, r)
		if b.replies > 0 && host.PacketsReceived >= b.replies {
			return
		}
	}
}

// verdict returns what is to be said of the targets, and what the exit code is
// made of: every fault, and if there is none, that a target is dead.
func verdict(hosts []*icmplib.Host) error {
	return verdictOf(hosts, hostVerdict)
}

// hostVerdict returns the error that a host stands for. A packet that the
// system did not send is a dead target, unless it lacked the permission.
func hostVerdict(h *icmplib.Host) error {
	untried := h.PacketsSent == 0 && h.SendErrors == 0
	switch {
	case h.IsAlive():
		return nil
	case h.Err != nil && (untried || errors.Is(h.Err, os.ErrPermission)):
		return h.Err
	}
	return errDead
}

// A reporter writes what happens: start once the address of a host is known,
// each result, end when no more follow, and summaries once for all hosts. The
// first three are called by several goroutines.
type reporter interface {
	start(host *icmplib.Host)
	result(host *icmplib.Host, r icmplib.Result)
	end(host *icmplib.Host)
	summaries(hosts []*icmplib.Host)
}

// nameOf returns the target as it was given, and its address if that says more.
func nameOf(h *icmplib.Host) string {
	address := h.Address.String()
	if !h.Address.IsValid() || strings.EqualFold(h.Name, address) {
		return h.Name
	}
	return h.Name + " (" + address + ")"
}

// isAddress reports whether a target was given as an address.
func isAddress(target string) bool {
	_, err := netip.ParseAddr(target)
	return err == nil
}

// pingFlags is the command line of ping.
type pingFlags struct {
	probeFlags
	count     int
	interval  time.Duration
	broadcast bool
	numeric   bool
	quiet     bool
	verbose   bool
	json      bool
	csv       bool
	histogram bool
	lines     bool
	deadline  time.Duration
	replies   int
	pattern   string
	timestamp bool
	open      bool
	resolve   time.Duration
	newID     int
	looks     looksFlags
	given     func(flag string) bool // tells whether a flag is on the command line
}

func (f *pingFlags) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 0, "stop after this many requests; with --deadline, after this many replies; 0: run until interrupted")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "time between requests; 0: send after each reply")
	f.probeFlags.register(flags, pingLetters)
	flags.BoolVarP(&f.broadcast, "broadcast", "b", false, "allow a broadcast address as target")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "with --json: also print each reply; with --csv: print each reply instead of each host")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target")
	flags.BoolVar(&f.csv, "csv", false, "print a CSV header and a line per target")
	flags.BoolVar(&f.histogram, "histogram", false, "draw the distribution of round-trip times (the default for one target on a terminal)")
	durationVar(flags, &f.deadline, "deadline", "w", 0, "end after this time, even with requests in flight; 0: never")
	flags.IntVar(&f.replies, "replies", 0, "stop pinging a host after this many replies; 0: never")
	durationVar(flags, &f.resolve, "resolve-every", "", 0, resolveUsage)
	flags.IntVar(&f.newID, "new-id-after", 10, "change the ICMP id after this many silent requests in a row; 0: never")
	flags.StringVarP(&f.pattern, "pattern", "p", "", "fill the payload with up to 16 bytes in hexadecimal, such as ff00")
	flags.BoolVarP(&f.timestamp, "timestamp", "D", false, "begin each line with the time in seconds since 1970")
	flags.BoolVarP(&f.open, "open", "O", false, "report a request that has no answer when the next one is sent")
	flags.BoolVar(&f.lines, "lines", false, "print a line per reply, even for several targets on a terminal")
	f.looks.register(flags)
	f.given = flags.Changed
}

// options translates the command line, and refuses what it cannot mean.
func (f *pingFlags) options() (*icmplib.PingOptions, *icmplib.Config, error) {
	for _, check := range []func() error{f.checkOwn, f.check} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	if _, err := f.payload(); err != nil {
		return nil, nil, err
	}
	opts := &icmplib.PingOptions{
		Count:    orNone(f.count),
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Family:   f.family(),
		Packet:   f.packet(),

		ResolveEvery: f.resolve,
		NewIDAfter:   orNone(f.newID),
	}
	opts.Packet.Broadcast = f.broadcast
	opts.Packet.Payload, _ = f.payload()
	if f.waitsForReplies() {
		opts.Count = -1
	}
	return opts, f.config(), nil
}

// waitsForReplies reports whether --count counts replies, as it does in ping(8) beside a
// deadline: who gives both waits for a host that is not there yet.
func (f *pingFlags) waitsForReplies() bool {
	return f.deadline > 0 && f.count > 0 && f.replies == 0
}

// lastReply returns how many replies end the pings of a host; 0: none do.
func (f *pingFlags) lastReply() int {
	if f.waitsForReplies() {
		return f.count
	}
	return f.replies
}

// payload is the pattern, again and again; nil without one.
func (f *pingFlags) payload() ([]byte, error) {
	if f.pattern == "" {
		return nil, nil
	}
	pattern, err := hex.DecodeString(f.pattern)
	if err != nil || len(pattern) > maxPattern {
		return nil, refuse("pattern", fmt.Sprintf("%q", f.pattern), "1 to 16 bytes in hexadecimal, such as ff00,")
	}
	return bytes.Repeat(pattern, f.size/len(pattern)+1)[:f.size], nil
}

// maxPattern is the most that ping takes.
const maxPattern = 16

// checkOwn refuses what cannot be meant.
func (f *pingFlags) checkOwn() error {
	switch {
	case f.count < 0:
		return refuse("count", f.count, "0 or more")
	case f.replies < 0:
		return refuse("replies", f.replies, "0 or more")
	case f.newID < 0:
		return refuse("new-id-after", f.newID, "0 or more")
	case tooOften(f.resolve):
		return refuse("resolve-every", f.resolve, resolveAllowed)
	case f.count > 0 && (f.resolve > 0 || f.given("new-id-after")):
		return errors.New("--count and --resolve-every or --new-id-after exclude each other: the latter two need an endless ping")
	case f.json && f.csv:
		return errors.New("--json and --csv exclude each other: one of them is allowed")
	case f.open && (f.json || f.csv || f.quiet):
		return errors.New("--open and --json, --csv or --quiet exclude each other: one of them is allowed")
	case f.open && f.interval == 0:
		return errors.New("--open and --interval 0 exclude each other: one of them is allowed")
	case f.timestamp && (f.json || f.csv):
		return errors.New("--timestamp and --json or --csv exclude each other: with --verbose each reply has its time")
	case f.histogram && (f.json || f.csv):
		return errors.New("--histogram and --json or --csv exclude each other: one of them is allowed")
	}
	return nil
}

// watchOpen has a reporter tell of open requests to a host, too, if that was asked for,
// until stop is called.
func (f *pingFlags) watchOpen(host *icmplib.Host, report reporter) (watched reporter, stop func()) {
	text, ok := report.(*textReporter)
	if !f.open || !ok {
		return report, func() {}
	}
	o := &openProbes{
		interval: f.interval, count: f.count, began: time.Now(), settled: map[int]bool{},
		tell: func(seq int) { text.open(host, seq) },
	}
	return openReporter{report, o}, o.start()
}

// openReporter follows what is open of one host.
type openReporter struct {
	reporter
	open *openProbes
}

func (o openReporter) result(host *icmplib.Host, r icmplib.Result) {
	o.open.note(r)
	o.reporter.result(host, r)
}

// reporter returns what reports on the hosts. Several of them are a table, if
// somebody looks at it: what a program reads stays what it is.
func (f *pingFlags) reporter(t terminal, hosts []*icmplib.Host, interrupt func()) reporter {
	if f.json {
		return &jsonReporter{jsonWriter: jsonWriter{out: t.out}, replies: f.verbose}
	}
	if f.csv {
		return newCSVPing(t.out, f.verbose)
	}
	looks, watched := f.looks.apply(looksOf(os.Getenv)), isTerminal(t.out)
	if watched && looks.moving && len(hosts) > 1 && !f.quiet && !f.lines {
		return startLive(t, hosts, looks, interrupt)
	}
	text := newTextReporter(t.out, f)
	text.unicode = looks.unicode
	text.drawn = watched && len(hosts) == 1 && !f.lines
	if f.given("histogram") {
		text.drawn = f.histogram
	}
	return text
}
