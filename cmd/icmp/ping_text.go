package main

import (
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
)

// textReporter writes what people read, in the manner of ping.
type textReporter struct {
	mu    sync.Mutex
	out   io.Writer
	quiet bool
	stamp bool // lines begin with the time
	size  int
	names *nameCache // nil: numbers only

	drawn   bool // round-trip times are drawn below the summary
	unicode bool // with more than ASCII
	trails  map[*icmplib.Host]*trail
}

func newTextReporter(out io.Writer, f *pingFlags) *textReporter {
	t := &textReporter{out: out, quiet: f.quiet, stamp: f.timestamp, size: f.size}
	if !f.numeric {
		t.names = newNameCache()
	}
	return t
}

func (t *textReporter) start(host *icmplib.Host) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "PING %s %d data bytes\n", nameOf(host), t.size)
}

func (t *textReporter) result(host *icmplib.Host, r icmplib.Result) {
	t.follow(host, r)
	if t.quiet {
		return
	}
	at := time.Now()
	if r.Responder.IsValid() && !r.Sent.IsZero() {
		at = r.Sent.Add(r.RTT)
	}
	if line := t.line(host, r); line != "" {
		t.print(at, line)
	}
}

// open tells of a request that has no answer yet.
func (t *textReporter) open(host *icmplib.Host, seq int) {
	t.print(time.Now(), fmt.Sprintf("no answer yet from %s: seq=%d", host.Name, seq))
}

// print writes a line about a moment.
func (t *textReporter) print(at time.Time, line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stamp {
		line = timestamp(at) + line
	}
	fmt.Fprintln(t.out, line)
}

// timestamp writes a moment as ping -D does.
func timestamp(at time.Time) string {
	return fmt.Sprintf("[%d.%06d] ", at.Unix(), at.Nanosecond()/1000)
}

