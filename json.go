package icmplib

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/icmpfields"
)

// In JSON, names are in lower case with underscores, durations are numbers of milliseconds
// in fields whose names end in _ms, and unknown values are null or left out.
// docs/schema.json describes the format. Reading restores the figures that were written. An
// object that stands alone names the version of the schema. JSON of any other kind is an
// error, not an object without figures.

// JSONSchema is the version of the JSON that this package writes and reads: the
// field "schema" of each object that stands alone.
const JSONSchema = 1

//go:embed docs/schema.json
var schemaText string

// SchemaText returns the JSON Schema of everything that this package marshals
// (docs/schema.json), for programs that validate what they read.
func SchemaText() string { return schemaText }

// The codec of each type: types that stand alone name the schema.
var (
	statsJSON        = fields.Codec[Stats]{Schema: JSONSchema, List: (*Stats).fields}
	hostJSON         = fields.Codec[Host]{Schema: JSONSchema, List: (*Host).fields}
	resultJSON       = fields.Codec[Result]{Schema: JSONSchema, List: (*Result).fields}
	streamResultJSON = fields.Codec[StreamResult]{Schema: JSONSchema, List: (*StreamResult).fields}
	hopJSON          = fields.Codec[Hop]{Schema: JSONSchema, List: (*Hop).fields}
	routeJSON        = fields.Codec[Route]{Schema: JSONSchema, List: (*Route).fields}
	snapshotJSON     = fields.Codec[Snapshot]{Schema: JSONSchema, List: (*Snapshot).fields}
	eventJSON        = fields.Codec[Event]{Schema: JSONSchema, List: (*Event).fields}
	graphJSON        = fields.Codec[Graph]{Schema: JSONSchema, List: (*Graph).fields}
	graphNodeJSON    = fields.Codec[GraphNode]{List: (*GraphNode).fields}
	mtuReportJSON    = fields.Codec[MTUReport]{Schema: JSONSchema, List: (*MTUReport).fields}
	lossReportJSON   = fields.Codec[LossReport]{Schema: JSONSchema, List: (*LossReport).fields}
	lossShareJSON    = fields.Codec[LossShare]{List: (*LossShare).fields}
)

// fields lists the counters of s and the figures computed from its RTTs.
func (s *Stats) fields(o *fields.Object) {
	o.Need("packets_sent", "packets_received")
	loss := s.PacketLoss()
	fields.Int(o, "packets_sent", &s.PacketsSent)
	fields.Int(o, "packets_received", &s.PacketsReceived)
	o.Float("packet_loss", &loss)
	fields.Int(o, "silent", &s.Silent)
	fields.Int(o, "icmp_errors", &s.ICMPErrors)
	fields.Int(o, "late", &s.Late)
	fields.Int(o, "unsettled", &s.Unsettled)
	fields.Int(o, "duplicates", &s.Duplicates)
	fields.Int(o, "altered", &s.Altered)
	fields.Int(o, "advised", &s.Advised)
	fields.Int(o, "send_errors", &s.SendErrors)
	fields.Int(o, "suspect", &s.Suspect)
	fields.IntIf(o, "new_ids", &s.NewIDs)
	message, _ := errors.AsType[*icmp.Error](s.LastICMPError)
	fields.Optional(o, "last_icmp_error", &message, icmpfields.Error)
	if o.Has(s.maxLate > 0) {
		o.MS("max_late_rtt_ms", &s.maxLate)
	}
	if o.Reading() {
		if message != nil && s.ICMPErrors > 0 {
			s.LastICMPError = message
		}
		o.Fail(s.check())
	}
	s.rtts.Fields(o, s.PacketsSent+s.SendErrors)
	if n := s.rtts.Count(); o.Reading() && n > s.PacketsReceived {
		o.Fail(fmt.Errorf("statistics: %d round-trip times of %d packets received", n, s.PacketsReceived))
	}
}

