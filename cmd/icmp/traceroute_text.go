package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// textRoute writes what people read, in the manner of traceroute. Lines wait
// for names in a goroutine of their own, for they must not keep the trace
// waiting.
type textRoute struct {
	out   io.Writer
	opts  *icmplib.TracerouteOptions
	size  int
	names *nameCache // nil: numbers only
	nat   bool       // say at the end what was rewritten where

	hops chan *icmplib.Hop // to be printed; nil before the start
	done chan struct{}     // closed when all are
}

// manyRTTs is when a line has the figures of the round-trip times, and not all
// of them.
const manyRTTs = 6

// indent is the width of the distance.
const indent = "    "

func (t *textRoute) start(r *icmplib.Route) {
	what := t.opts.Packet.Protocol.String()
	if p := t.opts.Packet.Protocol; p == icmplib.ICMP || p == icmplib.UDP {
		what += fmt.Sprintf(", %d data bytes", t.size)
	}
	if t.opts.Packet.Port != 0 {
		what += fmt.Sprintf(", port %d", t.opts.Packet.Port)
	}
	fmt.Fprintf(t.out, "traceroute to %s, %d hops max, %s\n", routeName(r), t.opts.MaxHops, what)
	t.hops, t.done = make(chan *icmplib.Hop, maxDistance), make(chan struct{})
	go func() {
		defer close(t.done)
		for h := range t.hops {
			fmt.Fprint(t.out, t.lines(r, h))
		}
	}()
}

// hop has the names of a hop looked up, and its lines printed. There are never
// more hops than have room.
func (t *textRoute) hop(_ *icmplib.Route, h *icmplib.Hop) {
	if t.names != nil {
		for i := range h.Responders {
			t.names.ask(h.Responders[i].Address)
		}
	}
	t.hops <- h
}

func (t *textRoute) end(r *icmplib.Route, err error) {
	if t.hops == nil {
		return // nothing was tried; the error is printed by itself
	}
	close(t.hops)
	<-t.done
	if err != nil {
		fmt.Fprintln(t.out, err)
		return
	}
	t.writeGraph(r)
	fmt.Fprintln(t.out, describeEnd(r))
	if t.nat {
		fmt.Fprint(t.out, describeRewrites(r))
	}
}

// lines describes a hop: one line, and one more for each further responder.
func (t *textRoute) lines(r *icmplib.Route, h *icmplib.Hop) string {
	if h.IsSilent() {
		return fmt.Sprintf("%3d *%s\n", h.Distance, strings.Replace(tally(&h.Stats), ",", " ", 1))
	}
	var b strings.Builder
	for i := range h.Responders {
		answers := &h.Responders[i]
		if i == 0 {
			fmt.Fprintf(&b, "%3d %s%s", h.Distance, t.display(r, answers.Address), figures(h))
		} else {
			b.WriteString(indent + t.display(r, answers.Address))
		}
		if mark := responderMark(answers, h.MTU); mark != "" {
			b.WriteString("  " + mark)
		}
		if len(h.Responders) > 1 {
			fmt.Fprintf(&b, "  (%d of %d)", answers.PacketsReceived, h.PacketsSent)
		}
		b.WriteString(labelStack(answers.MPLS))
		if i == 0 {
			b.WriteString(rewrittenMark(h.Rewritten))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// figures writes the measures of a hop.
func figures(h *icmplib.Hop) string {
	var b strings.Builder
	switch rtts := h.RTTs(); {
	case h.PacketsReceived >= manyRTTs:
		fmt.Fprintf(&b, "  min/avg/max %s ms", joined(h.MinRTT(), h.AvgRTT(), h.MaxRTT()))
	default:
		for _, rtt := range rtts {
			b.WriteString("  " + milliseconds(rtt))
		}
	}
	if h.PacketsReceived > 1 {
		b.WriteString(", jitter " + milliseconds(h.Jitter()))
	}
	if loss := h.PacketLoss(); loss > 0 {
		b.WriteString(", " + percent(loss) + " loss")
	}
	return b.String() + tally(&h.Stats)
}

func labelStack(labels []icmp.MPLSLabel) string {
	if len(labels) == 0 {
		return ""
	}
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = fmt.Sprintf("%d tc=%d ttl=%d", l.Label, l.TrafficClass, l.TTL)
	}
	return "  [MPLS " + strings.Join(parts, ", ") + "]"
}

// display returns an address with its name. The target goes by the name that it
// was given.
func (t *textRoute) display(r *icmplib.Route, addr netip.Addr) string {
	name := ""
	switch {
	case t.names == nil:
	case !isAddress(r.Name) && addr.WithZone("") == r.Address.WithZone(""):
		name = r.Name
	default:
		name = t.names.await(addr)
	}
	if name == "" {
		return addr.String()
	}
	return fmt.Sprintf("%s (%s)", name, addr)
}
