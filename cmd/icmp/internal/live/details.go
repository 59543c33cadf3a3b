package live

import (
	"fmt"
	"strings"

	"github.com/goicmp/icmplib"
)

// detailLines is all that is known of the hop at the cursor.
func (m *Model) detailLines(t *track) []string {
	hops := t.hops()
	at := min(m.cursor, len(hops)-1)
	h := &hops[at]
	lines := []string{m.paint.head(fmt.Sprintf(" Hop %d of %d", h.Distance, len(hops)))}
	add := func(title, format string, args ...any) {
		lines = append(lines, " "+padRight(title, 10)+fmt.Sprintf(format, args...))
	}
	if h.IsSilent() {
		add("Answers", "none: later hops show what it forwards")
	}
	for _, r := range PresentFirst(h) {
		add("Answers", "%d of %d  %s", r.PacketsReceived, h.PacketsSent, m.labels(t, r, h, "").label)
		if r.Status != icmplib.StatusTTLExpired {
			add("", "%v", r.Status)
		}
		if r.ReplyTTL > 0 {
			add("", "TTL %d on arrival", r.ReplyTTL)
		}
		if len(r.MPLS) > 0 {
			add("", "%s", stack(r))
		}
		for i := range r.Interfaces {
			f := &r.Interfaces[i]
			add("", "%v %s index %d %s mtu %d", f.Role, printable(f.Name), f.Index, f.Address, f.MTU)
		}
	}
	m.detailCounts(h, hops[at:], add)
	add("Graph", "%s", m.graph(t.marks(h.Distance, max(m.width-11, 1)), scale{}.include(t.marks(h.Distance, max(m.width-11, 1))).own()))
	return lines
}

// detailCounts tells what became of the probes, and how long they took.
func (m *Model) detailCounts(h *icmplib.Hop, behind []icmplib.Hop, add func(title, format string, args ...any)) {
	s := &h.Stats
	add("Probes", "%d sent, %d answered, loss %s%%", s.PacketsSent, s.PacketsReceived, Loss(s))
	if Limits(behind) {
		add("", "no packet is lost here: all that it forwards arrives")
	}
	var others []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{s.Silent, "silent"}, {s.Late, "late"}, {s.ICMPErrors, "errors"}, {s.Duplicates, "duplicates"}, {s.Altered, "altered"},
		{s.Unsettled, "on their way"}, {s.SendErrors, "not sent"}, {s.Suspect, "perhaps lost by this host"},
	} {
		if c.n > 0 {
			others = append(others, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(others) > 0 {
		add("", "%s", strings.Join(others, ", "))
	}
	if s.PacketsReceived > 0 {
		add("Times", "last %s, best %s, mean %s, worst %s, standard deviation %s", Milliseconds(s.LastRTT()), Milliseconds(s.MinRTT()),
			Milliseconds(s.AvgRTT()), Milliseconds(s.MaxRTT()), Milliseconds(s.StdDev()))
		add("", "median %s, 95%% %s, 99%% %s", Milliseconds(s.Percentile(0.5)), Milliseconds(s.Percentile(0.95)), Milliseconds(s.Percentile(0.99)))
		add("Jitter", "%s, interarrival %s", Milliseconds(s.Jitter()), Milliseconds(s.InterarrivalJitter()))
	}
	if h.MTU > 0 {
		add("MTU", "%d", h.MTU)
	}
	if h.ReturnDistance > 0 {
		add("Back", "answers come from distance %d", h.ReturnDistance)
	}
	if words := h.Rewritten.Words(); len(words) > 0 {
		add("Rewritten", "%s", strings.Join(words, ", "))
	}
}
