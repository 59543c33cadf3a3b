package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// textRoute writes what people read, in the manner of traceroute. Lines wait
// for names in a goroutine of their own, because they must not keep the trace
// waiting.
type textRoute struct {
	out   io.Writer
	opts  *icmplib.TracerouteOptions
	size  int
	names *nameCache // nil: numbers only
	nat   bool       // say at the end what was rewritten where

	numbers *nameCache // of autonomous systems; nil: none

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
	if pk := &t.opts.Packet; pk.Service != icmplib.NoService {
		what += ", " + pk.Service.String()
	} else if pk.Protocol == icmplib.ICMP || pk.Protocol == icmplib.UDP {
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
	for i := range h.Responders {
		t.numbers.askIfAny(h.Responders[i].Address)
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
		if answers.RTTSource == icmplib.RTTNoticed {
			b.WriteString("  (timed when noticed)")
		}
		b.WriteString(labelStack(answers.MPLS) + interfaceNames(answers.Interfaces))
		if i == 0 {
			b.WriteString(rewrittenMark(h.Rewritten) + returnMark(h))
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

// interfaceNames is what a router tells of its interfaces (RFC 5837).
func interfaceNames(all []icmp.InterfaceInfo) string {
	var b strings.Builder
	for i := range all {
		b.WriteString("  [" + all[i].Role.String())
		if all[i].Name != "" {
			b.WriteString(" " + printable(all[i].Name))
		}
		if all[i].Index != 0 {
			fmt.Fprintf(&b, " index=%d", all[i].Index)
		}
		if all[i].Address.IsValid() {
			b.WriteString(" " + all[i].Address.String())
		}
		if all[i].MTU != 0 {
			fmt.Fprintf(&b, " mtu=%d", all[i].MTU)
		}
		b.WriteString("]")
	}
	return b.String()
}

// display returns an address with its name. The target goes by the name that it
// was given.
func (t *textRoute) display(r *icmplib.Route, addr netip.Addr) string {
	if t.numbers == nil {
		return t.named(r, addr)
	}
	return t.named(r, addr) + asnMark(t.numbers.await(addr))
}

func (t *textRoute) named(r *icmplib.Route, addr netip.Addr) string {
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

// refuser returns the farthest hop where somebody refuses to forward the packet, or
// the port, and who that is: the last hop, save where several flows end at different ones.
func refuser(r *icmplib.Route) (*icmplib.Hop, *icmplib.Responder) {
	for _, h := range slices.Backward(r.Hops) {
		for i := range h.Responders {
			if by := &h.Responders[i]; by.Status != icmplib.StatusReply && by.Status != icmplib.StatusTTLExpired {
				return &h, by
			}
		}
	}
	return nil, nil
}

// describeEnd says in a sentence how a trace ended that took place. It begins
// with the word of the end, where that has one.
func describeEnd(r *icmplib.Route) string {
	if len(r.Hops) == 0 || r.End == icmplib.EndUnknown {
		return "interrupted: the route to " + routeName(r) + " is incomplete"
	}
	last := &r.Hops[len(r.Hops)-1]
	switch r.End {
	case icmplib.EndReached:
		return fmt.Sprintf("reached: %s answers at distance %d", routeName(r), last.Distance)
	case icmplib.EndUnreachable:
		if h, by := refuser(r); by != nil {
			says := describe(icmplib.Result{Dst: by.Address, Type: by.Type, Code: by.Code, MTU: h.MTU})
			if by.Local {
				return fmt.Sprintf("unreachable: this host itself (%s) reports %s: no probe was sent", by.Address, says)
			}
			return fmt.Sprintf("unreachable: %s at distance %d reports %s", by.Address, h.Distance, says)
		}
		return fmt.Sprintf("unreachable: the path to %s ends at distance %d", routeName(r), last.Distance)
	case icmplib.EndRefused:
		if h, by := refuser(r); by != nil {
			return fmt.Sprintf("refused: %s at distance %d reports a closed port: %s under another address, or a firewall", by.Address, h.Distance, routeName(r))
		}
		return fmt.Sprintf("refused: the path to %s ends at distance %d", routeName(r), last.Distance)
	case icmplib.EndLoop:
		return fmt.Sprintf("loop: routers forward the packet in a circle, up to distance %d", last.Distance)
	case icmplib.EndGap:
		return fmt.Sprintf("gap: no more answers, up to distance %d", last.Distance)
	}
	return fmt.Sprintf("max-hops: %s is farther than %d hops, or silent", routeName(r), last.Distance)
}

// routeName returns the target as it was given, and its address if that says
// more.
func routeName(r *icmplib.Route) string {
	return nameOf(&icmplib.Host{Name: r.Name, Address: r.Address})
}

// Marks of destination unreachable by code, as traceroute has them.
var (
	unreachableMarks4 = [...]string{
		icmp.V4CodeNetUnreachable:             "!N",
		icmp.V4CodeHostUnreachable:            "!H",
		icmp.V4CodeProtocolUnreachable:        "!P",
		icmp.V4CodePortUnreachable:            "!<3>",
		icmp.V4CodeFragmentationNeeded:        "!F",
		icmp.V4CodeSourceRouteFailed:          "!S",
		icmp.V4CodeNetUnknown:                 "!N",
		icmp.V4CodeHostUnknown:                "!H",
		icmp.V4CodeSourceHostIsolated:         "!N",
		icmp.V4CodeNetProhibited:              "!X",
		icmp.V4CodeHostProhibited:             "!X",
		icmp.V4CodeNetUnreachableForTOS:       "!N",
		icmp.V4CodeHostUnreachableForTOS:      "!H",
		icmp.V4CodeAdministrativelyProhibited: "!X",
		icmp.V4CodeHostPrecedenceViolation:    "!V",
		icmp.V4CodePrecedenceCutoffInEffect:   "!C",
	}
	unreachableMarks6 = [...]string{
		icmp.V6CodeNoRoute:                    "!N",
		icmp.V6CodeAdministrativelyProhibited: "!X",
		icmp.V6CodeBeyondScopeOfSource:        "!H",
		icmp.V6CodeAddressUnreachable:         "!H",
		icmp.V6CodePortUnreachable:            "!<4>",
		icmp.V6CodeSourcePolicyFailed:         "!X",
		icmp.V6CodeRejectRoute:                "!X",
		icmp.V6CodeSourceRoutingHeader:        "!S",
	}
)

// responderMark returns the mark of somebody who refused to forward a probe,
// and "" for the target and for a router that forwards. The MTU is the hop's.
func responderMark(r *icmplib.Responder, mtu int) string {
	if r.Status == icmplib.StatusReply {
		return ""
	}
	switch {
	case r.Status == icmplib.StatusTTLExpired && r.Code == icmp.V4CodeTTLExceeded:
		return ""
	case r.Status == icmplib.StatusPacketTooBig && mtu > 0:
		return fmt.Sprintf("!F-%d", mtu)
	case r.Status == icmplib.StatusPacketTooBig:
		return "!F"
	case r.Type == icmp.V4DestinationUnreachable:
		return markOf(unreachableMarks4[:], r.Code)
	case r.Type == icmp.V6DestinationUnreachable:
		return markOf(unreachableMarks6[:], r.Code)
	case r.Type == icmp.V6ParameterProblem && r.Code == icmp.V6CodeUnrecognizedNextHeader:
		return "!P"
	}
	return fmt.Sprintf("!<%d-%d>", r.Type.Number(), r.Code)
}

func markOf(marks []string, code uint8) string {
	if int(code) < len(marks) {
		return marks[code]
	}
	return fmt.Sprintf("!<%d>", code)
}

// errCannotLook is why --nat knows nothing.
var errCannotLook = fmt.Errorf("--nat could not look for rewritten header fields: only raw sockets see the quoted headers;"+
	" run it as root or with CAP_NET_RAW, and without --mode: %w", os.ErrPermission)

// lookRaw has raw sockets used where they can be had and the user left it open:
// only they show header fields.
func (f *tracerouteFlags) lookRaw(opts *icmplib.TracerouteOptions, cfg *icmplib.Config) {
	f.natRaw = cfg.Mode == socket.Raw
	if !f.nat || cfg.Mode != socket.Auto {
		return
	}
	p, err := icmplib.NewProber(cfg)
	if err != nil {
		return // whoever makes the next one says so
	}
	defer p.Close()
	for _, c := range p.Capabilities().Sockets {
		if c.Protocol == opts.Packet.Protocol && c.Mode == socket.Raw && c.Err == nil &&
			(opts.Family == icmplib.AnyFamily || c.Family == opts.Family) {
			cfg.Mode, f.natRaw = socket.Raw, true
		}
	}
}

// looked returns what kept --nat from looking, nil if nothing did.
func (f *tracerouteFlags) looked(r *icmplib.Route) error {
	if f.nat && !f.natRaw && len(r.Hops) > 0 && !r.SeesRewrites() {
		return errCannotLook
	}
	return nil
}

// isNAT reports whether such fields are what address translators rewrite.
func isNAT(fields icmplib.Rewrite) bool { return fields&icmplib.RewriteTranslation != 0 }

// returnMark tells from how far away answers come, where that is not as far as the
// probes went.
func returnMark(h *icmplib.Hop) string {
	forwards := h.Status == icmplib.StatusTTLExpired || h.Status == icmplib.StatusReply
	if h.ReturnDistance == 0 || h.ReturnDistance == h.Distance || !forwards { // who refuses is nearer than the probe would have got
		return ""
	}
	return fmt.Sprintf("  [back %d]", h.ReturnDistance)
}

// rewrittenMark marks a hop that saw header fields otherwise than the one before.
func rewrittenMark(fields icmplib.Rewrite) string {
	if fields == 0 {
		return ""
	}
	return "  [rewritten: " + strings.ReplaceAll(fields.String(), ",", ", ") + "]"
}

// describeRewrites says where header fields are rewritten: a line for each
// place, and one where there is none, or where nobody could look.
func describeRewrites(r *icmplib.Route) string {
	points := r.Rewrites()
	switch {
	case !r.SeesRewrites():
		return "rewritten: unknown: no router quoted a probe, or this process lacks raw sockets to see it\n"
	case len(points) == 0:
		return "rewritten: nothing, as far as routers quote the probe\n"
	}
	var b strings.Builder
	for _, p := range points {
		fmt.Fprintf(&b, "rewritten: between distance %d and %d: %s%s%s\n", p.After, p.Before,
			strings.ReplaceAll(p.Fields.String(), ",", ", "),
			mark(isNAT(p.Fields), ", as a NAT does"),
			mark(!p.Sure, "; or only quoted so: no later hop quotes the probe"))
	}
	return b.String()
}
