package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The most that a probe may cost, as a multiple of the floor or of fping's.
const (
	goFloorTarget  = 1.1 // of the loop in Go, else it does not stand in for the one in C
	datagramTarget = 1.3
	otherTarget    = 1.4 // raw sockets, and IPv6
	quietTarget    = 1.6 // icmp multiping -q
	jsonTarget     = 2.0 // icmp multiping --json
	fpingTarget    = 0.6
	pacedTarget    = 0.5  // of fping's
	oncePingTarget = 2.0  // icmp ping -c 1, of ping's
	idleRTTTarget  = 1.1  // mean RTT of single pings, of ping's
	million        = 1e6  // addresses: there are a few more in local4
	pacedHosts     = 5000 // pinged once a second each
	pacedRequests  = 5
	pacedRate      = 10_000 // packets per second of a paced sweep
)

//go:embed sweep/main.go
var sweepSource []byte

// processorTime compares what a probe costs: whole processes, start included.
func (b *bench) processorTime() error {
	for _, k := range kinds {
		if err := b.sweepCost(k, b.hosts); err != nil {
			return fmt.Errorf("%v: %w", k, err)
		}
	}
	return b.sweepCost(kind{}, million)
}

// sweepCost measures a sweep without a limit of the rate.
func (b *bench) sweepCost(k kind, hosts int) error {
	path, err := b.programs.floor()
	if err != nil {
		return err
	}
	target := otherTarget
	if k == (kind{}) {
		target = datagramTarget
	}
	c := &comparison{bench: b, probes: hosts, what: fmt.Sprintf("%v, %d addresses", k, hosts)}
	c.add("floor", 0, 0, func() error { return b.floor(k, hosts) })
	if path != "" && hosts == b.hosts {
		c.add("floor in Go", goFloorTarget, 0, func() error { return goFloor(k, hosts) })
	}
	fpingBound := 0.0
	if k == (kind{}) {
		fpingBound = fpingTarget
	}
	if err := c.addSweeps(k, target, fpingBound, sweepArgs(k, "-count", strconv.Itoa(hosts))...); err != nil {
		return err
	}
	if hosts <= fpingHosts+1 {
		tool, err := newFping(k, k.targets(hosts).names)
		if err != nil {
			return err
		}
		defer tool.close()
		if tool != nil {
			c.add("fping", 0, 0, func() error { return tool.run("-C1", "-t5000", "-i0") })
		}
	}
	return c.run()
}

func sweepArgs(k kind, more ...string) []string {
	return append([]string{"-first", k.addr(0).String(), "-raw=" + strconv.FormatBool(k.raw)}, more...)
}

// paced compares with fping what a rate costs, where the time between two packets
// is what there is to lose.
func (b *bench) paced() error {
	hosts := min(b.hosts, 2*pacedRate)
	for _, p := range []struct {
		what            string
		probes, hosts   int
		sweep, fpingArg []string
	}{
		{fmt.Sprintf("%d addresses at %d/s", hosts, pacedRate), hosts, hosts,
			[]string{"-rate", strconv.Itoa(pacedRate)}, []string{"-C1", "-t5000", "-i0.1"}},
		{fmt.Sprintf("%d addresses once a second each", pacedHosts), pacedHosts * pacedRequests, pacedHosts,
			[]string{"-requests", strconv.Itoa(pacedRequests), "-rate", strconv.Itoa(pacedHosts)},
			[]string{"-C" + strconv.Itoa(pacedRequests), "-p1000", "-i0.2"}},
	} {
		k := kind{}
		tool, err := newFping(k, k.targets(p.hosts).names)
		if err != nil {
			return err
		}
		defer tool.close()
		c := &comparison{bench: b, probes: p.probes, what: fmt.Sprintf("%v, %s", k, p.what)}
		if err := c.addSweeps(k, 0, pacedTarget, sweepArgs(k, append(p.sweep, "-count", strconv.Itoa(p.hosts))...)...); err != nil {
			return err
		}
		if tool != nil {
			c.add("fping", 0, 0, func() error { return tool.run(p.fpingArg...) })
		}
		if err := c.run(); err != nil {
			return err
		}
	}
	return nil
}

// tools measures the command beside the floor, and beside ping.
func (b *bench) tools() error {
	ours, err := b.programs.ours()
	if err != nil {
		return err
	}
	k := kind{}
	list := filepath.Join(b.programs.dir, "targets")
	if err := writeLines(list, k.targets(b.hosts).names); err != nil {
		return err
	}
	c := &comparison{bench: b, probes: b.hosts, what: fmt.Sprintf("%v, %d addresses", k, b.hosts)}
	c.add("floor", 0, 0, func() error { return b.floor(k, b.hosts) })
	for flag, target := range map[string]float64{"--quiet": quietTarget, "--json": jsonTarget} {
		c.add("icmp multiping "+flag, target, 0, func() error {
			// Its summary goes to standard error, which is not wanted here.
			return exec.Command(ours.icmp, "multiping", flag, "-c1", "--rate", "0", "--timeout", "5s", "--mode", "datagram", "-f", list).Run()
		})
	}
	if err := c.run(); err != nil {
		return err
	}
	return b.besidePing(ours.icmp)
}