// follow keeps what is to be drawn.
func (t *textReporter) follow(host *icmplib.Host, r icmplib.Result) {
	if !t.drawn {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trails == nil {
		t.trails = map[*icmplib.Host]*trail{}
	}
	if t.trails[host] == nil {
		t.trails[host] = &trail{}
	}
	t.trails[host].add(r)
}

func (t *textReporter) end(*icmplib.Host) {}

// line describes one result. Requests that are in flight when the command ends
// are left to the summary.
func (t *textReporter) line(host *icmplib.Host, r icmplib.Result) string {
	switch {
	case r.Status == icmplib.StatusUnsettled:
		return ""
	case r.Cause != nil:
		return fmt.Sprintf("To %s seq=%d: %v", r.Dst, r.Seq, r.Cause)
	case r.Status == icmplib.StatusNoReply:
		return fmt.Sprintf("No reply from %s: seq=%d%s", t.display(host, r), r.Seq, mark(r.Suspect, " (our own socket lost packets)")+mark(r.NewID, " (another id follows)"))
	case r.Status == icmplib.StatusReply, r.Status == icmplib.StatusAltered:
		return fmt.Sprintf("%d bytes from %s: seq=%d%s time=%s%s", r.Size, t.display(host, r), r.Seq, ttl(r), milliseconds(r.RTT), remarks(r))
	}
	return fmt.Sprintf("From %s: seq=%d %s%s", t.display(host, r), r.Seq, describe(r), remarks(r))
}

func (t *textReporter) display(host *icmplib.Host, r icmplib.Result) string {
	addr := r.Responder
	if !addr.IsValid() {
		addr = r.Dst
	}
	if name := t.nameFor(host, addr); name != "" {
		return fmt.Sprintf("%s (%s)", name, addr)
	}
	return addr.String()
}

// nameFor returns what to call an address, or "". The target goes by the name
// that it was given; others are looked up. Who gives an address wants to see
// addresses, as ping takes it, and may have no resolver at all.
func (t *textReporter) nameFor(host *icmplib.Host, addr netip.Addr) string {
	switch {
	case t.names == nil || isAddress(host.Name):
		return ""
	case addr.WithZone("") == host.Address.WithZone(""):
		return host.Name
	}
	return t.names.get(addr)
}

// describe names an ICMP error as the registry does.
func describe(r icmplib.Result) string {
	s := r.Type.String()
	if code := r.Type.CodeString(r.Code); code != "" && code != s {
		s += ": " + code
	}
	if r.MTU > 0 {
		s += fmt.Sprintf(" (MTU %d)", r.MTU)
	}
	for _, label := range r.MPLS {
		s += fmt.Sprintf(" [MPLS %d]", label.Label)
	}
	return s
}

// ttl writes the TTL of an answer, and its DSCP and ECN where they are set.
func ttl(r icmplib.Result) string {
	s := ""
	if r.ReplyTTL != 0 {
		s = fmt.Sprintf(" ttl=%d", r.ReplyTTL)
	}
	if dscp := r.ReplyTrafficClass >> 2; dscp != 0 {
		s += fmt.Sprintf(" dscp=%d", dscp)
	}
	if ecn := r.ReplyTrafficClass & 3; ecn != 0 {
		s += fmt.Sprintf(" ecn=%d", ecn)
	}
	return s
}

func remarks(r icmplib.Result) string {
	return mark(r.Duplicate, " (DUP!)") + mark(r.Corrects, " (after an error)") + mark(r.Late, " (late)") +
		mark(r.Altered, " (payload changed)") + mark(r.Status == icmplib.StatusAltered, " (not our payload)") +
		mark(r.Unproven, " (unproven)") + mark(r.Local, " (this host itself)") + mark(r.RTTSource == icmplib.RTTNoticed, " (timed when noticed)")
}

func mark(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

// milliseconds writes a time with three significant digits, at least.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.3f ms", ms)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

func (t *textReporter) summaries(hosts []*icmplib.Host) {
	for _, host := range hosts {
		t.summary(host)
	}
}

// summary writes the statistics of a host.
func (t *textReporter) summary(h *icmplib.Host) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.Err != nil && h.PacketsSent == 0 && h.SendErrors == 0 {
		return // nothing was tried; the error is printed by itself
	}
	fmt.Fprintf(t.out, "\n--- %s ping statistics ---\n", h.Name)
	for _, line := range statsLines(&h.Stats) {
		fmt.Fprintln(t.out, line)
	}
	if t.drawn {
		t.draw(h)
	}
}

// statsLines sums up in one line, or two if there was a reply.
func statsLines(s *icmplib.Stats) []string {
	lines := []string{fmt.Sprintf("%d packets transmitted, %d received, %s packet loss%s",
		s.PacketsSent, s.PacketsReceived, percent(s.PacketLoss()), tally(s))}
	if s.PacketsReceived > 0 {
		lines = append(lines, fmt.Sprintf("rtt min/avg/max/stddev = %s ms, jitter = %s ms",
			joined(s.MinRTT(), s.AvgRTT(), s.MaxRTT(), s.StdDev()), joined(s.Jitter())))
	}
	return lines
}

// drawnProbes is how many probes the line below a summary shows: with its name
// they fit into 80 columns.
const drawnProbes = 60

// draw shows the last probes in sending order, and how the round-trip times of
// all are distributed.
func (t *textReporter) draw(h *icmplib.Host) {
	if trail := t.trails[h]; trail != nil && h.PacketsSent > 1 {
		last := trail.last(drawnProbes)
		fmt.Fprintf(t.out, "last %d: %s\n", len(last), sparkline(last, drawnProbes, t.unicode))
	}
	bars := histogramOf(&h.Stats)
	if len(bars) > 0 {
		fmt.Fprintln(t.out)
	}
	for _, line := range histogramLines(bars, t.unicode) {
		fmt.Fprintln(t.out, line)
	}
}

// tally lists what is out of the ordinary.
func tally(s *icmplib.Stats) string {
	var b strings.Builder
	for _, item := range []struct {
		n    int
		what string
	}{
		{s.ICMPErrors, "errors"},
		{s.Late, "late"},
		{s.Duplicates, "duplicates"},
		{s.Altered, "altered"},
		{s.Advised, "errors beside"},
		{s.SendErrors, "not sent"},
		{s.Unsettled, "still open"},
		{s.Suspect, "perhaps lost by this host"},
		{s.NewIDs, "changes of the id"},
	} {
		if item.n > 0 {
			fmt.Fprintf(&b, ", +%d %s", item.n, item.what)
		}
	}
	return b.String()
}

// percent writes a share with as many digits as keep a loss from looking like
// none, and one reply among many from looking like none, too.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.01:
		return fmt.Sprintf("%.3g%%", 100*share)
	case share > 0.9999 && share < 1:
		return fmt.Sprintf("%.9g%%", 100*share)
	}
	return fmt.Sprintf("%.4g%%", 100*share)
}