// check returns an error if the counters contradict each other.
func (s *Stats) check() error {
	if min(s.PacketsReceived, s.Silent, s.ICMPErrors, s.Late, s.Unsettled, s.Duplicates, s.Altered, s.Advised, s.SendErrors, s.Suspect, s.NewIDs) < 0 {
		return errors.New("statistics: a counter is below 0")
	}
	if s.PacketsSent != s.PacketsReceived+s.Silent+s.ICMPErrors+s.Late+s.Unsettled {
		return fmt.Errorf("statistics: what became of the probes does not add up to packets_sent, %d", s.PacketsSent)
	}
	return nil
}

// AppendJSON appends what [Stats.MarshalJSON] returns to b.
func (s *Stats) AppendJSON(b []byte) ([]byte, error) { return statsJSON.Append(b, s) }

// MarshalJSON returns the counters and the figures that the methods compute, as
// packets_sent, packet_loss, avg_rtt_ms and so on, with the round-trip times themselves or
// their histogram. A type that embeds a Stats needs a MarshalJSON of its own.
func (s Stats) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

// UnmarshalJSON sets s to what [Stats.MarshalJSON] has written. It restores all figures; of
// LastICMPError it restores the responder, type, code and MTU. Counters that contradict
// each other are an error, and so is JSON of anything but statistics.
func (s *Stats) UnmarshalJSON(data []byte) error { return statsJSON.Read(data, s) }

func (h *Host) fields(o *fields.Object) {
	alive := h.IsAlive()
	o.Text("name", &h.Name)
	o.Addr("address", &h.Address)
	o.Bool("is_alive", &alive)
	o.Error("error", &h.Err)
	h.Stats.fields(o)
}

// AppendJSON appends what [Host.MarshalJSON] returns to b.
func (h *Host) AppendJSON(b []byte) ([]byte, error) { return hostJSON.Append(b, h) }

// MarshalJSON returns the name, the address, is_alive, the error, and what
// [Stats.MarshalJSON] returns.
func (h Host) MarshalJSON() ([]byte, error) { return h.AppendJSON(nil) }

// UnmarshalJSON sets h to what [Host.MarshalJSON] has written. It restores only the text of
// the error.
func (h *Host) UnmarshalJSON(data []byte) error { return hostJSON.Read(data, h) }

func (r *Result) fields(o *fields.Object) {
	o.Need("dst", "status")
	o.Addr("dst", &r.Dst)
	fields.Int(o, "seq", &r.Seq)
	fields.Word(o, "status", &r.Status)
	o.AddrIf("responder", &r.Responder)
	o.MSKnown("rtt_ms", &r.RTT, r.RTT > 0)
	if r.RTT < 0 {
		o.Fail(errors.New("rtt_ms is below 0"))
	}
	if o.Has(r.RTTSource != RTTNone) {
		fields.Word(o, "rtt_source", &r.RTTSource)
	}
	if o.Has(!r.Sent.IsZero()) {
		fields.Word(o, "sent", &r.Sent)
	}
	fields.Int(o, "ttl", &r.TTL)
	fields.IntIf(o, "reply_ttl", &r.ReplyTTL)
	fields.IntIf(o, "reply_traffic_class", &r.ReplyTrafficClass)
	fields.IntIf(o, "size", &r.Size)
	icmpfields.Type(o, &r.Type, &r.Dst)
	fields.Int(o, "code", &r.Code)
	fields.IntIf(o, "mtu", &r.MTU)
	fields.ListIf(o, "mpls", &r.MPLS, icmpfields.Label)
	fields.ListIf(o, "interfaces", &r.Interfaces, icmpfields.Interface)
	fields.Optional(o, "extended_echo", &r.ExtendedEcho, icmpfields.ExtendedEcho)
	fields.Optional(o, "timestamp", &r.Timestamp, icmpfields.Timestamp)
	if offset, ok := r.ClockOffset(); ok {
		o.MS("clock_offset_ms", &offset)
	}
	o.BoolIf("late", &r.Late)
	o.BoolIf("duplicate", &r.Duplicate)
	o.BoolIf("advises", &r.Advises)
	o.BoolIf("corrects", &r.Corrects)
	o.BoolIf("altered", &r.Altered)
	o.BoolIf("unproven", &r.Unproven)
	o.BoolIf("local", &r.Local)
	o.BoolIf("suspect", &r.Suspect)
	o.BoolIf("new_id", &r.NewID)
	o.BoolIf("retransmitted", &r.Retransmitted)
	o.Error("error", &r.Cause)
}

