package main

import (
	"context"
	"fmt"
	"time"

	"github.com/goicmp/icmplib"
)

// hostSweep is a sweep under way: in one round, or in several where hosts that do not
// answer are asked again.
type hostSweep struct {
	flags  *multipingFlags
	prober *icmplib.Prober
	opts   *icmplib.MultiPingOptions
	list   *targetList
	names  *everyAddress
	term   terminal
	bar    *progress
	shared bool // results go to the terminal on which the bar is
	report hostReporter
	total  *sweepTotal

	ended  bool // before all targets were done with
	alive  int
	enough bool                       // as many hosts are alive as --reachable wants
	asked  map[string][]*icmplib.Host // before, without an answer, by target
}

func (f *multipingFlags) sweep(p *icmplib.Prober, opts *icmplib.MultiPingOptions, list *targetList, names *everyAddress, term terminal) *hostSweep {
	s := &hostSweep{flags: f, prober: p, opts: opts, list: list, names: names, term: term, bar: f.bar(term, list.count()), report: f.reporter(term.out)}
	s.shared = isTerminal(term.out)
	s.total = &sweepTotal{began: time.Now(), flags: f}
	opts.Progress = s.bar.update
	return s
}

// run pings the hosts of the list, and again those that do not answer, with more
// patience, until the retries are used up.
func (s *hostSweep) run(ctx context.Context) {
	targets := s.names.expand(ctx, s.list.seq(ctx))
	for try := 0; ; try++ {
		last := try >= s.flags.retries
		again := s.round(ctx, targets, try, last)
		switch {
		case s.enough || len(again) == 0:
			return
		case last || s.ended:
			s.giveUp(again)
			return
		}
		s.asked = map[string][]*icmplib.Host{}
		for _, h := range again {
			s.asked[h.Name] = append(s.asked[h.Name], h)
		}
		targets = func(yield func(string) bool) {
			for _, h := range again {
				if !yield(h.Name) {
					return
				}
			}
		}
		s.opts.Timeout = min(time.Duration(float64(s.opts.Timeout)*s.flags.backoff), maxTimeout)
	}
}

// round asks each target, and returns those that are to be asked again.
func (s *hostSweep) round(ctx context.Context, targets func(func(string) bool), try int, last bool) (again []*icmplib.Host) {
	count := s.opts.Count + try
	for host, err := range s.prober.MultiPingSeq(ctx, targets, s.opts) {
		if err != nil {
			s.total.end(s.flags.explain(err))
			s.ended = true
			return again
		}
		if err := s.flags.explain(host.Err); err != host.Err {
			s.total.end(err) // a flag is wrong, and would be for every host
			s.ended = true
			return again
		}
		host = s.merge(host)
		fate := fateOf(host, count)
		if fate == hostDead && !last {
			again = append(again, host)
			continue
		}
		if s.done(host, fate); s.enough {
			return nil
		}
	}
	return again
}

// merge adds what is known of a host from the rounds before.
func (s *hostSweep) merge(host *icmplib.Host) *icmplib.Host {
	before := s.asked[host.Name]
	if len(before) == 0 {
		return host
	}
	s.asked[host.Name] = before[1:]
	host.Stats, before[0].Stats = before[0].Stats, host.Stats
	host.Merge(&before[0].Stats)
	return host
}

// giveUp counts hosts that were to be asked again, had the sweep not ended.
func (s *hostSweep) giveUp(hosts []*icmplib.Host) {
	for _, h := range hosts {
		s.done(h, hostOpen)
	}
}

// done counts and prints a host.
func (s *hostSweep) done(host *icmplib.Host, fate hostFate) {
	if name := s.names.of(host.Name); name != "" {
		host.Name = name
	}
	s.total.add(host, fate)
	if s.flags.shows(fate) {
		if s.shared {
			s.bar.hide()
		}
		s.report.host(host, fate)
	}
	if fate == hostAlive {
		s.alive++
	}
	s.enough = s.flags.reachable > 0 && s.alive >= s.flags.reachable
}

// end sums up, and returns what is to be said of the sweep.
func (s *hostSweep) end() error {
	s.bar.hide()
	t := s.total
	if s.list.err != nil {
		t.end(s.list.err)
	}
	if t.begun() {
		t.summary(s.term.err, s.list.order)
	}
	if s.flags.reachable == 0 {
		return t.verdict()
	}
	word := "enough hosts are alive"
	if !s.enough {
		word = "not " + word
	}
	if s.flags.sumsUp() {
		fmt.Fprintf(s.term.out, "%s: %d of %d\n", word, s.alive, s.flags.reachable)
	}
	if s.enough {
		return nil
	}
	if err := t.verdict(); err != nil {
		return err
	}
	return errDead
}
