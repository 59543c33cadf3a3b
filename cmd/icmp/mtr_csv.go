package main

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib"
)

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
