package main

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// csvRoute writes a line per hop and responder, and one for a silent hop.
type csvRoute struct{ csvHosts }

// csvRouteHeader names the fields. Those from packets_sent to jitter_ms are the
// hop's, whoever of its responders the line is about; the others are the
// responder's.
var csvRouteHeader = []string{
	"target", "name", "distance", "address", "status", "type", "code", "answers",
	"packets_sent", "packets_received", "packet_loss", "send_errors", "suspect", "rtts_ms", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "jitter_ms",
	"mpls", "mtu", "rewritten",
}

// newCSVRoute writes the header at once, for it is right with no hop, too.
func newCSVRoute(out io.Writer) csvRoute {
	c := csvRoute{csvHosts{csv.NewWriter(out)}}
	c.line(csvRouteHeader)
	return c
}

func (c csvRoute) start(*icmplib.Route)      {}
func (c csvRoute) end(*icmplib.Route, error) {}

func (c csvRoute) hop(r *icmplib.Route, h *icmplib.Hop) {
	if h.IsSilent() {
		c.responder(r, h, &icmplib.Responder{Status: h.Status})
	}
	for i := range h.Responders {
		c.responder(r, h, &h.Responders[i])
	}
}

func (c csvRoute) responder(r *icmplib.Route, h *icmplib.Hop, by *icmplib.Responder) {
	o := newJSONHop(h)
	rtts := make([]string, len(o.RTTs))
	for i := range o.RTTs {
		rtts[i] = csvNumber(&o.RTTs[i])
	}
	typ, code, mtu := csvMessage(h, by)
	c.line([]string{
		addressText(r.Address), r.Name, strconv.Itoa(h.Distance),
		addressText(by.Address), by.Status.String(), typ, code, strconv.Itoa(by.PacketsReceived),
		strconv.Itoa(o.PacketsSent), strconv.Itoa(o.PacketsReceived), csvNumber(&o.PacketLoss),
		strconv.Itoa(o.SendErrors), strconv.Itoa(o.Suspect), strings.Join(rtts, " "), csvNumber(o.MinRTT), csvNumber(o.AvgRTT), csvNumber(o.MaxRTT), csvNumber(o.Jitter),
		csvLabels(by.MPLS), mtu, strings.Join(h.Rewritten.Words(), " "),
	})
}

// csvMessage writes the type and the code of what a responder said, and the MTU
// that was told at the hop. What there is not is empty.
func csvMessage(h *icmplib.Hop, by *icmplib.Responder) (typ, code, mtu string) {
	if by.Address.IsValid() {
		typ, code = strconv.Itoa(int(by.Type)), strconv.Itoa(int(by.Code))
	}
	if h.MTU > 0 {
		mtu = strconv.Itoa(h.MTU)
	}
	return typ, code, mtu
}

// csvLabels writes a label stack as in L=16001,E=0,S=1,T=1, with spaces between
// its labels.
func csvLabels(labels []icmp.MPLSLabel) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = l.String()
	}
	return strings.Join(parts, " ")
}
