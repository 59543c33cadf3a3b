package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// mtrFlags is the command line of mtr.
type mtrFlags struct {
	traceFlags
	count    int
	interval time.Duration
	outage   int
	report   bool
	json     bool
	csv      bool
	looks    looksFlags
}

// reportRounds is how many rounds there are where nobody looks on, and nothing
// else was said.
const reportRounds = 10

// leastMTRInterval is the least that the library takes.
const leastMTRInterval = time.Millisecond

func (f *mtrFlags) register(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(mtrName)
	flags.IntVarP(&f.count, "count", "c", 0, "end after this many rounds; 0: go on until interrupted, the default save with\n--report, --json and --csv, where it is 10")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "from one round to the next")
	durationVar(flags, &f.timeout, "timeout", "w", 2*time.Second, "how long each probe waits for its answer")
	flags.IntVar(&f.outage, "outage", 3, "silent probes to the target, one after the other, that make an outage; 0: none do")
	f.traceFlags.register(flags, "")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses; --no-dns is the same")
	flags.BoolVarP(&f.report, "report", "r", false, "print a table at the end, and show nothing before")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target at the end")
	flags.BoolVar(&f.csv, "csv", false, "print a line of comma-separated values per hop and responder at the end")
	f.looks.register(flags)
}

// mtrName lets flags be called as mtr and the other commands call them, too.
func mtrName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "report-cycles":
		name = "count"
	case "wait":
		name = "timeout"
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
	if f.reports() && !f.given("count") {
		f.count = reportRounds
	}
	return nil
}

func (f *mtrFlags) checkOwn() error {
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
	case f.report && f.json, f.report && f.csv, f.json && f.csv:
		return errors.New("--report, --json and --csv exclude each other: one of them is allowed")
	}
	return nil
}

// reports tells whether the result is printed at the end, and nothing before.
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
	}
	p := &opts.Packet
	p.Protocol = s.Protocol
	switch s.Protocol {
	case icmplib.ICMP:
		return opts
	case icmplib.UDP:
		p.Size = max(p.Size, minSizeUDP)
	default:
		p.Size = 0
	}
	p.Port, p.SourcePort, p.FlowLabel = uint16(f.port), uint16(f.sourcePort), f.flowLabel
	return opts
}

// probes says in words what is sent.
func (f *mtrFlags) probes(s live.Settings) string {
	if s.Protocol == icmplib.ICMP || f.port == 0 {
		return s.Protocol.String()
	}
	return fmt.Sprintf("%s port %d", s.Protocol, f.port)
}

func (f *mtrFlags) reporter(out io.Writer) mtrReporter {
	switch {
	case f.json:
		return jsonMTR{&jsonReporter{out: out}}
	case f.csv:
		return newCSVMTR(out)
	}
	text := &textMTR{out: out}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}
