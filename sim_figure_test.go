package icmplib

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib/icmp"
)

// figure names a figure of a host, as a scenario wants it.
func figure(h *Host, results []Result, name string) string {
	switch name {
	case "sent":
		return strconv.Itoa(h.PacketsSent)
	case "received":
		return strconv.Itoa(h.PacketsReceived)
	case "silent":
		return strconv.Itoa(h.Silent)
	case "errors":
		return strconv.Itoa(h.ICMPErrors)
	case "late":
		return strconv.Itoa(h.Late)
	case "duplicates":
		return strconv.Itoa(h.Duplicates)
	case "altered":
		return strconv.Itoa(h.Altered)
	case "advised":
		return strconv.Itoa(h.Advised)
	case "suspect":
		return strconv.Itoa(h.Suspect)
	case "loss":
		return strconv.FormatFloat(h.PacketLoss(), 'f', 2, 64)
	case "min":
		return h.MinRTT().String()
	case "avg":
		return h.AvgRTT().String()
	case "max":
		return h.MaxRTT().String()
	case "last":
		return h.LastRTT().String()
	case "jitter":
		return h.Jitter().String()
	case "stddev":
		return h.StdDev().String()
	case "late-rtt":
		return h.MaxLateRTT().String()
	case "rtts":
		return join(h.RTTs())
	}
	return lastFigure(results, name)
}

// lastFigure names a figure of the results: of each in the order of their
// coming, or of the last one.
func lastFigure(results []Result, name string) string {
	if len(results) == 0 {
		return ""
	}
	last := results[len(results)-1]
	switch name {
	case "statuses":
		statuses := make([]Status, len(results))
		for i, r := range results {
			statuses[i] = r.Status
		}
		return join(statuses)
	case "unproven":
		n := 0
		for _, r := range results {
			if r.Unproven {
				n++
			}
		}
		return strconv.Itoa(n)
	case "seqs":
		seqs := make([]int, len(results))
		for i, r := range results {
			seqs[i] = r.Seq
		}
		return join(seqs)
	case "responder":
		return last.Responder.String()
	case "reply-ttl":
		return strconv.Itoa(last.ReplyTTL)
	case "reply-class":
		return strconv.Itoa(int(last.ReplyTrafficClass))
	case "size":
		return strconv.Itoa(last.Size)
	case "mtu":
		return strconv.Itoa(last.MTU)
	case "code":
		return fmt.Sprintf("%d/%d", last.Type.Number(), last.Code)
	case "mpls":
		return labels(last.MPLS)
	}
	return "no figure of this name"
}

func labels(stack []icmp.MPLSLabel) string {
	return strings.ReplaceAll(join(stack), ",E=", "/E=")
}

// join writes values with commas between them.
func join[T any](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ",")
}
