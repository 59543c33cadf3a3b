package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// csvTable writes lines of the fields of JSON objects, whose names they have. What
// JSON has as null is empty, and a list stands in one cell, with spaces.
type csvTable struct{ out *csv.Writer }

// newCSVTable writes the header at once, because it is also right with no line.
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
	"altered", "advised", "send_errors", "suspect", "new_ids", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "last_rtt_ms",
	"median_rtt_ms", "p95_rtt_ms", "p99_rtt_ms", "stddev_rtt_ms", "jitter_ms", "interarrival_jitter_ms",
	"max_late_rtt_ms", "rtts_ms",
}

func csvStats(s *icmplib.Stats) []string {
	cells := []string{strconv.Itoa(s.PacketsSent), strconv.Itoa(s.PacketsReceived), csvNumber(s.PacketLoss())}
	for _, n := range []int{s.Silent, s.ICMPErrors, s.Late, s.Unsettled, s.Duplicates, s.Altered, s.Advised, s.SendErrors, s.Suspect, s.NewIDs} {
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

// newCSVHosts returns what writes the fields of hosts, and those that the tool adds, by
// their names.
func newCSVHosts(out io.Writer, more ...string) csvHosts {
	return csvHosts{newCSVTable(out, append(slices.Clone(csvHostHeader), more...))}
}

func (c csvHosts) host(h *icmplib.Host, _ hostFate) { c.line(csvHost(h)) }

func csvHost(h *icmplib.Host) []string {
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
	return append(cells, last...)
}

// csvResultHeader names the fields of a Result. Those that begin with extended_echo or
// timestamp are those of that object.
var csvResultHeader = []string{
	"name", "dst", "seq", "status", "responder", "rtt_ms", "rtt_source", "sent", "ttl", "reply_ttl", "reply_traffic_class", "size",
	"type", "code", "mtu", "mpls", "interfaces", "extended_echo_state", "extended_echo_active", "extended_echo_ipv4", "extended_echo_ipv6",
	"timestamp_originate", "timestamp_receive", "timestamp_transmit", "clock_offset_ms", "late", "duplicate", "advises", "corrects",
	"altered", "unproven", "local", "suspect", "new_id", "retransmitted", "error", "protocol",
}

// csvResults writes a line per result. Several goroutines may do so.
type csvResults struct {
	csvTable
	protocol icmplib.Protocol
	mu       sync.Mutex
}

func newCSVResults(out io.Writer, protocol icmplib.Protocol) *csvResults {
	return &csvResults{csvTable: newCSVTable(out, csvResultHeader), protocol: protocol}
}

func (c *csvResults) result(name string, r icmplib.Result) {
	source, sent, typ, fault := "", "", "", ""
	if r.RTTSource != icmplib.RTTNone {
		source = r.RTTSource.String()
	}
	if !r.Sent.IsZero() {
		sent = r.Sent.Format(time.RFC3339Nano)
	}
	if r.Type != 0 {
		typ = strconv.Itoa(int(r.Type.Number()))
	}
	if r.Cause != nil {
		fault = r.Cause.Error()
	}
	rtt := ""
	if r.RTT > 0 {
		rtt = csvMilliseconds(r.RTT)
	}
	cells := []string{
		name, addressText(r.Dst), strconv.Itoa(r.Seq), r.Status.String(), addressText(r.Responder), rtt, source, sent,
		strconv.Itoa(r.TTL), csvUnlessZero(r.ReplyTTL), csvUnlessZero(int(r.ReplyTrafficClass)), csvUnlessZero(r.Size), typ, strconv.Itoa(int(r.Code)),
		csvUnlessZero(r.MTU), csvLabels(r.MPLS), strings.TrimSpace(interfaceNames(r.Interfaces)),
	}
	cells = append(cells, csvQuery(&r)...)
	for _, is := range []bool{r.Late, r.Duplicate, r.Advises, r.Corrects, r.Altered, r.Unproven, r.Local, r.Suspect, r.NewID, r.Retransmitted} {
		cells = append(cells, strconv.FormatBool(is))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line(append(cells, fault, c.protocol.String()))
}

// csvQuery writes what an extended echo or a timestamp request was answered with.
func csvQuery(r *icmplib.Result) []string {
	cells := make([]string, 8)
	if e := r.ExtendedEcho; e != nil {
		copy(cells, []string{e.State.String(), strconv.FormatBool(e.Active), strconv.FormatBool(e.IPv4), strconv.FormatBool(e.IPv6)})
	}
	if s := r.Timestamp; s != nil {
		for i, at := range []uint32{s.Originate, s.Receive, s.Transmit} {
			cells[4+i] = strconv.FormatUint(uint64(at), 10)
		}
	}
	if offset, known := r.ClockOffset(); known {
		cells[7] = csvMilliseconds(offset)
	}
	return cells
}

func csvLabels(stack []icmp.MPLSLabel) string {
	labels := make([]string, len(stack))
	for i, l := range stack {
		labels[i] = l.String()
	}
	return strings.Join(labels, " ")
}

// csvPing writes what ping prints: a line per host at the end, or one per result.
type csvPing struct {
	hosts   csvHosts
	results *csvResults // nil: the hosts
}

func newCSVPing(out io.Writer, replies bool) csvPing {
	if replies {
		return csvPing{results: newCSVResults(out, icmplib.ICMP)}
	}
	return csvPing{hosts: newCSVHosts(out)}
}

func (c csvPing) start(*icmplib.Host) {}
func (c csvPing) end(*icmplib.Host)   {}

func (c csvPing) result(h *icmplib.Host, r icmplib.Result) {
	if c.results != nil {
		c.results.result(h.Name, r)
	}
}

func (c csvPing) summaries(hosts []*icmplib.Host) {
	if c.results != nil {
		return
	}
	for _, h := range hosts {
		c.hosts.host(h, hostOpen)
	}
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
	cells := append(append([]string{}, of...),
		strconv.Itoa(h.Distance), addressText(by.Address), number, by.Status.String(), typ, code, strconv.Itoa(by.PacketsReceived),
		csvUnlessZero(by.ReplyTTL), source, strconv.FormatBool(by.Local), csvLabels(by.MPLS), strings.TrimSpace(interfaceNames(by.Interfaces)), csvUnlessZero(h.MTU),
		csvUnlessZero(h.ReturnDistance), strings.Join(h.Rewritten.Words(), " "))
	c.line(append(cells, csvStats(&h.Stats)...))
}

// cell writes the field as a cell has it.
func (f jsonField) cell() string {
	switch x := f.value.(type) {
	case nil:
		return ""
	case float64:
		return csvNumber(x)
	}
	return fmt.Sprint(f.value)
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