// AppendJSON appends what [Result.MarshalJSON] returns to b.
func (r *Result) AppendJSON(b []byte) ([]byte, error) { return resultJSON.Append(b, r) }

// MarshalJSON returns all fields except Quoted. Cause is the text in "error".
func (r Result) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [Result.MarshalJSON] has written. It restores only the text
// of the error.
func (r *Result) UnmarshalJSON(data []byte) error { return resultJSON.Read(data, r) }

func (r *StreamResult) fields(o *fields.Object) {
	o.Need("tag")
	fields.Int(o, "tag", &r.Tag)
	r.Result.fields(o)
}

// AppendJSON appends what [StreamResult.MarshalJSON] returns to b.
func (r *StreamResult) AppendJSON(b []byte) ([]byte, error) { return streamResultJSON.Append(b, r) }

// MarshalJSON returns the tag and the fields of the Result.
func (r StreamResult) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [StreamResult.MarshalJSON] has written.
func (r *StreamResult) UnmarshalJSON(data []byte) error { return streamResultJSON.Read(data, r) }

func (h *Hop) fields(o *fields.Object) {
	o.Need("distance")
	fields.Int(o, "distance", &h.Distance)
	o.Addr("address", &h.Address)
	fields.Word(o, "status", &h.Status)
	fields.List(o, "responders", &h.Responders, (*Responder).fields)
	fields.List(o, "mpls", &h.MPLS, icmpfields.Label)
	fields.IntIf(o, "mtu", &h.MTU)
	fields.IntIf(o, "return_distance", &h.ReturnDistance)
	if o.Has(h.End != EndUnknown) {
		fields.Word(o, "end", &h.End)
	}
	h.Rewritten.field(o, "rewritten")
	h.Stats.fields(o)
}

func (r *Responder) fields(o *fields.Object) {
	o.Addr("address", &r.Address)
	o.BoolIf("local", &r.Local)
	fields.Int(o, "packets_received", &r.PacketsReceived)
	fields.Word(o, "status", &r.Status)
	icmpfields.Type(o, &r.Type, &r.Address)
	fields.Int(o, "code", &r.Code)
	fields.IntIf(o, "reply_ttl", &r.ReplyTTL)
	if o.Has(r.RTTSource != RTTNone) {
		fields.Word(o, "rtt_source", &r.RTTSource)
	}
	fields.ListIf(o, "mpls", &r.MPLS, icmpfields.Label)
	fields.ListIf(o, "interfaces", &r.Interfaces, icmpfields.Interface)
}

// field writes or reads the words of r as a list.
func (r *Rewrite) field(o *fields.Object, name string) {
	words := r.Words()
	o.Texts(name, &words)
	if o.Reading() && len(words) > 0 {
		o.Fail(r.UnmarshalText([]byte(strings.Join(words, ","))))
	}
}

// AppendJSON appends what [Hop.MarshalJSON] returns to b.
func (h *Hop) AppendJSON(b []byte) ([]byte, error) { return hopJSON.Append(b, h) }

// MarshalJSON returns the fields, the responders without Quoted, and what
// [Stats.MarshalJSON] returns.
func (h Hop) MarshalJSON() ([]byte, error) { return h.AppendJSON(nil) }

// UnmarshalJSON sets h to what [Hop.MarshalJSON] has written.
func (h *Hop) UnmarshalJSON(data []byte) error { return hopJSON.Read(data, h) }