// besidePing compares with ping what a single one costs, and the mean RTT of a
// thousand on an idle machine.
func (b *bench) besidePing(icmp string) error {
	ping, err := exec.LookPath("ping")
	if err != nil {
		return nil
	}
	const perTurn = 20 // one alone is less than the clock of the kernel tells apart
	times, err := b.byTurns(
		turn{name: "icmp", run: func() error { return repeat(perTurn, icmp, "ping", "-c1", "-q", "127.0.0.1") }},
		turn{name: "ping", run: func() error { return repeat(perTurn, ping, "-c1", "-q", "127.0.0.1") }})
	if err != nil {
		return err
	}
	b.table.add(median(times[0])/perTurn/1e6, "ms", "start included", "processor time, icmp ping -c 1")
	b.table.bound(ratio(times[0], times[1]), oncePingTarget, "", "", "icmp ping -c 1 against ping -c 1, processor time")
	var rtts [2][]float64
	for range min(b.rounds, 5) {
		for i, command := range [][]string{
			{icmp, "ping", "-q", "-i10ms", "-c1000", "127.0.0.1"},
			{ping, "-q", "-i0.01", "-c1000", "127.0.0.1"},
		} {
			average, err := meanRTT(command)
			if err != nil {
				return err
			}
			rtts[i] = append(rtts[i], average)
		}
	}
	b.table.add(median(rtts[0]), "us", "", "mean RTT of 1000 single idle pings, icmp ping")
	b.table.add(median(rtts[1]), "us", "", "mean RTT of 1000 single idle pings, ping")
	b.table.bound(ratio(rtts[0], rtts[1]), idleRTTTarget, "", "", "mean RTT of single idle pings, icmp ping against ping")
	return nil
}

// summary is "rtt min/avg/max/mdev = 0.006/0.011/0.048/0.003 ms".
var summary = regexp.MustCompile(`= [\d.]+/([\d.]+)/`)

// meanRTT runs a ping and returns the mean that it prints, in microseconds.
func meanRTT(command []string) (float64, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%v: %w", command, err)
	}
	found := summary.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("%v prints %q", command, out)
	}
	ms, err := strconv.ParseFloat(string(found[1]), 64)
	return ms * 1e3, err
}

func repeat(times int, path string, args ...string) error {
	for range times {
		if err := execute(path, args...); err != nil {
			return err
		}
	}
	return nil
}

// comparison is what is measured by turns for the same probes.
type comparison struct {
	*bench
	what    string
	probes  int
	turns   []turn
	targets []float64 // of the first turn, 0: none
	fping   []float64 // of fping's, 0: none
}

func (c *comparison) add(name string, target, ofFping float64, run func() error) {
	c.turns = append(c.turns, turn{name: name, run: run})
	c.targets, c.fping = append(c.targets, target), append(c.fping, ofFping)
}

// addSweeps adds the library's sweep, at this commit and at the other.
func (c *comparison) addSweeps(k kind, target, ofFping float64, args ...string) error {
	ours, err := c.programs.ours()
	if err != nil {
		return err
	}
	if c.cpuProfile != "" {
		args = append(slices.Clone(args), "-cpuprofile", c.cpuProfile)
	}
	c.add("MultiPingSeq", target, ofFping, func() error { return execute(ours.sweep, args...) })
	if c.programs.against == "" {
		return nil
	}
	theirs, err := c.programs.theirs()
	c.add("MultiPingSeq at "+c.programs.against, 0, 0, func() error { return execute(theirs.sweep, args...) })
	return err
}

// run measures and prints a row for each, and one for each target.
func (c *comparison) run() error {
	times, err := c.byTurns(c.turns...)
	if err != nil {
		return err
	}
	floor, fping := -1, -1
	for i, turn := range c.turns {
		switch turn.name {
		case "floor":
			floor = i
		case "fping":
			fping = i
		}
		c.table.add(median(times[i])/float64(c.probes)/1e3, "us", "", "%s: processor time per probe, %s", c.what, turn.name)
	}
	for i, turn := range c.turns {
		if floor >= 0 && i != floor {
			c.table.maybeBound(ratio(times[i], times[floor]), c.targets[i], "%s: %s against the floor", c.what, turn.name)
		}
		if fping >= 0 && c.fping[i] > 0 {
			c.table.bound(ratio(times[i], times[fping]), c.fping[i], "", "", "%s: %s against fping", c.what, turn.name)
		} else if fping >= 0 && strings.HasPrefix(turn.name, "MultiPingSeq") {
			c.table.add(ratio(times[i], times[fping]), "", "", "%s: %s against fping", c.what, turn.name)
		}
	}
	return nil
}

func writeLines(name string, lines []string) error {
	return os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
