package main

import (
	"encoding/csv"
	"errors"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// csvTable writes lines of the fields of JSON objects, whose names they have. What
// JSON has as null is empty, and a list stands in one cell, with spaces.
type csvTable struct{ out *csv.Writer }

// newCSVTable writes the header at once, for it is right with no line, too.
func newCSVTable(out io.Writer, header []string) csvTable {
	c := csvTable{csv.NewWriter(out)}
	c.line(header)
	return c
}

// line writes a line at once: somebody may be waiting for it.
func (c csvTable) line(fields []string) {
	shown := make([]string, len(fields))
	for i := range fields {
		shown[i] = csvCell(fields[i])
	}
	_ = c.out.Write(shown)
	c.out.Flush()
}

// csvStatsHeader names the figures that csvStats writes.
var csvStatsHeader = []string{
	"packets_sent", "packets_received", "packet_loss", "silent", "icmp_errors", "late", "unsettled", "duplicates",
	"altered", "advised", "send_errors", "suspect", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "last_rtt_ms",
	"median_rtt_ms", "p95_rtt_ms", "p99_rtt_ms", "stddev_rtt_ms", "jitter_ms", "interarrival_jitter_ms",
	"max_late_rtt_ms", "rtts_ms",
}

func csvStats(s *icmplib.Stats) []string {
	cells := []string{strconv.Itoa(s.PacketsSent), strconv.Itoa(s.PacketsReceived), csvNumber(s.PacketLoss())}
	for _, n := range []int{s.Silent, s.ICMPErrors, s.Late, s.Unsettled, s.Duplicates, s.Altered, s.Advised, s.SendErrors, s.Suspect} {
		cells = append(cells, strconv.Itoa(n))
	}
	rtts := s.RTTs()
	for _, d := range []time.Duration{s.MinRTT(), s.AvgRTT(), s.MaxRTT(), s.LastRTT(), s.Percentile(0.5), s.Percentile(0.95),
		s.Percentile(0.99), s.StdDev(), s.Jitter(), s.InterarrivalJitter()} {
		if s.MaxRTT() == 0 && len(rtts) == 0 {
			cells = append(cells, "")
			continue
		}
		cells = append(cells, csvMilliseconds(d))
	}
	late := ""
	if s.MaxLateRTT() > 0 {
		late = csvMilliseconds(s.MaxLateRTT())
	}
	times := make([]string, len(rtts))
	for i, rtt := range rtts {
		times[i] = csvMilliseconds(rtt)
	}
	return append(cells, late, strings.Join(times, " "))
}

// csvHostHeader names the fields of a Host. Those that begin with last_icmp_error
// are those of that object.
var csvHostHeader = append(append([]string{"name", "address", "is_alive", "error"}, csvStatsHeader...),
	"last_icmp_error_responder", "last_icmp_error_type", "last_icmp_error_code", "last_icmp_error_mtu")

// csvHosts writes a line per host.
type csvHosts struct{ csvTable }

func newCSVHosts(out io.Writer) csvHosts { return csvHosts{newCSVTable(out, csvHostHeader)} }

func (c csvHosts) host(h *icmplib.Host, _ hostFate) {
	fault := ""
	if h.Err != nil {
		fault = h.Err.Error()
	}
	cells := append([]string{h.Name, addressText(h.Address), strconv.FormatBool(h.IsAlive()), fault}, csvStats(&h.Stats)...)
	last := []string{"", "", "", ""}
	if message, ok := errors.AsType[*icmp.Error](h.LastICMPError); ok {
		r := message.Reply
		last = []string{addressText(r.Source), strconv.Itoa(int(r.Type.Number())), strconv.Itoa(int(r.Code)), csvUnlessZero(r.MTU)}
	}
	c.line(append(cells, last...))
}

// csvHopHeader names the fields of a hop, one line for each who answers there:
// responder to interfaces are of that one, and the rest is of the hop, whoever the
// line is about.
var csvHopHeader = append([]string{
	"name", "address", "reached", "end", "error", "round", "distance", "responder", "asn", "status", "type", "code", "answers",
	"reply_ttl", "rtt_source", "local", "mpls", "interfaces", "mtu", "return_distance", "rewritten",
}, csvStatsHeader...)

// csvHops writes a line per hop and responder, and one for a silent hop.
type csvHops struct {
	csvTable
	numbers *nameCache // of autonomous systems; nil: none
}

func newCSVHops(out io.Writer, numbers *nameCache) csvHops {
	return csvHops{newCSVTable(out, csvHopHeader), numbers}
}

// route writes the hops of a route: round is how often they were probed, 0 if the
// route was traced once. A route without hops has a line that says why.
func (c csvHops) route(r *icmplib.Route, round int, err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	of := []string{r.Name, addressText(r.Address), strconv.FormatBool(r.Reached), r.End.String(), fault, csvUnlessZero(round)}
	if len(r.Hops) == 0 {
		c.line(append(of, make([]string, len(csvHopHeader)-len(of))...))
	}
	eachResponder(r, c.numbers.askIfAny)
	for i := range r.Hops {
		h := &r.Hops[i]
		if len(h.Responders) == 0 {
			c.responder(of, h, &icmplib.Responder{Status: h.Status})
		}
		for j := range h.Responders {
			c.responder(of, h, &h.Responders[j])
		}
	}
}

func (c csvHops) responder(of []string, h *icmplib.Hop, by *icmplib.Responder) {
	typ, code, source, number := "", "", "", ""
	if c.numbers != nil && by.Address.IsValid() {
		number = c.numbers.await(by.Address)
	}
	if by.RTTSource != icmplib.RTTNone {
		source = by.RTTSource.String()
	}
	if by.Type != 0 {
		typ, code = strconv.Itoa(int(by.Type.Number())), strconv.Itoa(int(by.Code))
	}
	labels := make([]string, len(by.MPLS))
	for i, l := range by.MPLS {
		labels[i] = l.String()
	}
	cells := append(append([]string{}, of...),
		strconv.Itoa(h.Distance), addressText(by.Address), number, by.Status.String(), typ, code, strconv.Itoa(by.PacketsReceived),
		csvUnlessZero(by.ReplyTTL), source, strconv.FormatBool(by.Local), strings.Join(labels, " "), strings.TrimSpace(interfaceNames(by.Interfaces)), csvUnlessZero(h.MTU),
		csvUnlessZero(h.ReturnDistance), strings.Join(h.Rewritten.Words(), " "))
	c.line(append(cells, csvStats(&h.Stats)...))
}

// csvNumber writes a number as JSON has it.
func csvNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func csvMilliseconds(d time.Duration) string {
	return csvNumber(float64(d) / float64(time.Millisecond))
}

func csvUnlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// csvCell keeps a spreadsheet from taking text for a formula. Numbers are none.
func csvCell(text string) string {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// csvRoute writes the hops of a route when it is complete.
type csvRoute struct{ csvHops }

func (c csvRoute) start(*icmplib.Route)             {}
func (c csvRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (c csvRoute) end(r *icmplib.Route, err error)  { c.route(r, 0, err) }
