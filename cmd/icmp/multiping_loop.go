package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/trouble"
)

// maxLoopTargets bounds how many hosts are pinged side by side: each of them has its
// statistics in memory.
const maxLoopTargets = 1 << 16

// pingLoop pings many hosts side by side, for ever or a number of times, and tells each
// result, sums of intervals, or all round-trip times of a host in a line.
type pingLoop struct {
	flags *multipingFlags
	opts  *icmplib.PingOptions
	term  terminal
	text  *textReporter

	mu    sync.Mutex
	hosts []*loopHost
	json  *jsonWriter // nil: text or CSV
	csv   *csvHosts   // of sums and ends; nil: text or JSON
	each  *csvResults // of each reply; nil: none is told as CSV

	tracer *trouble.Tracer[*loopHost] // of hosts that go down; nil: none
}

// lossesOfTrouble are those in a row that make a host down.
const lossesOfTrouble = 3

// trace traces the route to a host.
func (l *pingLoop) trace(p *icmplib.Prober) func(ctx context.Context, h *loopHost) (*icmplib.Route, error) {
	return func(ctx context.Context, h *loopHost) (*icmplib.Route, error) {
		l.mu.Lock()
		address := h.Address.String()
		l.mu.Unlock()
		return p.Traceroute(ctx, address, trouble.Options(l.opts.Packet))
	}
}

// tellTrouble writes what a trace has found: as text among the results, and else to
// standard error, where it is in nobody's way.
func (l *pingLoop) tellTrouble(h *loopHost, f trouble.Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json != nil {
		route := *f.Now
		route.Name = h.Name
		l.json.write(&route)
		return
	}
	out := l.term.out
	if l.flags.csv {
		out = l.term.err
	}
	fmt.Fprintln(out, f.Text(h.Name))
}

// loopHost is what is known of a host.
type loopHost struct {
	icmplib.Host
	target string // what is pinged, where Name is how the user calls it
	recent sums   // of the interval that is running
	state  trouble.Detector
	rtts   []time.Duration // of --results, in sending order, and what a sparkline has in place of one
}

// sums are those of an interval: of the probes whose fate became known in it.
type sums struct {
	settled, received int
	min, max, sum     time.Duration
}

func (s *sums) add(r icmplib.Result) {
	if !r.Settles() || r.Status == icmplib.StatusUnsettled {
		return
	}
	s.settled++
	if r.Status != icmplib.StatusReply {
		return
	}
	if s.received == 0 || r.RTT < s.min {
		s.min = r.RTT
	}
	s.received++
	s.max = max(s.max, r.RTT)
	s.sum += r.RTT
}

// line writes the sums of a host.
func (s *sums) line(h *loopHost) string {
	lost := s.settled - s.received
	line := fmt.Sprintf("%s: %d of %d received, %s loss", nameOf(&h.Host), s.received, s.settled, percent(float64(lost)/float64(max(s.settled, 1))))
	if s.received > 0 {
		line += fmt.Sprintf(", rtt min/avg/max = %s ms", joined(s.min, s.sum/time.Duration(s.received), s.max))
	}
	return line
}

// loop pings all hosts of the list until ctx ends or each was asked so many times.
func (f *multipingFlags) loop(ctx context.Context, p *icmplib.Prober, opts *icmplib.MultiPingOptions, list *targetList, names *everyAddress, term terminal) error {
	l := &pingLoop{flags: f, term: term, text: &textReporter{out: term.out, size: f.size, stamp: f.timestamp}}
	l.opts = &icmplib.PingOptions{Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout, Family: opts.Family, Packet: opts.Packet}
	if f.endless {
		l.opts.Count = -1
	}
	switch {
	case f.json:
		l.json = &jsonWriter{out: term.out}
	case f.csv:
		if f.endless && f.every == 0 && !f.quiet {
			l.each = newCSVResults(term.out, icmplib.ICMP)
		} else {
			l.csv = l.newCSVHosts(term.out)
		}
	}
	for target := range names.expand(ctx, list.seq(ctx)) {
		if len(l.hosts) == maxLoopTargets {
			return fmt.Errorf("--loop and --results: up to %d targets are allowed", maxLoopTargets)
		}
		h := &loopHost{Host: icmplib.Host{Name: target}, target: target, state: trouble.Detector{Losses: lossesOfTrouble}}
		if name := names.of(target); name != "" {
			h.Name = name
		}
		l.hosts = append(l.hosts, h)
	}
	if list.err != nil {
		return list.err
	}
	l.run(ctx, p)
	return l.end()
}

