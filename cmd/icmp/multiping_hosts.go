package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// A hostReporter writes a host that is completed. What fails there is standard
// output, and there is nobody left to tell.
type hostReporter interface {
	host(h *icmplib.Host, fate hostFate)
}

// textHosts writes lines for people.
type textHosts struct{ out io.Writer }

func (t textHosts) host(h *icmplib.Host, fate hostFate) {
	if fate == hostAlive {
		fmt.Fprintf(t.out, "%s is alive (%s, %s loss%s)\n", nameOf(h), milliseconds(h.AvgRTT()), percent(h.PacketLoss()), tally(&h.Stats))
		return
	}
	fmt.Fprintf(t.out, "%s is unreachable (%s)\n", nameOf(h), reason(h))
}

// reason says why a host is not alive.
func reason(h *icmplib.Host) string {
	if errors.Is(h.Err, socket.ErrBroadcast) {
		return "a broadcast address, which --broadcast allows"
	}
	if h.Err != nil {
		return strings.ReplaceAll(h.Err.Error(), "\n", "; ")
	}
	if h.ICMPErrors == 0 || h.Silent > 0 || h.Late > 0 {
		return "no reply" + tally(&h.Stats)
	}
	others := h.Stats
	others.ICMPErrors = 0
	return fmt.Sprintf("%v%s", h.LastICMPError, tally(&others))
}

// nameHosts writes names alone, for other programs to read.
type nameHosts struct{ out io.Writer }

func (n nameHosts) host(h *icmplib.Host, _ hostFate) { fmt.Fprintln(n.out, h.Name) }

// hostFate is what a sweep found out about a host.
type hostFate uint8

const (
	hostAlive  hostFate = iota
	hostDead            // it did not answer, or was not sent anything
	hostNoName          // its name was not found
	hostOpen            // the command ended before that was known
)

// fateOf returns the fate of a host that was to be sent count requests.
func fateOf(h *icmplib.Host, count int) hostFate {
	settled := h.PacketsSent - h.Unsettled + h.SendErrors
	switch {
	case h.IsAlive():
		return hostAlive
	case errors.Is(h.Err, icmplib.ErrNameLookup):
		return hostNoName
	case h.Err != nil && settled == 0 && (errors.Is(h.Err, context.Canceled) || errors.Is(h.Err, os.ErrPermission)):
		return hostOpen // what ended the command is told once, at its end
	case h.Err == nil && settled < count:
		return hostOpen
	}
	return hostDead
}

// sweepTotal sums up all hosts of a sweep. Its size does not depend on their
// number.
type sweepTotal struct {
	began time.Time
	flags *multipingFlags

	mu    sync.Mutex
	hosts [hostOpen + 1]int64 // by their fate

	stats icmplib.Stats // of all

	// faults has one for each exit code: the first.
	faults      [exitFailure + 1]error
	interrupted bool
}

// add counts a host.
func (t *sweepTotal) add(h *icmplib.Host, fate hostFate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if fate == hostOpen && h.PacketsSent == 0 {
		return // drawn ahead, and not tried
	}
	t.hosts[fate]++
	t.stats.Merge(&h.Stats)
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

// begun reports whether there is anything to sum up: not if all that happened is
// that something stood in the way.
func (t *sweepTotal) begun() bool {
	return t.stats.PacketsSent > 0 || t.faults[exitUsage] == nil && t.faults[exitFailure] == nil
}

// summary writes the summary for people, or for programs if they ask for it.
func (t *sweepTotal) summary(out io.Writer, o order) {
	elapsed := time.Since(t.began)
	switch {
	case t.flags.json && t.flags.stats:
		(&jsonWriter{out: out}).write(&t.stats, t.fields(elapsed, o)...)
	case t.flags.csv && t.flags.stats:
		t.table(out, t.fields(elapsed, o))
	case t.flags.sumsUp():
		t.write(out, elapsed, o, t.ended())
	}
}

// fields are what the summary for programs says besides the statistics of all hosts.
func (t *sweepTotal) fields(elapsed time.Duration, o order) []jsonField {
	var targets int64
	for _, n := range t.hosts {
		targets += n
	}
	shard, seed := "", uint64(0)
	if o.shards > 1 {
		shard = fmt.Sprintf("%d/%d", o.shard, o.shards)
	}
	if o.shuffle {
		seed = o.seed
	}
	return []jsonField{
		{"targets", targets}, {"alive", t.hosts[hostAlive]}, {"unreachable", t.hosts[hostDead] + t.hosts[hostNoName]},
		{"names_not_found", t.hosts[hostNoName]}, {"open", t.hosts[hostOpen]}, {"interrupted", t.interrupted},
		{"elapsed_ms", float64(elapsed) / float64(time.Millisecond)}, {"shard", shard}, {"seed", seed},
	}
}

// table writes the fields and the statistics as a line below their names.
func (t *sweepTotal) table(out io.Writer, fields []jsonField) {
	var names, cells []string
	for _, f := range fields {
		names, cells = append(names, f.name), append(cells, f.cell())
	}
	newCSVTable(out, append(names, csvStatsHeader...)).line(append(cells, csvStats(&t.stats)...))
}

// tell writes the summary of what is known so far.
func (t *sweepTotal) tell(out io.Writer, o order) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(out, time.Since(t.began), o, ", so far")
}

// ended says in the summary what ended the sweep.
func (t *sweepTotal) ended() string {
	if t.interrupted {
		return ", interrupted"
	}
	return ""
}

// write writes the summary.
func (t *sweepTotal) write(out io.Writer, elapsed time.Duration, o order, ended string) {
	var all int64
	for _, n := range t.hosts {
		all += n
	}
	fmt.Fprintf(out, "\n--- multiping statistics%s%s ---\n", describeOrder(o), ended)
	fmt.Fprintf(out, "%d %s, %d alive, %d unreachable", all, plural(all, "target"), t.hosts[hostAlive], t.hosts[hostDead]+t.hosts[hostNoName])
	if n := t.hosts[hostNoName]; n > 0 {
		fmt.Fprintf(out, " (names not found: %d)", n)
	}
	if n := t.hosts[hostOpen]; n > 0 {
		fmt.Fprintf(out, ", %d still open", n)
	}
	fmt.Fprintf(out, "\n%d packets transmitted, %d received, %s packet loss%s\n",
		t.stats.PacketsSent, t.stats.PacketsReceived, percent(t.stats.PacketLoss()), tally(&t.stats))
	if t.stats.PacketsReceived > 0 {
		fmt.Fprintf(out, "rtt min/avg/max = %s ms\n", joined(t.stats.MinRTT(), t.stats.AvgRTT(), t.stats.MaxRTT()))
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

// plural returns the word for so many things.
func plural(n int64, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}
