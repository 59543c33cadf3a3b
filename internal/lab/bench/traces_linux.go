package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const (
	helperTraces = 1000   // at once, against mtr-packet
	helperRate   = 10_000 // probes per second
	manyTraces   = 10_000 // at once
	helperTarget = 0.5    // of what mtr-packet takes for a probe
)

// tree is the network of the traces: eleven routers on the way, of which the
// first are the same for all.
var tree = netsim.Tree{
	Levels: []int{1, 1, 2, 4, 16, 64, 64, 64, 64, 64, 64},
	Words:  func(int) string { return "delay=1ms jitter=200us" },
	Last:   "delay=1ms",
}

// carryTree is the network at work, until standard input ends. It is a process
// of its own, whose time is not counted.
func carryTree() error { return carryNetwork(tree.String(), netlab.Device{}) }

func carryNetwork(text string, d netlab.Device) error {
	n := netsim.MustParse(text)
	n.Quiet(true)
	device, err := netlab.Start(n, d)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return device.Close()
}

// behindTree runs f while the network is there.
func behindTree(f func() error) error { return behind("tree", f) }

// behind runs f while the network of a stage is there.
func behind(stage string, f func() error) error {
	return behindSaying(stage, f, func(io.Reader) error { return nil })
}

// behindSaying is behind, where said reads what the stage prints at its end.
func behindSaying(stage string, f func() error, said func(io.Reader) error) error {
	network := again(stage)
	in, err := network.StdinPipe()
	if err != nil {
		return err
	}
	out, err := network.StdoutPipe()
	if err != nil {
		return err
	}
	if err := network.Start(); err != nil {
		return err
	}
	r := bufio.NewReader(out)
	if _, err = r.ReadString('\n'); err == nil {
		err = f()
	}
	if err = errors.Join(err, in.Close()); err == nil {
		err = said(r)
	}
	return errors.Join(err, network.Wait())
}

// traces compares many traces at once with the helper of mtr.
func (b *bench) traces() error { return behindTree(b.tracesAgainstHelper) }

// manyTraces measures very many with the default rates.
func (b *bench) manyTraces() error { return behindTree(b.tenThousand) }

// traced is what became of many traces.
type traced struct {
	packets, wrong, silent int
	far                    int   // routes whose target shows too far away: what was sent to it with its own TTL was lost
	short                  int   // routes that end before their target
	heap                   int64 // of a trace in flight; 0: not measured
}

// traceMany traces so many targets at once, and holds each hop against the
// network.
func traceMany(n int, opts icmplib.MultiTracerouteOptions, weigh bool) (r traced, err error) {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: kind{raw: true}.mode()})
	if err != nil {
		return r, err
	}
	defer p.Close()
	names := make([]string, n)
	for i := range names {
		names[i] = tree.Target(i, false).String()
	}
	before := int64(0)
	if weigh {
		before = live()
	}
	done := 0
	opts.Parallel = n
	for route, err := range p.MultiTracerouteSeq(context.Background(), slices.Values(names), &opts) {
		if err != nil {
			return r, err
		}
		r.check(route)
		if done++; weigh && done == 1 {
			r.heap = (live() - before) / int64(n)
		}
	}
	if done != n {
		return r, fmt.Errorf("%d routes of %d", done, n)
	}
	sent := p.Counters().PacketsSent
	r.packets = int(sent)
	return r, nil
}

func (r *traced) add(o *traced) {
	r.wrong, r.silent, r.far, r.short = r.wrong+o.wrong, r.silent+o.silent, r.far+o.far, r.short+o.short
}

// note says what is missing: what the network lost.
func (r *traced) note() string {
	return fmt.Sprintf("%d hops silent, %d routes too long, %d too short", r.silent, r.far, r.short)
}

// check counts what is not as it is in the network. A target that lost its
// probes is behind a silent hop.
func (r *traced) check(route *icmplib.Route) {
	i := tree.Index(route.Address)
	switch hops := len(tree.Levels) + 1; {
	case len(route.Hops) > hops:
		r.far++
	case len(route.Hops) < hops || !route.Reached:
		r.short++
	}
	for level := range route.Hops {
		h := &route.Hops[level]
		want := route.Address
		if level < len(tree.Levels) {
			want = tree.Router(level, i, false)
		}
		switch {
		case h.IsSilent():
			r.silent++
		case h.Address != want || len(h.Responders) > 1:
			r.wrong++
		}
	}
}

// tracesAgainstHelper compares with the helper of mtr, which is sent the same
// probes: at full speed, and at the default rate.
func (b *bench) tracesAgainstHelper() error {
	path, err := exec.LookPath("mtr-packet")
	if err != nil {
		path = ""
	}
	return errors.Join(b.tracesAt(path, 0, "full speed"), b.tracesAt(path, helperRate, "10,000/s"))
}

func (b *bench) tracesAt(path string, rate int, speed string) error {
	opts := icmplib.MultiTracerouteOptions{Rate: rate, HopRate: -1}
	if rate == 0 {
		opts.Rate = -1
	}
	var ours, theirs []float64
	var sum traced
	for round := range b.rounds + 1 {
		before := used(syscall.RUSAGE_SELF)
		b.profile.start(b.cpuProfile)
		r, err := traceMany(helperTraces, opts, false)
		b.profile.pause()
		if err != nil {
			return err
		}
		own := float64(used(syscall.RUSAGE_SELF)-before) / float64(r.packets) / 1e3
		sum.add(&r)
		other := 0.0
		if path != "" {
			if other, err = driveHelper(path, rate); err != nil {
				return err
			}
		}
		if round > 0 { // the first warms everything up
			ours, theirs = append(ours, own), append(theirs, other)
		}
	}
	b.table.add(median(ours), "us", "", "processor time per probe, %d traces at once, %s, MultiTracerouteSeq", helperTraces, speed)
	b.table.bound(float64(sum.wrong), 0, "", sum.note(), "wrong hops of them")
	if path != "" {
		b.table.add(median(theirs), "us", "", "processor time per probe of the same traces, %s, mtr-packet", speed)
		b.table.bound(ratio(ours, theirs), helperTarget, "", "", "MultiTracerouteSeq against mtr-packet, %s", speed)
	}
	return nil
}

// tenThousand traces as many with the default rates.
func (b *bench) tenThousand() error {
	before := used(syscall.RUSAGE_SELF)
	r, err := traceMany(manyTraces, icmplib.MultiTracerouteOptions{}, true)
	if err != nil {
		return err
	}
	spent := float64(used(syscall.RUSAGE_SELF)-before) / float64(r.packets) / 1e3
	b.table.bound(float64(r.wrong), 0, "", fmt.Sprintf("%s, %d packets", r.note(), r.packets), "wrong hops of %d traces at once, default rates", manyTraces)
	b.table.add(spent, "us", "", "processor time per probe of them")
	b.table.add(float64(r.heap)/1024, "KiB", "of the heap", "memory per trace in flight")
	return nil
}