func joined(times ...time.Duration) string {
	parts := make([]string, len(times))
	for i, d := range times {
		parts[i] = fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond))
	}
	return strings.Join(parts, "/")
}

const (
	histogramRows  = 8
	histogramWidth = 40
)

// histogramBar is a range of round-trip times, and how many are in it.
type histogramBar struct {
	from, to time.Duration
	count    int
}

// histogramOf cuts the range of the round-trip times into bars: of equal width,
// or, where the greatest is many times the least, each a multiple of the one
// before. There is none where all are alike.
func histogramOf(s *icmplib.Stats) []histogramBar {
	least, greatest := s.MinRTT(), s.MaxRTT()
	if s.PacketsReceived < 2 || greatest-least < histogramRows {
		return nil
	}
	bars := make([]histogramBar, histogramRows)
	upTo := counter(s)
	before := 0
	for i := range bars {
		from, to := least, cut(least, greatest, i+1)
		if i > 0 {
			from = bars[i-1].to
		}
		count := upTo(to)
		bars[i] = histogramBar{from, to, count - before}
		before = count
	}
	return bars
}

// cut returns the end of bar i, counted from 1.
func cut(least, greatest time.Duration, i int) time.Duration {
	const manyTimes = 8
	share := float64(i) / histogramRows
	switch {
	case i == histogramRows:
		return greatest
	case least > 0 && greatest/least >= manyTimes:
		return time.Duration(float64(least) * math.Pow(float64(greatest)/float64(least), share))
	}
	return least + time.Duration(share*float64(greatest-least))
}

// counter returns a function that counts the round-trip times up to a bound. Of
// those that are not kept one by one, it errs as Percentile does.
func counter(s *icmplib.Stats) func(bound time.Duration) int {
	if rtts := s.RTTs(); rtts != nil {
		slices.Sort(rtts)
		return func(bound time.Duration) int {
			return sort.Search(len(rtts), func(i int) bool { return rtts[i] > bound })
		}
	}
	n := s.PacketsReceived
	return func(bound time.Duration) int {
		return sort.Search(n, func(i int) bool {
			return s.Percentile((float64(i)+0.5)/float64(n)) > bound
		})
	}
}

// histogramLines draws the bars.
func histogramLines(bars []histogramBar, unicode bool) []string {
	most, digits := 0, 0
	for _, b := range bars {
		most = max(most, b.count)
		digits = max(digits, len(joined(b.to)))
	}
	block := "#"
	if unicode {
		block = "█"
	}
	lines := make([]string, len(bars))
	for i, b := range bars {
		length := (b.count*histogramWidth + most - 1) / most // a single one shows, too
		bar := strings.Repeat(block, length)
		if length > 0 {
			bar += " "
		}
		lines[i] = fmt.Sprintf("%*s - %*s ms  %s%d", digits, joined(b.from), digits, joined(b.to), bar, b.count)
	}
	return lines
}
