package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
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

// csvMTR writes a line per hop and responder, and one for a silent hop.
type csvMTR struct{ csvHosts }

// csvMTRHeader names the fields. Those from packets_sent to jitter_ms are the
// hop's, whoever of its responders the line is about; address to answers, and
// mpls, are the responder's.
var csvMTRHeader = []string{
	"target", "name", "rounds", "distance", "address", "status", "type", "code", "answers",
	"packets_sent", "packets_received", "packet_loss", "silent", "late", "duplicates", "send_errors", "suspect",
	"last_rtt_ms", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "median_rtt_ms", "p95_rtt_ms", "stddev_rtt_ms", "jitter_ms",
	"mpls", "mtu", "rewritten",
}

// newCSVMTR writes the header at once, for it is right with no hop, too.
func newCSVMTR(out io.Writer) csvMTR {
	c := csvMTR{csvHosts{csv.NewWriter(out)}}
	c.line(csvMTRHeader)
	return c
}

func (c csvMTR) outcomes(all []*mtrOutcome) {
	for _, o := range all {
		for _, h := range o.route().Hops {
			if h.IsSilent() {
				c.responder(o, &h, &icmplib.Responder{Status: h.Status})
			}
			for i := range h.Responders {
				c.responder(o, &h, &h.Responders[i])
			}
		}
	}
}

func (c csvMTR) responder(o *mtrOutcome, h *icmplib.Hop, by *icmplib.Responder) {
	j := newJSONMonitoredHop(h)
	typ, code, mtu := csvMessage(h, by)
	c.line([]string{
		addressText(o.route().Address), o.name, strconv.Itoa(o.rounds()), strconv.Itoa(h.Distance),
		addressText(by.Address), by.Status.String(), typ, code, strconv.Itoa(by.PacketsReceived),
		strconv.Itoa(h.PacketsSent), strconv.Itoa(h.PacketsReceived), csvNumber(&j.PacketLoss),
		strconv.Itoa(h.Silent), strconv.Itoa(h.Late), strconv.Itoa(h.Duplicates), strconv.Itoa(h.SendErrors), strconv.Itoa(h.Suspect),
		csvNumber(j.LastRTT), csvNumber(j.MinRTT), csvNumber(j.AvgRTT), csvNumber(j.MaxRTT),
		csvNumber(j.MedianRTT), csvNumber(j.P95RTT), csvNumber(j.StdDev), csvNumber(j.Jitter),
		csvLabels(by.MPLS), mtu, strings.Join(h.Rewritten.Words(), " "),
	})
}

// jsonMTR writes one object per target.
type jsonMTR struct{ *jsonReporter }

// jsonMonitored is the object of a target.
type jsonMonitored struct {
	Target  string             `json:"target"`
	Name    string             `json:"name"`
	Reached bool               `json:"reached"`
	End     string             `json:"end"`
	Rounds  int                `json:"rounds"`
	Hops    []jsonMonitoredHop `json:"hops"`
	Events  []jsonEvent        `json:"events"`
	Error   *string            `json:"error"`
}

// jsonMonitoredHop is that of traceroute, with the figures of many rounds.
type jsonMonitoredHop struct {
	jsonHop
	Silent             int             `json:"silent"`
	Late               int             `json:"late"`
	Duplicates         int             `json:"duplicates"`
	LastRTT            *float64        `json:"last_rtt_ms"`
	MedianRTT          *float64        `json:"median_rtt_ms"`
	P95RTT             *float64        `json:"p95_rtt_ms"`
	StdDev             *float64        `json:"stddev_rtt_ms"`
	InterarrivalJitter *float64        `json:"interarrival_jitter_ms"`
	Responders         []jsonResponder `json:"responders"`
}

// jsonResponder is one of those who answer at a hop.
type jsonResponder struct {
	Address string      `json:"address"`
	Status  string      `json:"status"`
	Answers int         `json:"answers"`
	MPLS    []jsonLabel `json:"mpls"`
}