func (r *Route) fields(o *fields.Object) {
	o.Need("hops")
	o.Text("name", &r.Name)
	o.Addr("address", &r.Address)
	o.Bool("reached", &r.Reached)
	fields.Word(o, "end", &r.End)
	fields.List(o, "hops", &r.Hops, (*Hop).fields)
	if !o.Reading() {
		r.rewriteFields(o)
	}
	fields.Optional(o, "graph", &r.Graph, (*Graph).fields)
	o.Error("error", &r.Err)
}

// rewriteFields writes where header fields are rewritten, or null if that is not known. It
// derives this from the hops.
func (r *Route) rewriteFields(o *fields.Object) {
	if !r.SeesRewrites() {
		o.Null("rewrites")
		return
	}
	points := r.Rewrites()
	fields.List(o, "rewrites", &points, func(p *RewritePoint, o *fields.Object) {
		nat := p.Fields&RewriteTranslation != 0
		p.Fields.field(o, "fields")
		fields.Int(o, "after", &p.After)
		fields.Int(o, "before", &p.Before)
		o.Bool("nat", &nat)
		o.Bool("sure", &p.Sure)
	})
}

// AppendJSON appends what [Route.MarshalJSON] returns to b.
func (r *Route) AppendJSON(b []byte) ([]byte, error) { return routeJSON.Append(b, r) }

// MarshalJSON returns the fields, the hops as [Hop.MarshalJSON] returns them, and what
// [Route.Rewrites] returns, or null if [Route.SeesRewrites] is false.
func (r Route) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [Route.MarshalJSON] has written. Of the error it restores
// only the text, and of the rewrites only [Hop.Rewritten].
func (r *Route) UnmarshalJSON(data []byte) error { return routeJSON.Read(data, r) }

func (s *Snapshot) fields(o *fields.Object) {
	o.Need("round")
	fields.Int(o, "round", &s.Round)
	fields.Word(o, "time", &s.Time)
	s.Route.fields(o)
	fields.List(o, "results", &s.Results, (*Result).fields)
	fields.List(o, "events", &s.Events, (*Event).fields)
}

// AppendJSON appends what [Snapshot.MarshalJSON] returns to b.
func (s *Snapshot) AppendJSON(b []byte) ([]byte, error) { return snapshotJSON.Append(b, s) }

// MarshalJSON returns the round, the time, the fields of the Route, the results
// and the events.
func (s Snapshot) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

// UnmarshalJSON sets s to what [Snapshot.MarshalJSON] has written.
func (s *Snapshot) UnmarshalJSON(data []byte) error { return snapshotJSON.Read(data, s) }

func (e *Event) fields(o *fields.Object) {
	o.Need("kind")
	fields.Word(o, "kind", &e.Kind)
	fields.Word(o, "time", &e.Time)
	fields.Int(o, "round", &e.Round)
	if o.Has(e.Kind == EventRouteChange || e.Kind == EventAddressChange) {
		fields.IntIf(o, "distance", &e.Distance)
		o.Addr("from", &e.From)
		o.Addr("to", &e.To)
	}
	if o.Has(e.Kind == EventRecovery) {
		o.MS("duration_ms", &e.Duration)
	}
}

// AppendJSON appends what [Event.MarshalJSON] returns to b.
func (e *Event) AppendJSON(b []byte) ([]byte, error) { return eventJSON.Append(b, e) }

// MarshalJSON returns the fields that events of this kind have.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil) }

// UnmarshalJSON sets e to what [Event.MarshalJSON] has written.
func (e *Event) UnmarshalJSON(data []byte) error { return eventJSON.Read(data, e) }

func (g *Graph) fields(o *fields.Object) {
	o.Need("flows", "hops")
	fields.Int(o, "flows", &g.Flows)
	fields.Int(o, "probes", &g.Probes)
	o.Bool("complete", &g.Complete)
	fields.Values(o, "hops", &g.Hops)
	fields.Values(o, "edges", &g.Edges)
	fields.Values(o, "diamonds", &g.Diamonds)
}

