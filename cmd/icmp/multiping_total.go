package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// sweepTotal sums up all hosts of a sweep. Its size does not depend on their
// number.
type sweepTotal struct {
	began time.Time
	hosts [hostOpen + 1]int64 // by their fate

	stats    icmplib.Stats // only its counters
	min, max time.Duration
	sum      time.Duration

	// faults has one for each exit code: the first.
	faults      [exitFailure + 1]error
	interrupted bool
}

// add counts a host.
func (t *sweepTotal) add(h *icmplib.Host, fate hostFate) {
	if fate == hostOpen && h.PacketsSent == 0 {
		return // drawn ahead, and not tried
	}
	t.hosts[fate]++
	t.stats.PacketsSent += h.PacketsSent
	t.stats.PacketsReceived += h.PacketsReceived
	t.stats.ICMPErrors += h.ICMPErrors
	t.stats.Late += h.Late
	t.stats.Duplicates += h.Duplicates
	t.stats.Altered += h.Altered
	t.stats.Advised += h.Advised
	t.stats.SendErrors += h.SendErrors
	t.stats.Unsettled += h.Unsettled
	t.stats.Suspect += h.Suspect
	if fate == hostAlive {
		if t.min == 0 || h.MinRTT() < t.min {
			t.min = h.MinRTT()
		}
		t.max = max(t.max, h.MaxRTT())
		t.sum += h.AvgRTT() * time.Duration(h.PacketsReceived)
	}
	switch {
	case fate == hostOpen:
	case errors.Is(h.Err, socket.ErrBroadcast):
		t.fault(errDead) // no fault of the system: that it is one may be news
	default:
		t.fault(hostVerdict(h))
	}
}

// end notes the error that ended the sweep.
func (t *sweepTotal) end(err error) {
	if errors.Is(err, context.Canceled) {
		t.interrupted = true
		err = errDead
	}
	t.fault(err)
}

func (t *sweepTotal) fault(err error) {
	if code := exitCode(err); t.faults[code] == nil {
		t.faults[code] = err
	}
}

// verdict returns what is still to be said, and what the exit code is made of.
func (t *sweepTotal) verdict() error {
	var faults failures
	for _, err := range t.faults[exitNoName:] {
		if err != nil {
			faults = faults.with(err)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return t.faults[exitDead]
}

// begun tells whether there is anything to sum up: not if all that happened is
// that something stood in the way.
func (t *sweepTotal) begun() bool {
	return t.stats.PacketsSent > 0 || t.faults[exitUsage] == nil && t.faults[exitFailure] == nil
}

// write writes the summary.
func (t *sweepTotal) write(out io.Writer, elapsed time.Duration, o order) {
	var all int64
	for _, n := range t.hosts {
		all += n
	}
	ended := ""
	if t.interrupted {
		ended = ", interrupted"
	}
	fmt.Fprintf(out, "\n--- multiping statistics%s%s ---\n", describeOrder(o), ended)
	fmt.Fprintf(out, "%d targets, %d alive, %d unreachable", all, t.hosts[hostAlive], t.hosts[hostDead]+t.hosts[hostNoName])
	if n := t.hosts[hostNoName]; n > 0 {
		fmt.Fprintf(out, " (names not found: %d)", n)
	}
	if n := t.hosts[hostOpen]; n > 0 {
		fmt.Fprintf(out, ", %d still open", n)
	}
	fmt.Fprintf(out, "\n%d packets transmitted, %d received, %s packet loss%s\n",
		t.stats.PacketsSent, t.stats.PacketsReceived, percent(t.stats.PacketLoss()), tally(&t.stats))
	if n := t.stats.PacketsReceived; n > 0 {
		fmt.Fprintf(out, "rtt min/avg/max = %s ms\n", joined(t.min, t.sum/time.Duration(n), t.max))
	}
	seconds := max(elapsed, time.Microsecond).Seconds()
	fmt.Fprintf(out, "%.3f s elapsed, %.1f packets/s\n", seconds, float64(t.stats.PacketsSent)/seconds)
}

// describeOrder says what is needed to repeat a sweep.
func describeOrder(o order) string {
	s := ""
	if o.shards > 1 {
		s += fmt.Sprintf(", --shard %d/%d", o.shard, o.shards)
	}
	if o.shuffle {
		s += fmt.Sprintf(", --seed %d", o.seed)
	}
	return s
}
