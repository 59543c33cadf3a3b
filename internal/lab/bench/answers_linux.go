package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const (
	answerStampTarget = 1000 // us between the network's writing of an answer and the kernel's stamp
	answerLate        = time.Millisecond
	tracedAnswers     = 300 // targets
	watchedAnswers    = 30
	watchedRounds     = 30
)

// written is an answer that the simulated network gave the kernel: when it was due, and
// the times before and after the call.
type written struct {
	Packet             string
	Due, Before, After time.Time
}

// steady is the tree without jitter: all probes with a TTL take the same time.
var steady = netsim.Tree{Levels: tree.Levels, Words: func(int) string { return "delay=1ms" }, Last: "delay=1ms"}

// carrySteady is the network at work, until standard input ends. It then says what it
// wrote.
func carrySteady() error {
	var mu sync.Mutex
	var all []written
	err := carryNetwork(steady.String(), netlab.Device{Passed: func(packet []byte, due, before, after time.Time) {
		mu.Lock()
		all = append(all, written{string(packet), due.Round(0), before.Round(0), after.Round(0)})
		mu.Unlock()
	}})
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return gob.NewEncoder(os.Stdout).Encode(all)
}

// answers holds the times of hops against what the simulated network wrote, while every
// core is busy.
func (b *bench) answers() error {
	return whileBusy(func() error {
		return errors.Join(b.answersOf("MultiTraceroute", traceSteady), b.answersOf("Monitor", watchSteady))
	})
}

func traceSteady(p *icmplib.Prober) error {
	names := make([]string, tracedAnswers)
	for i := range names {
		names[i] = steady.Target(i, false).String()
	}
	_, err := p.MultiTraceroute(context.Background(), names, nil)
	return err
}

func watchSteady(p *icmplib.Prober) error {
	errs := make([]error, watchedAnswers)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			opts := &icmplib.MonitorOptions{Rounds: watchedRounds, Interval: 200 * time.Millisecond}
			for _, err := range p.Monitor(context.Background(), steady.Target(i, false).String(), opts) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// passage is what an answered probe took, stage by stage.
type passage struct {
	ttl   int
	there time.Duration // from its stamp until the answer was due
	late  time.Duration // by how much the network wrote later than that
	stamp time.Duration // between the writing and the kernel's stamp of the answer
}

// answersOf measures one operation.
func (b *bench) answersOf(what string, run func(*icmplib.Prober) error) error {
	var events []icmplib.TraceEvent
	var all []written
	err := behindSaying("steady", func() error {
		p, err := icmplib.NewProber(&icmplib.Config{Mode: kind{raw: true}.mode(), Trace: func(e icmplib.TraceEvent) { events = append(events, e) }})
		if err != nil {
			return err
		}
		return errors.Join(run(p), p.Close())
	}, func(r io.Reader) error { return gob.NewDecoder(r).Decode(&all) })
	if err != nil {
		return err
	}
	passages, err := passagesOf(events, all)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	var stamps []float64
	held := map[string]int{}
	slow := 0
	for _, p := range passages {
		stamps = append(stamps, float64(p.stamp.Nanoseconds())/1e3)
		if p.there+p.late+p.stamp <= answerLate {
			continue
		}
		slow++
		switch max(p.there, p.late, p.stamp) {
		case p.there:
			held["the probe's way to the network"]++
		case p.late:
			held["the network, which wrote late"]++
		default:
			held["the answer's way to the stamp"]++
		}
	}
	n := len(passages)
	b.table.bound(slices.Max(stamps), answerStampTarget, "us", fmt.Sprintf("the worst of %d; the 99.9th percentile is %.1f us", n, quantile(stamps, 0.999)),
		"%s, every core busy: the kernel's stamp of an answer against its writing", what)
	b.table.add(100*float64(slow)/float64(n), "%", fmt.Sprintf("what held most of them: %v", held), "%s: answers with an RTT of 1 ms more than the path's", what)
	return nil
}

// answerKey is what of an answer over IPv4 comes to us as it was written: who sent it, and
// the ICMP message. Each has another number of the probe in it.
func answerKey(packet string) string {
	const source, header = 12, 20
	if len(packet) < header {
		return packet
	}
	return packet[source:source+4] + packet[header:]
}

// passagesOf finds in what the network wrote the answers that were credited. The way to
// the network is what it took more than that of the fastest probe with the same TTL.
func passagesOf(events []icmplib.TraceEvent, all []written) (passages []passage, err error) {
	wrote := make(map[string]*written, len(all))
	for i := range all {
		wrote[answerKey(all[i].Packet)] = &all[i]
	}
	sent := map[uint64]time.Time{}
	least := map[int]time.Duration{}
	missed, unknown := 0, 0
	for i := range events {
		e := &events[i]
		missed += e.Missed
		switch {
		case e.Kind == icmplib.TraceSent:
			sent[e.Probe] = e.Time
			continue
		case e.Kind != icmplib.TraceReceived || e.Probe == 0:
			continue
		}
		w := wrote[answerKey(string(e.Packet))]
		if w == nil {
			unknown++
			continue
		}
		at := e.Time.Round(0)
		p := passage{ttl: e.TTL, there: w.Due.Sub(sent[e.Probe].Round(0)), late: w.Before.Sub(w.Due), stamp: max(w.Before.Sub(at), at.Sub(w.After), 0)}
		if have, ok := least[p.ttl]; !ok || p.there < have {
			least[p.ttl] = p.there
		}
		passages = append(passages, p)
	}
	if len(passages) == 0 || missed > 0 || unknown > len(passages)/100 {
		return nil, fmt.Errorf("of %d answers the network wrote %d are known, %d are not, and %d events were missed", len(all), len(passages), unknown, missed)
	}
	for i := range passages {
		passages[i].there -= least[passages[i].ttl]
	}
	return passages, nil
}
