package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/fleet/agent"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// figuresVariable has the figures of the documentation measured, on loopback. They need a
// quiet machine, and prove nothing.
const figuresVariable = "ICMP_FLEET_FIGURES"

func wantFigures(t *testing.T) {
	if os.Getenv(figuresVariable) == "" {
		t.Skip("set " + figuresVariable + "=1")
	}
}

// used is the processor time of a process, and the most memory that it had.
func used(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	var user, system int
	if fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:])); len(fields) > 13 {
		fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	peak, _, _ = strings.Cut(peak, "\n")
	return fmt.Sprintf("%.1f s of processor time, %s", float64(user+system)/100, strings.TrimSpace(peak))
}

func sizeOf(dir string) (bytes int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if info, err2 := e.Info(); err == nil && err2 == nil && !e.IsDir() {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

func TestFigureOfAMillionTargets(t *testing.T) {
	wantFigures(t)
	f := newProcesses(t, "--no-mesh", "--http", "")
	begin := time.Now()
	f.startHub()
	t.Logf("the hub answers after %v", time.Since(begin))
	rules := writeFile(t, "allow: [127.0.0.0/8]\nconcurrency: 8\npackets_per_second: 1000000\n")
	agents := map[string]*process{}
	for i := range 3 {
		name := fmt.Sprint("a", i)
		agents[name] = startProcess(t, nil, "agent", "--join", f.enroll(name, "127.0.0.1", nil), "--policy", rules)
	}
	f.ready("a0", "a1", "a2")
	begin = time.Now()
	id := strings.TrimSpace(f.mustRun(0, "sweep", "127.0.0.0/12", "-c", "1"))
	took := time.Since(begin)
	t.Logf("1,048,576 targets in %v, by agent %v", took, f.job().PerAgent)
	t.Log("hub:", used(f.hub.cmd.Process.Pid))
	for name, a := range agents {
		t.Log(name+":", used(a.cmd.Process.Pid))
	}
	t.Logf("%.1f MB on the disk", float64(sizeOf(f.dir))/1e6)
	begin = time.Now()
	out := f.mustRun(0, "results", id, "--json")
	t.Logf("results: %d lines, %d MB in %v", strings.Count(out, "\n"), len(out)>>20, time.Since(begin))
}

func TestFigureOfAMeshOf200(t *testing.T) {
	wantFigures(t)
	dir := t.TempDir()
	h, err := hub.Start(context.Background(), hub.Config{Dir: dir, Listen: "127.0.0.1:0"}) // with the rounds of the default
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	owner := policy.Limits{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, PacketsPerSecond: 100_000}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range 200 {
		token, err := h.Enroll(ctx, wire.Enrollment{Name: fmt.Sprint("a", i), Role: wire.RoleAgent, Site: fmt.Sprint("s", i%40),
			Address: netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(i + 1)})})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { agent.New(agent.Config{Token: token, Policy: owner, DrainWait: time.Second}).Run(ctx) })
	}
	until(t, 3*time.Minute, "all have had a round", func() bool { return len(h.Mesh().Rounds()) == 200 })
	rounds := func() (n uint64) {
		for _, r := range h.Mesh().Rounds() {
			n += r.Seq
		}
		return n
	}
	before, bytes, seen := usage(), sizeOf(dir), rounds()
	time.Sleep(time.Minute)
	pairs, lost, sent, longest := 0, 0, 0, time.Duration(0)
	for _, r := range h.Mesh().Rounds() {
		longest = max(longest, r.End.Sub(r.Start))
		for _, p := range r.Pairs {
			pairs++
			sent += p.Sent
			lost += p.Sent - p.Received - p.Unsettled
		}
	}
	t.Logf("a minute of 200 agents and their hub in one process: %v of processor time; %s", usage()-before, used(os.Getpid()))
	t.Logf("%d pairs, %d of %d packets of the last rounds lost; %d rounds of up to %v took %.1f kB on the disk", pairs, lost, sent, rounds()-seen, longest, float64(sizeOf(dir)-bytes)/1e3)
	cancel()
	all.Wait()
}

// usage is the processor time of this process.
func usage() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