// newCSVHosts begins a table of the hosts.
func (l *pingLoop) newCSVHosts(out io.Writer) *csvHosts {
	var more []string
	for _, f := range l.fields(&loopHost{}) {
		more = append(more, f.name)
	}
	csv := newCSVHosts(out, more...)
	return &csv
}

// fields are what the objects and lines of hosts say besides their statistics: what text
// says of the interval that runs, and for how long a host was silent.
func (l *pingLoop) fields(h *loopHost) (all []jsonField) {
	if l.flags.every > 0 {
		s := &h.recent
		all = append(all, jsonField{"interval_settled", s.settled}, jsonField{"interval_received", s.received})
		times := []any{nil, nil, nil}
		if s.received > 0 {
			for i, d := range []time.Duration{s.min, s.sum / time.Duration(s.received), s.max} {
				times[i] = float64(d) / float64(time.Millisecond)
			}
		}
		all = append(all, jsonField{"interval_min_rtt_ms", times[0]}, jsonField{"interval_avg_rtt_ms", times[1]}, jsonField{"interval_max_rtt_ms", times[2]})
	}
	if l.flags.outage {
		all = append(all, jsonField{"outage_ms", float64(l.silent(h)) / float64(time.Millisecond)})
	}
	return all
}

// write writes a host for programs.
func (l *pingLoop) write(h *loopHost) {
	if l.json != nil {
		l.json.write(&h.Host, l.fields(h)...)
		return
	}
	cells := csvHost(&h.Host)
	for _, f := range l.fields(h) {
		cells = append(cells, f.cell())
	}
	l.csv.line(cells)
}

// run pings the hosts, whose first requests are spread over the interval.
func (l *pingLoop) run(ctx context.Context, p *icmplib.Prober) {
	defer whenAsked(ctx, func() { l.tell(l.term.err) })()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if l.flags.trace {
		l.tracer = trouble.New(ctx, trouble.Config[*loopHost]{Trace: l.trace(p), Tell: l.tellTrouble})
		defer l.tracer.Wait()
	}
	var all, ticks sync.WaitGroup
	for i, h := range l.hosts {
		all.Go(func() {
			first := time.NewTimer(max(l.opts.Interval, 0) * time.Duration(i) / time.Duration(len(l.hosts)))
			defer first.Stop()
			select {
			case <-first.C:
				l.ping(ctx, p, h)
			case <-ctx.Done():
			}
		})
	}
	if every := l.flags.every; every > 0 {
		ticks.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case at := <-tick.C:
					l.interval(at)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	all.Wait()
	cancel()
	ticks.Wait()
}

func (l *pingLoop) ping(ctx context.Context, p *icmplib.Prober, h *loopHost) {
	for r, err := range p.PingSeq(ctx, h.target, l.opts) {
		if err != nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			if !errors.Is(err, context.Canceled) {
				h.Err = l.flags.explain(err)
			}
			return
		}
		l.add(h, r)
		if l.tracer != nil && r.Settles() && r.Status != icmplib.StatusUnsettled {
			l.tracer.Take(h, h.state.Note(r.Status == icmplib.StatusReply))
		}
	}
}

// add counts a result, and tells it where each is told.
func (l *pingLoop) add(h *loopHost, r icmplib.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.Address = r.Dst
	h.Add(r)
	h.Err = nil
	if h.PacketsSent == 0 {
		h.Err = r.Cause
	}
	h.recent.add(r)
	if l.flags.results > 0 && r.Settles() && r.Seq < l.flags.results {
		for len(h.rtts) <= r.Seq {
			h.rtts = append(h.rtts, sparkOpen)
		}
		switch r.Status {
		case icmplib.StatusReply:
			h.rtts[r.Seq] = r.RTT
		case icmplib.StatusUnsettled:
		default:
			h.rtts[r.Seq] = sparkLost
		}
	}
	switch {
	case l.flags.quiet || l.flags.every > 0 || l.flags.results > 0:
	case l.each != nil:
		l.each.result(h.Name, r)
	case l.json != nil:
		l.json.write(&r, jsonField{"name", h.Name})
	default:
		if line := l.text.line(&h.Host, r); line != "" {
			l.text.print(time.Now(), fmt.Sprintf("%s (%s)", line, l.short(h)))
		}
	}
}

// short says in few words how a host does.
func (l *pingLoop) short(h *loopHost) string {
	s := percent(h.PacketLoss()) + " loss" + l.outage(h)
	if h.PacketsReceived > 0 {
		s = milliseconds(h.AvgRTT()) + " avg, " + s
	}
	return s
}

