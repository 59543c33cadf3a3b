package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const (
	monitors       = 1000 // routes that are watched at once
	monitorTarget  = 40   // KiB a route
	monitorAgainst = 0.5  // of the other commit's processor time
	monitorTurns   = 2    // at most, each of which takes 21 s

	watchedHosts  = 5000 // once a second each
	watchSettle   = 3 * time.Second
	watchMeasure  = 5 * time.Second
	watchTarget   = 0.5 // of fping's processor time
	watchFpingRun = 5   // requests
)

//go:embed routes/main_linux.go
var routesSource []byte

// shortTree is the network of the monitors: routes of six hops.
var shortTree = netsim.Tree{
	Levels: []int{1, 4, 16, 64, 64},
	Words:  func(int) string { return "delay=1ms jitter=200us" },
	Last:   "delay=1ms",
}

func carryShortTree() error { return carryNetwork(shortTree.String(), netlab.Device{}) }

// monitors measures what it costs to watch many routes at once, once a second each.
func (b *bench) monitors() error { return behind("short-tree", b.monitorMany) }

// routed is what a program with many Monitors says of itself.
type routed struct {
	time, heap float64 // nanoseconds per probe, bytes per route
	probes     int
	wrong      int // routes
}

func (b *bench) monitorMany() error {
	ours, err := b.programs.ours()
	if err != nil {
		return err
	}
	paths := []string{ours.routes}
	if b.against != "" {
		theirs, err := b.programs.theirs()
		if err != nil {
			return err
		}
		paths = append(paths, theirs.routes)
	}
	var targets strings.Builder
	for i := range monitors {
		fmt.Fprintln(&targets, shortTree.Target(i, false))
	}
	times, heaps := make([][]float64, len(paths)), make([][]float64, len(paths))
	var first routed
	for round := range min(b.rounds, monitorTurns) {
		for i, path := range paths {
			var args []string
			if b.cpuProfile != "" && i == 0 {
				args = append(args, "-cpuprofile", b.cpuProfile)
			}
			cmd := exec.Command(path, args...)
			cmd.Stdin = strings.NewReader(targets.String())
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%s: %w: %s", path, err, stderr(err))
			}
			var r routed
			if _, err := fmt.Sscan(string(out), &r.time, &r.heap, &r.probes, &r.wrong); err != nil {
				return fmt.Errorf("%s prints %q: %w", path, out, err)
			}
			if round == 0 && i == 0 {
				first = r
			}
			times[i], heaps[i] = append(times[i], r.time), append(heaps[i], r.heap)
		}
	}
	b.table.add(median(times[0])/1e3, "us", fmt.Sprintf("%d probes", first.probes), "processor time per probe, %d routes of 6 hops watched once a second", monitors)
	b.table.bound(median(heaps[0])/1024, monitorTarget, "KiB", "of the heap", "memory per watched route")
	b.table.bound(float64(first.wrong), monitors/100, "", "a hop was not answered in ten rounds, or there are not six", "wrong routes of %d", monitors)
	if len(paths) > 1 {
		b.table.add(median(times[1])/1e3, "us", "", "the same, %s", b.against)
		b.table.bound(ratio(times[0], times[1]), monitorAgainst, "", "", "Monitors against %s, processor time per probe", b.against)
		b.table.add(median(heaps[1])/1024, "KiB", "", "memory per watched route, %s", b.against)
	}
	return nil
}

// watch compares with fping what it costs to watch many hosts.
func (b *bench) watch() error {
	k := kind{}
	names := k.targets(watchedHosts).names
	tool, err := newFping(k, names)
	if err != nil {
		return err
	}
	defer tool.close()
	var ours, theirs []float64
	for range min(b.rounds, 3) {
		spent, err := b.watchOnce(k, names)
		if err != nil {
			return err
		}
		ours = append(ours, spent)
		if tool == nil {
			continue
		}
		before := used(syscall.RUSAGE_CHILDREN)
		err = tool.run(fmt.Sprintf("-C%d", watchFpingRun), "-p1000", "-i0.2", "-Q1")
		if err != nil {
			return err
		}
		theirs = append(theirs, float64(used(syscall.RUSAGE_CHILDREN)-before)/(watchFpingRun*watchedHosts))
	}
	b.table.add(median(ours)/1e3, "us", "", "processor time per probe, a Watch of %d hosts once a second", watchedHosts)
	if tool != nil {
		b.table.add(median(theirs)/1e3, "us", "", "the same, fping")
		b.table.bound(ratio(ours, theirs), watchTarget, "", "", "a Watch against fping, processor time per probe")
	}
	return nil
}

// watchOnce watches the hosts for a while, and returns the processor time per probe.
func (b *bench) watchOnce(k kind, names []string) (float64, error) {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: k.mode()})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	w, err := p.NewWatch(nil)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	targets := make([]icmplib.WatchTarget, len(names))
	for i, name := range names {
		targets[i].Host = name
	}
	if err := w.Set(targets); err != nil {
		return 0, err
	}
	ctx, stop := context.WithTimeout(context.Background(), watchSettle+watchMeasure)
	defer stop()
	var before, spent time.Duration
	var sent, probes uint64
	time.AfterFunc(watchSettle, func() {
		b.profile.start(b.cpuProfile)
		before, sent = used(syscall.RUSAGE_SELF), p.Counters().PacketsSent
	})
	silent := 0
	for e, err := range w.Events(ctx) {
		if err != nil {
			break
		}
		if e.Kind == icmplib.WatchResult && e.Result.Status != icmplib.StatusReply || e.Missed > 0 {
			silent++
		}
	}
	spent, probes = used(syscall.RUSAGE_SELF)-before, p.Counters().PacketsSent-sent
	b.profile.pause()
	if silent > 0 || probes < uint64(len(names)) {
		return 0, fmt.Errorf("%d of %d probes were not answered", silent, probes)
	}
	return float64(spent) / float64(probes), nil
}
