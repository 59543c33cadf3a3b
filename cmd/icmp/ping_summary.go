package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

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
	fmt.Fprintf(t.out, "%d packets transmitted, %d received, %s packet loss%s\n",
		h.PacketsSent, h.PacketsReceived, percent(h.PacketLoss()), tally(&h.Stats))
	if h.PacketsReceived > 0 {
		fmt.Fprintf(t.out, "rtt min/avg/max/stddev = %s ms, jitter = %s ms\n",
			joined(h.MinRTT(), h.AvgRTT(), h.MaxRTT(), h.StdDev()), joined(h.Jitter()))
	}
	if t.drawn {
		t.draw(h)
	}
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