// outage says for how long a host has been silent in all: an interval for each probe
// that was lost.
func (l *pingLoop) outage(h *loopHost) string {
	if !l.flags.outage {
		return ""
	}
	return fmt.Sprintf(", outage %v", l.silent(h))
}

func (l *pingLoop) silent(h *loopHost) time.Duration {
	lost := h.PacketsSent - h.PacketsReceived - h.Unsettled + h.SendErrors
	return time.Duration(lost) * max(l.opts.Interval, 0)
}

// interval tells the sums of the interval that ends, and begins the next one.
func (l *pingLoop) interval(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json == nil && l.csv == nil {
		fmt.Fprintf(l.term.out, "[%s]\n", at.Format(time.TimeOnly))
	}
	for _, h := range l.hosts {
		if l.json != nil || l.csv != nil {
			l.write(h)
		} else {
			fmt.Fprintln(l.term.out, h.recent.line(h)+l.outage(h))
		}
		h.recent = sums{}
	}
}

// tell writes the statistics of all hosts so far.
func (l *pingLoop) tell(out io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.hosts {
		fmt.Fprintf(out, "%s: %s%s\n", nameOf(&h.Host), strings.Join(statsLines(&h.Stats), ", "), l.outage(h))
	}
}

// end writes what is known at the end: with --results a line of round-trip times for
// each host, else its statistics. These are to standard error where the replies are on
// standard output, but for objects, which say what they are.
func (l *pingLoop) end() error {
	if l.each != nil {
		l.csv = l.newCSVHosts(l.term.err)
	}
	switch {
	case l.json != nil || l.csv != nil:
		for _, h := range l.hosts {
			l.write(h)
		}
	case l.flags.results > 0:
		l.columns()
	default:
		l.tell(l.term.err)
	}
	hosts := make([]*icmplib.Host, len(l.hosts))
	for i, h := range l.hosts {
		hosts[i] = &h.Host
	}
	return verdict(hosts)
}

// columns writes the round-trip times in milliseconds, - for a probe that was lost and
// ? for one in flight.
func (l *pingLoop) columns() {
	width := 0
	for _, h := range l.hosts {
		width = max(width, len(nameOf(&h.Host)))
	}
	for _, h := range l.hosts {
		cells := make([]string, l.flags.results)
		for i := range cells {
			rtt := sparkOpen
			if i < len(h.rtts) {
				rtt = h.rtts[i]
			}
			switch {
			case rtt >= 0:
				cells[i] = strings.TrimSuffix(milliseconds(rtt), " ms")
			case rtt == sparkLost:
				cells[i] = "-"
			default:
				cells[i] = "?"
			}
		}
		fmt.Fprintf(l.term.out, "%-*s : %s%s\n", width, nameOf(&h.Host), strings.Join(cells, " "), l.outage(h))
	}
}

// everyAddress replaces names by all of their addresses (-m of fping), and knows which
// name an address is of.
type everyAddress struct {
	prober *icmplib.Prober
	family icmplib.Family
	on     bool

	mu    sync.Mutex
	names map[string][]string // by address, one for each time that it is probed
}

// expand yields the targets. A name that cannot be resolved stays, for the error.
func (e *everyAddress) expand(ctx context.Context, targets func(func(string) bool)) func(func(string) bool) {
	if !e.on {
		return targets
	}
	return func(yield func(string) bool) {
		for target := range targets {
			for _, address := range e.addresses(ctx, target) {
				if !yield(address) {
					return
				}
			}
		}
	}
}

func (e *everyAddress) addresses(ctx context.Context, target string) []string {
	if isAddress(target) {
		return []string{target}
	}
	families := []icmplib.Family{e.family}
	if e.family == icmplib.AnyFamily {
		families = []icmplib.Family{icmplib.IPv4, icmplib.IPv6}
	}
	var all []string
	for _, family := range families {
		addrs, _ := e.prober.Resolve(ctx, target, family) // it is resolved again if there is none
		for _, a := range addrs {
			if text := a.String(); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	if len(all) == 0 {
		return []string{target}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, address := range all {
		e.names[address] = append(e.names[address], target)
	}
	return all
}

// of returns the name that an address stands for, once for each; "" for an address
// that was given as such.
func (e *everyAddress) of(address string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	names := e.names[address]
	if len(names) == 0 {
		return ""
	}
	e.names[address] = names[1:]
	return names[0]
}
