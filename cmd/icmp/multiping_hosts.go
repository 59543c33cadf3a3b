package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// A hostReporter writes a host that is completed. What fails there is standard
// output, and there is nobody left to tell.
type hostReporter interface {
	host(h *icmplib.Host, fate hostFate)
}

// textHosts writes lines for people.
type textHosts struct{ out io.Writer }

func (t textHosts) host(h *icmplib.Host, fate hostFate) {
	if fate == hostAlive {
		fmt.Fprintf(t.out, "%s is alive (%s, %s loss%s)\n", nameOf(h), milliseconds(h.AvgRTT()), percent(h.PacketLoss()), tally(&h.Stats))
		return
	}
	fmt.Fprintf(t.out, "%s is unreachable (%s)\n", nameOf(h), reason(h))
}

// reason says why a host is not alive.
func reason(h *icmplib.Host) string {
	if errors.Is(h.Err, socket.ErrBroadcast) {
		return "a broadcast address, which --broadcast allows"
	}
	if h.Err != nil {
		return strings.ReplaceAll(h.Err.Error(), "\n", "; ")
	}
	if h.ICMPErrors == 0 || h.Silent > 0 || h.Late > 0 {
		return "no reply" + tally(&h.Stats)
	}
	others := h.Stats
	others.ICMPErrors = 0
	return fmt.Sprintf("%v%s", h.LastICMPError, tally(&others))
}

// nameHosts writes names alone, for other programs to read.
type nameHosts struct{ out io.Writer }

func (n nameHosts) host(h *icmplib.Host, _ hostFate) { fmt.Fprintln(n.out, h.Name) }

// jsonHosts writes the objects that ping writes.
type jsonHosts struct{ *jsonReporter }

func (j jsonHosts) host(h *icmplib.Host, _ hostFate) { j.summary(h) }

// csvHosts writes the fields of the JSON objects, in their order.
type csvHosts struct{ out *csv.Writer }

// csvHeader names the fields.
var csvHeader = []string{
	"address", "name", "min_rtt_ms", "avg_rtt_ms", "max_rtt_ms", "stddev_rtt_ms", "jitter_ms", "rtts_ms",
	"packets_sent", "packets_received", "packet_loss", "duplicates", "late", "send_errors", "suspect", "is_alive", "error",
}

// newCSVHosts writes the header at once, for it is right with no host, too.
func newCSVHosts(out io.Writer) csvHosts {
	c := csvHosts{csv.NewWriter(out)}
	c.line(csvHeader)
	return c
}

func (c csvHosts) host(h *icmplib.Host, _ hostFate) {
	o := newJSONHost(h)
	rtts := make([]string, len(o.RTTs))
	for i := range o.RTTs {
		rtts[i] = csvNumber(&o.RTTs[i])
	}
	fault := ""
	if o.Error != nil {
		fault = *o.Error
	}
	c.line([]string{
		o.Address, o.Name,
		csvNumber(o.MinRTT), csvNumber(o.AvgRTT), csvNumber(o.MaxRTT), csvNumber(o.StdDev), csvNumber(o.Jitter),
		strings.Join(rtts, " "),
		strconv.Itoa(o.PacketsSent), strconv.Itoa(o.PacketsReceived), csvNumber(&o.PacketLoss),
		strconv.Itoa(o.Duplicates), strconv.Itoa(o.Late), strconv.Itoa(o.SendErrors), strconv.Itoa(o.Suspect),
		strconv.FormatBool(o.IsAlive), fault,
	})
}

// line writes a line at once: somebody may be waiting for it.
func (c csvHosts) line(fields []string) {
	for i := range fields {
		fields[i] = csvCell(fields[i])
	}
	_ = c.out.Write(fields)
	c.out.Flush()
}

// csvNumber writes a number as JSON has it, and nothing for null.
func csvNumber(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