// jsonEvent is the object of an event. What its kind does not have is null.
type jsonEvent struct {
	Kind     string   `json:"kind"`
	Time     string   `json:"time"`
	Round    int      `json:"round"`
	Distance *int     `json:"distance"`
	From     *string  `json:"from"`
	To       *string  `json:"to"`
	Duration *float64 `json:"duration_ms"`
}

func (j jsonMTR) outcomes(all []*mtrOutcome) {
	for _, o := range all {
		j.write(newJSONMonitored(o))
	}
}

func newJSONMonitored(o *mtrOutcome) jsonMonitored {
	route := o.route()
	trace := newJSONTrace(route, o.fault())
	j := jsonMonitored{
		Target: trace.Target, Name: trace.Name, Reached: trace.Reached, End: trace.End, Error: trace.Error,
		Rounds: o.rounds(), Hops: []jsonMonitoredHop{}, Events: []jsonEvent{},
	}
	for i := range route.Hops {
		j.Hops = append(j.Hops, newJSONMonitoredHop(&route.Hops[i]))
	}
	for _, e := range o.events {
		j.Events = append(j.Events, newJSONEvent(e))
	}
	return j
}

func newJSONMonitoredHop(h *icmplib.Hop) jsonMonitoredHop {
	o := jsonMonitoredHop{
		jsonHop: newJSONHop(h),
		Silent:  h.Silent, Late: h.Late, Duplicates: h.Duplicates,
		Responders: []jsonResponder{},
	}
	if h.PacketsReceived > 0 {
		o.LastRTT, o.StdDev = inMilliseconds(h.LastRTT()), inMilliseconds(h.StdDev())
		o.MedianRTT, o.P95RTT = inMilliseconds(h.Percentile(0.5)), inMilliseconds(h.Percentile(0.95))
		o.InterarrivalJitter = inMilliseconds(h.InterarrivalJitter())
	}
	for i := range h.Responders {
		r := &h.Responders[i]
		o.Responders = append(o.Responders, jsonResponder{
			addressText(r.Address), r.Status.String(), r.PacketsReceived, newJSONLabels(r.MPLS),
		})
	}
	return o
}

func newJSONEvent(e icmplib.Event) jsonEvent {
	o := jsonEvent{Kind: e.Kind.String(), Time: e.Time.UTC().Format(time.RFC3339Nano), Round: e.Round}
	switch e.Kind {
	case icmplib.EventRouteChange:
		from, to := addressText(e.From), addressText(e.To)
		o.Distance, o.From, o.To = &e.Distance, &from, &to
	case icmplib.EventRecovery:
		o.Duration = inMilliseconds(e.Duration)
	}
	return o
}

// mtrOutcome is what is known of a target when its watching has ended.
type mtrOutcome struct {
	name   string
	began  time.Time         // when the first probe was sent
	last   *icmplib.Snapshot // nil if there was none
	events []icmplib.Event
	err    error
	unsent error // why the system has sent nothing of late; nil: it has
}

// maxMTREvents bounds what is kept of a target that is watched for very long.
const maxMTREvents = 10_000

// collect watches all targets at once, until their rounds are over or ctx ends:
// what there is by then is the outcome.
func collect(ctx context.Context, watch live.Watch, targets []string, opts *icmplib.MonitorOptions) []*mtrOutcome {
	outcomes := make([]*mtrOutcome, len(targets))
	var all sync.WaitGroup
	for i, target := range targets {
		o := &mtrOutcome{name: target}
		outcomes[i] = o
		all.Go(func() {
			for snapshot, err := range watch(ctx, target, opts) {
				switch {
				case err != nil && ctx.Err() != nil:
					return
				case err != nil:
					o.err = err
					return
				}
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
		})
	}
	all.Wait()
	return outcomes
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
		return &icmplib.Route{Name: o.name}
	}
	route := o.last.Route
	route.Name = o.name
	return &route
}

// isAlive tells whether the target has answered.
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
// did not send make an unreachable target, unless it lacked the permission.
func (o *mtrOutcome) verdict() error {
	switch {
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
