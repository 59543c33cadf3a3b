package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// An mtrReporter writes what came of watching.
type mtrReporter interface {
	outcomes(all []*mtrOutcome)
}

// textMTR writes tables in the manner of mtr --report.
type textMTR struct {
	out   io.Writer
	names *nameCache // nil: numbers only
}

// leastMTRLabel is the width of mtr's column of hosts.
const leastMTRLabel = 24

func (t *textMTR) outcomes(all []*mtrOutcome) {
	t.askNames(all)
	for _, o := range all {
		if o.last != nil {
			fmt.Fprint(t.out, t.table(o))
		}
		if o.err == nil && o.unsent != nil {
			fmt.Fprintf(t.out, "%s: %v\n", o.name, o.fault())
		}
	}
}

// askNames has all names looked up at once.
func (t *textMTR) askNames(all []*mtrOutcome) {
	if t.names == nil {
		return
	}
	for _, o := range all {
		for _, h := range o.route().Hops {
			for i := range h.Responders {
				t.names.ask(h.Responders[i].Address)
			}
		}
	}
}

// mtrLine is a line of a table; hop is nil where it has no figures.
type mtrLine struct {
	lead, label string
	hop         *icmplib.Hop
}

func (t *textMTR) table(o *mtrOutcome) string {
	route := o.route()
	var lines []mtrLine
	for i := range route.Hops {
		lines = append(lines, t.hop(route, &route.Hops[i])...)
	}
	title := routeName(route)
	width := max(leastMTRLabel, utf8.RuneCountInString(title)-2)
	for _, l := range lines {
		if l.hop != nil {
			width = max(width, utf8.RuneCountInString(l.label))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Start: %s  %d rounds\n", o.began.Format("2006-01-02T15:04:05-0700"), o.last.Round)
	fmt.Fprintf(&b, "HOST: %-*s  Loss%%   Snt   Last   Avg  Best  Wrst StDev\n", width+2, title)
	for _, l := range lines {
		if l.hop == nil {
			fmt.Fprintf(&b, "%s%s\n", l.lead, l.label)
			continue
		}
		h := l.hop
		fmt.Fprintf(&b, "%s%-*s %6s %5d %s %s %s %s %s\n", l.lead, width, l.label, mtrLoss(h),
			h.PacketsSent, mtrTime(h, h.LastRTT(), 6), mtrTime(h, h.AvgRTT(), 5), mtrTime(h, h.MinRTT(), 5),
			mtrTime(h, h.MaxRTT(), 5), mtrTime(h, h.StdDev(), 5))
	}
	b.WriteString(mtrEvents(o))
	return b.String()
}

// hop returns the lines of a hop: the first responder with the figures, and then
// the others and the labels.
func (t *textMTR) hop(route *icmplib.Route, h *icmplib.Hop) []mtrLine {
	lead := fmt.Sprintf("%3d.|-- ", h.Distance)
	if h.IsSilent() {
		return []mtrLine{{lead, "???", h}}
	}
	var lines []mtrLine
	for i, r := range live.PresentFirst(h) {
		l := mtrLine{lead: "    |  `|-- ", label: t.display(route, r.Address)}
		if mark := responderMark(r, h.MTU); mark != "" {
			l.label += " " + mark
		}
		if i == 0 {
			l.lead, l.hop = lead, h
		}
		lines = append(lines, l)
		for _, m := range r.MPLS {
			s := 0
			if m.BottomOfStack {
				s = 1
			}
			lines = append(lines, mtrLine{lead: "    |   +-- ",
				label: fmt.Sprintf("[MPLS: Lbl %d TC %d S %d TTL %d]", m.Label, m.TrafficClass, s, m.TTL)})
		}
	}
	return lines
}

func mtrLoss(h *icmplib.Hop) string {
	loss := live.Loss(&h.Stats)
	if loss == "-" {
		return loss
	}
	return loss + "%"
}

// mtrTime writes a time, or a - where no answer has one.
func mtrTime(h *icmplib.Hop, d time.Duration, width int) string {
	text := "-"
	if h.PacketsReceived > 0 {
		text = live.Milliseconds(d)
	}
	return fmt.Sprintf("%*s", width, text)
}

func mtrEvents(o *mtrOutcome) string {
	var b strings.Builder
	for _, e := range o.events {
		fmt.Fprintf(&b, "%s round %d: %s\n", e.Time.Format("2006-01-02T15:04:05-0700"), e.Round, live.Describe(e))
	}
	return b.String()
}

// display returns an address with its name. The target goes by the name that it
// was given.
func (t *textMTR) display(r *icmplib.Route, addr netip.Addr) string {
	return (&textRoute{names: t.names}).display(r, addr)
}
