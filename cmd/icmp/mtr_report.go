package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
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
	out     io.Writer
	names   *nameCache // nil: numbers only
	numbers *nameCache // of autonomous systems; nil: none
	fields  string     // the columns, by letters of mtr; "": the usual ones
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
			fmt.Fprintf(t.out, "%v: %v\n", o, o.fault())
		}
	}
}

// askNames has all names looked up at once.
func (t *textMTR) askNames(all []*mtrOutcome) {
	for _, o := range all {
		eachResponder(o.route(), t.names.askIfAny)
		eachResponder(o.route(), t.numbers.askIfAny)
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
	if o.Flow > 0 {
		title += fmt.Sprintf(", flow %d", o.Flow)
	}
	width := max(leastMTRLabel, utf8.RuneCountInString(title)-2)
	for _, l := range lines {
		if l.hop != nil {
			width = max(width, utf8.RuneCountInString(l.label))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Start: %s  %d %s\n", o.began.Format("2006-01-02T15:04:05-0700"), o.last.Round, plural(int64(o.last.Round), "round"))
	columns, _ := live.Fields(t.fields) // the flags have been checked
	fmt.Fprintf(&b, "HOST: %-*s %s\n", width+2, title, reportCells(columns, nil))
	for _, l := range lines {
		if l.hop == nil {
			fmt.Fprintf(&b, "%s%s\n", l.lead, l.label)
			continue
		}
		fmt.Fprintf(&b, "%s%-*s %s\n", l.lead, width, l.label, reportCells(columns, l.hop))
	}
	b.WriteString(mtrLimits(route))
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

// reportCells writes the columns of a hop, or their titles.
func reportCells(columns []live.Field, h *icmplib.Hop) string {
	cells := make([]string, len(columns))
	for i, c := range columns {
		text := c.Title
		if h != nil {
			text = c.Text(h)
		}
		cells[i] = fmt.Sprintf("%*s", c.Width, text)
	}
	return strings.Join(cells, " ")
}

// mtrLimits tells of hops whose loss is none: they limit how often they answer.
func mtrLimits(r *icmplib.Route) string {
	var b strings.Builder
	for i := range r.Hops {
		if h := &r.Hops[i]; live.Limits(r.Hops[i:]) {
			fmt.Fprintf(&b, "hop %d answered only %d of %d probes but forwards all packets: it limits its rate of answers, and loses nothing\n",
				h.Distance, h.PacketsReceived, h.PacketsSent)
		}
	}
	return b.String()
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
	return (&textRoute{names: t.names, numbers: t.numbers}).display(r, addr)
}

// csvMTR writes the hops of each target.
type csvMTR struct{ csvHops }

func (c csvMTR) outcomes(all []*mtrOutcome) {
	for _, o := range all {
		c.route(o.route(), o.rounds(), o.fault())
	}
}

// jsonMTR writes one object per target: the last Snapshot, with the events of all
// rounds, and without the results of the last one.
type jsonMTR struct {
	*jsonWriter
	numbers *nameCache // of autonomous systems; nil: none
}

func (j jsonMTR) outcomes(all []*mtrOutcome) {
	for _, o := range all {
		s := icmplib.Snapshot{Round: o.rounds(), Route: *o.route(), Events: o.events}
		s.Err = o.fault()
		var more []jsonField
		if o.Flow > 0 {
			more = append(more, jsonField{"flow", o.Flow})
		}
		if o.last != nil {
			s.Time = o.last.Time
			more = append(append(more, asnField(j.numbers, &s.Route)...), jsonField{"start", o.began})
		}
		j.write(&s, more...)
	}
}

// mtrOutcome is what is known of a target, by one flow, when its watching has ended.
type mtrOutcome struct {
	live.Subject
	began  time.Time         // when the first probe was sent
	last   *icmplib.Snapshot // nil if there was none
	events []icmplib.Event
	err    error
	unsent error // why the system has sent nothing of late; nil: it has
}

// maxMTREvents bounds what is kept of a target that is watched for very long.
const maxMTREvents = 10_000

// collection is what is known of targets while they are watched.
type collection struct {
	status *status

	mu  sync.Mutex
	all []*mtrOutcome
}

func newCollection(subjects []live.Subject, status *status) *collection {
	c := &collection{status: status}
	for _, s := range subjects {
		c.all = append(c.all, &mtrOutcome{Subject: s})
	}
	return c
}

// tell writes the tables so far, without names.
func (c *collection) tell(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	(&textMTR{out: out}).outcomes(c.all)
}

// collect watches all targets at once, until their rounds are over or ctx ends:
// what there is by then is the outcome.
func (c *collection) collect(ctx context.Context, watch live.Watch, opts *icmplib.MonitorOptions) []*mtrOutcome {
	var all sync.WaitGroup
	for _, o := range c.all {
		all.Go(func() {
			for snapshot, err := range watch(ctx, o.Subject, opts) {
				switch {
				case err != nil && ctx.Err() != nil:
					return
				case err != nil:
					c.mu.Lock()
					o.err = err
					c.mu.Unlock()
					return
				}
				c.add(o, snapshot)
				c.status.set(roundText(snapshot.Round, opts))
			}
		})
	}
	all.Wait()
	return c.all
}

func (c *collection) add(o *mtrOutcome, snapshot *icmplib.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.last == nil {
		o.began = live.Began(snapshot)
	}
	o.last = snapshot
	o.unsent = live.Unsent(snapshot.Results, o.unsent)
	o.events = append(o.events, snapshot.Events...)
	if excess := len(o.events) - maxMTREvents; excess > 0 {
		o.events = slices.Delete(o.events, 0, excess)
	}
}

// roundText says how far watching has come.
func roundText(round int, opts *icmplib.MonitorOptions) string {
	if opts == nil || opts.Rounds == 0 {
		return fmt.Sprintf("round %d, until it is interrupted", round)
	}
	return fmt.Sprintf("round %d of %d", round, opts.Rounds)
}

// rounds returns how many have been completed.
func (o *mtrOutcome) rounds() int {
	if o.last == nil {
		return 0
	}
	return o.last.Round
}

// route returns the last state of the route, an empty one if there is none.
func (o *mtrOutcome) route() *icmplib.Route {
	if o.last == nil {
		return &icmplib.Route{Name: o.Name}
	}
	route := o.last.Route
	route.Name = o.Name
	return &route
}

// isAlive reports whether the target has answered.
func (o *mtrOutcome) isAlive() bool {
	route := o.route()
	if route.Reached {
		return true
	}
	for _, hop := range route.Hops {
		for _, r := range hop.Responders {
			if r.Status == icmplib.StatusReply {
				return true
			}
		}
	}
	return false
}

// fault returns why there is nothing to see of a target, or nil.
func (o *mtrOutcome) fault() error {
	if o.err == nil && o.unsent != nil {
		return &notSentError{o.unsent}
	}
	return o.err
}

// verdict returns the error that a target stands for. Packets that the system
// did not send make an unreachable target, unless it lacked the permission. What keeps a
// target from being watched at all is told of its first flow only.
func (o *mtrOutcome) verdict() error {
	switch {
	case o.err != nil && o.last == nil && o.Flow > 1:
		return errDead
	case o.err != nil:
		return o.err
	case o.isAlive():
		return nil
	case errors.Is(o.unsent, os.ErrPermission):
		return o.fault()
	}
	return errDead
}

// mtrVerdict returns every fault, and if there is none, whether a target is dead.
func mtrVerdict(outcomes []*mtrOutcome) error {
	return verdictOf(outcomes, (*mtrOutcome).verdict)
}
