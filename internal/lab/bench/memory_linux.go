package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/socket"
)

// allocations counts what a target costs once everything is running: of a run
// with many hosts less one with half of them. Each further probe is the
// difference between two requests to a host and one.
func (b *bench) allocations() error {
	k := kind{raw: true}
	t := k.targets(b.hosts)
	p, err := icmplib.NewProber(&icmplib.Config{Mode: k.mode()})
	if err != nil {
		return err
	}
	defer p.Close()
	perTarget := func(count int) (float64, error) {
		opts := fullSpeed
		opts.Count, opts.Interval = count, -1
		counted := func(n int) (float64, error) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := sweep(p, slices.Values(t.names[:n]), opts)
			runtime.ReadMemStats(&after)
			return float64(after.Mallocs - before.Mallocs), err
		}
		var each []float64
		for range max(3, b.rounds/3) {
			half, err := counted(b.hosts / 2)
			if err != nil {
				return 0, err
			}
			whole, err := counted(b.hosts)
			if err != nil {
				return 0, err
			}
			each = append(each, (whole-half)/float64(b.hosts-b.hosts/2))
		}
		return median(each), nil
	}
	one, err := perTarget(1)
	if err != nil {
		return err
	}
	two, err := perTarget(2)
	if err != nil {
		return err
	}
	b.table.bound(one, 1, "", "beside the caller's string", "allocations per target, Count 1")
	b.table.bound(round(two-one), 0, "", "to a hundredth", "allocations per further probe")
	return nil
}

// round rounds to a hundredth: what is left are buffers that grow now and then.
func round(x float64) float64 { return float64(int(x*100+0.5)) / 100 }

// residentHosts is how many targets are streamed to measure the memory.
const residentHosts = 1_000_000

// resident measures the most memory that a process has while it streams a
// million targets, each a new string.
func (b *bench) resident() error {
	for _, k := range []kind{{raw: true}, {ipv6: true}} {
		out, err := again("rss").Output()
		if k.ipv6 {
			out, err = again("rss6").Output()
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, stderr(err))
		}
		mib, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return err
		}
		b.table.bound(mib, 32, "MiB", "VmHWM", "%v: resident memory, %d targets streamed", k, residentHosts)
	}
	return nil
}

func stderr(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return string(exit.Stderr)
	}
	return ""
}

// stream yields the addresses of many hosts.
func stream(k kind, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(k.addr(i).String()) {
				return
			}
		}
	}
}

// residentChild streams the targets and prints the most memory it had, in MiB.
func residentChild(k kind) error {
	tally, err := sweepOnce(k, stream(k, residentHosts), fullSpeed)
	if err != nil {
		return err
	}
	if tally.received != residentHosts {
		return fmt.Errorf("%d of %d answered", tally.received, residentHosts)
	}
	kib, err := status("VmHWM")
	fmt.Println(kib / 1024)
	return err
}

// status reads a figure of proc_pid_status(5), in KiB.
func status(field string) (float64, error) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == field+":" {
			return strconv.ParseFloat(f[1], 64)
		}
	}
	return 0, fmt.Errorf("no %s", field)
}

// inFlight measures what the engine keeps of a probe that is in flight, and
// what a whole sweep does.
func (b *bench) inFlight() error {
	const probes = 49152 // what one socket takes before there is another
	before := live()
	pool, err := engine.NewPool(func() (engine.Medium, error) {
		s, err := socket.ListenICMPv4(&socket.Config{Mode: socket.Raw})
		if err != nil {
			return nil, err
		}
		return engine.OverEcho(s), nil
	}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer pool.Close()
	op := engine.NewOp(engine.OpConfig{Timeout: time.Minute, Size: 56})
	defer op.Close()
	// The buffers are made when they are first needed.
	if _, err := pool.Send(context.Background(), op, []engine.Probe{{Dst: host(local4, 1), TTL: 64}}); err != nil {
		return err
	}
	<-op.Ready()
	empty := live()
	batch := make([]engine.Probe, 16)
	for i := 0; i < probes; i += len(batch) {
		for j := range batch {
			batch[j] = engine.Probe{Dst: host(silent, i+j+1), TTL: 64}
		}
		if _, err := pool.Send(context.Background(), op, batch); err != nil {
			return err
		}
	}
	full := live()
	b.table.add(float64(full-empty)/probes, "bytes", fmt.Sprintf("with %d in flight", probes), "memory per probe in flight, the engine")
	b.table.add(float64(empty-before)/1024, "KiB", "", "memory of a socket with its buffers")
	return nil
}

// live returns the bytes in use on the heap.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