// AppendJSON appends what [Graph.MarshalJSON] returns to b.
func (g *Graph) AppendJSON(b []byte) ([]byte, error) { return graphJSON.Append(b, g) }

// MarshalJSON returns the fields.
func (g Graph) MarshalJSON() ([]byte, error) { return g.AppendJSON(nil) }

// UnmarshalJSON sets g to what [Graph.MarshalJSON] has written.
func (g *Graph) UnmarshalJSON(data []byte) error { return graphJSON.Read(data, g) }

func (n *GraphNode) fields(o *fields.Object) {
	o.Need("id")
	fields.Int(o, "id", &n.ID)
	fields.Int(o, "distance", &n.Distance)
	o.Addr("address", &n.Address)
	fields.Values(o, "flows", &n.Flows)
	fields.Word(o, "balancing", &n.Balancing)
	o.MSKnown("avg_rtt_ms", &n.AvgRTT, n.AvgRTT > 0)
}

// MarshalJSON returns the fields.
func (n GraphNode) MarshalJSON() ([]byte, error) { return graphNodeJSON.Append(nil, &n) }

// UnmarshalJSON sets n to what [GraphNode.MarshalJSON] has written.
func (n *GraphNode) UnmarshalJSON(data []byte) error { return graphNodeJSON.Read(data, n) }

func (r *MTUReport) fields(o *fields.Object) {
	o.Need("mtu")
	o.Addr("address", &r.Address)
	o.Text("name", &r.Name)
	fields.Int(o, "mtu", &r.MTU)
	o.Bool("reached", &r.Reached)
	o.Bool("confirmed", &r.Confirmed)
	o.Bool("exact", &r.Exact)
	fields.IntIf(o, "local_mtu", &r.LocalMTU)
	fields.Values(o, "hops", &r.Hops)
	fields.Values(o, "black_holes", &r.BlackHoles)
}

// AppendJSON appends what [MTUReport.MarshalJSON] returns to b.
func (r *MTUReport) AppendJSON(b []byte) ([]byte, error) { return mtuReportJSON.Append(b, r) }

// MarshalJSON returns the fields.
func (r MTUReport) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [MTUReport.MarshalJSON] has written.
func (r *MTUReport) UnmarshalJSON(data []byte) error { return mtuReportJSON.Read(data, r) }

func (r *LossReport) fields(o *fields.Object) {
	o.Need("verdict")
	o.Addr("address", &r.Address)
	o.Text("name", &r.Name)
	o.Bool("reached", &r.Reached)
	fields.Word(o, "verdict", &r.Verdict)
	fields.IntIf(o, "from", &r.From)
	fields.Values(o, "hops", &r.Hops)
}

// AppendJSON appends what [LossReport.MarshalJSON] returns to b.
func (r *LossReport) AppendJSON(b []byte) ([]byte, error) { return lossReportJSON.Append(b, r) }

// MarshalJSON returns the fields.
func (r LossReport) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [LossReport.MarshalJSON] has written.
func (r *LossReport) UnmarshalJSON(data []byte) error { return lossReportJSON.Read(data, r) }

func (s *LossShare) fields(o *fields.Object) {
	o.Need("packets_sent")
	loss := s.Loss()
	fields.Int(o, "packets_sent", &s.PacketsSent)
	fields.Int(o, "packets_answered", &s.PacketsAnswered)
	o.Float("loss", &loss)
	o.Float("low", &s.Low)
	o.Float("high", &s.High)
	o.MS("interval_ms", &s.Interval)
}

// MarshalJSON returns the fields, and the loss.
func (s LossShare) MarshalJSON() ([]byte, error) { return lossShareJSON.Append(nil, &s) }

// UnmarshalJSON sets s to what [LossShare.MarshalJSON] has written.
func (s *LossShare) UnmarshalJSON(data []byte) error { return lossShareJSON.Read(data, s) }
