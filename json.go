package icmplib

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/series"
)

// In JSON, names are in lower case with underscores, durations are numbers of
// milliseconds in fields whose names end in _ms, and what is not known is null or
// left out. docs/schema.json describes it. What is written is read again to the
// same figures; an object that stands alone names the version of the schema.

// JSONSchema is the version of the JSON that this package writes and reads: the
// field "schema" of each object that stands alone.
const JSONSchema = 1

//go:embed docs/schema.json
var schemaText string

// SchemaText returns the JSON Schema of all that marshals, docs/schema.json, for
// programs that check what they read.
func SchemaText() string { return schemaText }

// standalone is the field that only an object has that is not part of another.
type standalone struct {
	Schema int `json:"schema"`
}

func (s standalone) check() error {
	if s.Schema != 0 && s.Schema != JSONSchema {
		return fmt.Errorf("JSON of schema %d: this version of icmplib reads %d; take a newer one", s.Schema, JSONSchema)
	}
	return nil
}

// parse reads an object into what stands for it, and checks its schema.
func parse(data []byte, into interface{ check() error }) error {
	if err := json.Unmarshal(data, into); err != nil {
		return err
	}
	return into.check()
}

// milliseconds is a duration in JSON; null is 0.
type milliseconds float64

func (ms milliseconds) duration() time.Duration { return nearestDuration(float64(ms)) }

// bucketJSON is a bucket of the histogram.
type bucketJSON struct {
	RTT   milliseconds `json:"rtt_ms"`
	Count uint64       `json:"count"`
}

// icmpErrorJSON is the last ICMP error of a Stats.
type icmpErrorJSON struct {
	Responder netip.Addr `json:"responder"`
	Type      uint8      `json:"type"`
	Code      uint8      `json:"code"`
	MTU       int        `json:"mtu"`
}

func (j *icmpErrorJSON) error() error {
	typ := icmp.MakeType(icmp.VersionOf(j.Responder), j.Type)
	return &icmp.Error{Reply: &icmp.Reply{Source: j.Responder, Message: icmp.Message{Type: typ, Code: j.Code, MTU: j.MTU}}}
}

// statsJSON is the figures of a Stats.
type statsJSON struct {
	PacketsSent     int            `json:"packets_sent"`
	PacketsReceived int            `json:"packets_received"`
	Silent          int            `json:"silent"`
	ICMPErrors      int            `json:"icmp_errors"`
	Late            int            `json:"late"`
	Unsettled       int            `json:"unsettled"`
	Duplicates      int            `json:"duplicates"`
	Altered         int            `json:"altered"`
	Advised         int            `json:"advised"`
	SendErrors      int            `json:"send_errors"`
	Suspect         int            `json:"suspect"`
	MinRTT          milliseconds   `json:"min_rtt_ms"`
	AvgRTT          milliseconds   `json:"avg_rtt_ms"`
	MaxRTT          milliseconds   `json:"max_rtt_ms"`
	LastRTT         milliseconds   `json:"last_rtt_ms"`
	StdDev          milliseconds   `json:"stddev_rtt_ms"`
	Jitter          milliseconds   `json:"jitter_ms"`
	Interarrival    milliseconds   `json:"interarrival_jitter_ms"`
	MaxLate         milliseconds   `json:"max_late_rtt_ms"`
	RTTs            []milliseconds `json:"rtts_ms"`
	Histogram       []bucketJSON   `json:"histogram"`
	LastICMPError   *icmpErrorJSON `json:"last_icmp_error"`
}

// stats makes a Stats of its figures again.
func (j *statsJSON) stats() (s Stats, err error) {
	s = Stats{PacketsSent: j.PacketsSent, PacketsReceived: j.PacketsReceived, Silent: j.Silent,
		ICMPErrors: j.ICMPErrors, Late: j.Late, Unsettled: j.Unsettled, Duplicates: j.Duplicates,
		Altered: j.Altered, Advised: j.Advised, SendErrors: j.SendErrors, Suspect: j.Suspect, maxLate: j.MaxLate.duration()}
	for _, n := range []int{s.PacketsReceived, s.Silent, s.ICMPErrors, s.Late, s.Unsettled, s.Duplicates, s.Altered, s.Advised, s.SendErrors, s.Suspect} {
		if n < 0 {
			return Stats{}, errors.New("statistics: a counter is below 0")
		}
	}
	if s.PacketsSent != s.PacketsReceived+s.Silent+s.ICMPErrors+s.Late+s.Unsettled {
		return Stats{}, fmt.Errorf("statistics: what became of the probes does not add up to packets_sent, %d", s.PacketsSent)
	}
	f := series.Summary{Min: j.MinRTT.duration(), Mean: j.AvgRTT.duration(), Max: j.MaxRTT.duration(),
		StdDev: j.StdDev.duration(), Last: j.LastRTT.duration(), Jitter: j.Jitter.duration(), Interarrival: j.Interarrival.duration()}
	for _, rtt := range j.RTTs {
		f.RTTs = append(f.RTTs, rtt.duration())
	}
	for _, b := range j.Histogram {
		f.Buckets = append(f.Buckets, series.Bucket{RTT: b.RTT.duration(), Count: b.Count})
	}
	if j.LastICMPError != nil && s.ICMPErrors > 0 {
		s.LastICMPError = j.LastICMPError.error()
	}
	s.rtts, err = series.Restore(f, s.PacketsSent+s.SendErrors)
	if err != nil {
		return Stats{}, fmt.Errorf("statistics: %w", err)
	}
	return s, nil
}

// stats writes the fields of a Stats.
func (o *object) stats(s *Stats) {
	o.int("packets_sent", s.PacketsSent)
	o.int("packets_received", s.PacketsReceived)
	o.float("packet_loss", s.PacketLoss())
	o.int("silent", s.Silent)
	o.int("icmp_errors", s.ICMPErrors)
	o.int("late", s.Late)
	o.int("unsettled", s.Unsettled)
	o.int("duplicates", s.Duplicates)
	o.int("altered", s.Altered)
	o.int("advised", s.Advised)
	o.int("send_errors", s.SendErrors)
	o.int("suspect", s.Suspect)
	if message, ok := errors.AsType[*icmp.Error](s.LastICMPError); ok {
		o.key("last_icmp_error")
		o.open()
		o.addr("responder", message.Reply.Source)
		o.int("type", int(message.Reply.Type.Number()))
		o.int("code", int(message.Reply.Code))
		o.intIf("mtu", message.Reply.MTU)
		o.close()
	}
	f := s.rtts.Summary()
	for _, x := range [...]struct {
		name string
		d    time.Duration
	}{{"min_rtt_ms", f.Min}, {"avg_rtt_ms", f.Mean}, {"max_rtt_ms", f.Max}, {"last_rtt_ms", f.Last},
		{"median_rtt_ms", s.rtts.Percentile(0.5)}, {"p95_rtt_ms", s.rtts.Percentile(0.95)}, {"p99_rtt_ms", s.rtts.Percentile(0.99)},
		{"stddev_rtt_ms", f.StdDev}, {"jitter_ms", f.Jitter}, {"interarrival_jitter_ms", f.Interarrival}} {
		if len(f.RTTs)+len(f.Buckets) == 0 {
			o.null(x.name)
			continue
		}
		o.ms(x.name, x.d)
	}
	if s.maxLate > 0 {
		o.ms("max_late_rtt_ms", s.maxLate)
	}
	o.key("rtts_ms")
	o.b = append(o.b, '[')
	for i, rtt := range f.RTTs {
		o.b = appendMS(o.separate(i), rtt)
	}
	o.b = append(o.b, ']')
	if len(f.Buckets) == 0 {
		return
	}
	o.key("histogram")
	o.b = append(o.b, '[')
	for i, b := range f.Buckets {
		o.b = o.separate(i)
		o.open()
		o.ms("rtt_ms", b.RTT)
		o.uint("count", b.Count)
		o.close()
	}
	o.b = append(o.b, ']')
}

// AppendJSON appends what [Stats.MarshalJSON] returns to b.
func (s *Stats) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.stats(s)
	return o.end()
}

// MarshalJSON returns the counters, and what the methods make of the round-trip
// times: packets_sent, packet_loss, avg_rtt_ms and so on, with the times themselves
// or their histogram. A type of one's own that embeds a Stats needs a MarshalJSON
// of its own.
func (s Stats) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

// UnmarshalJSON sets s to what [Stats.MarshalJSON] has written: all figures are the
// same; of LastICMPError there are the responder, type, code and MTU. Counters that
// contradict each other are an error.
func (s *Stats) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		statsJSON
	}
	err := parse(data, &j)
	if err == nil {
		*s, err = j.stats()
	}
	return err
}

// AppendJSON appends what [Host.MarshalJSON] returns to b.
func (h *Host) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.text("name", h.Name)
	o.addr("address", h.Address)
	o.bool("is_alive", h.IsAlive())
	o.error(h.Err)
	o.stats(&h.Stats)
	return o.end()
}

// MarshalJSON returns the name, the address, is_alive, the error, and what
// [Stats.MarshalJSON] has.
func (h Host) MarshalJSON() ([]byte, error) { return h.AppendJSON(nil) }

// UnmarshalJSON sets h to what [Host.MarshalJSON] has written. Of the error only
// the text is left.
func (h *Host) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		Name    string     `json:"name"`
		Address netip.Addr `json:"address"`
		Error   *string    `json:"error"`
		statsJSON
	}
	if err := parse(data, &j); err != nil {
		return err
	}
	s, err := j.stats()
	if err != nil {
		return err
	}
	*h = Host{Name: j.Name, Address: j.Address, Err: errorOf(j.Error), Stats: s}
	return nil
}

// resultJSON is a Result.
type resultJSON struct {
	Dst           netip.Addr      `json:"dst"`
	Seq           int             `json:"seq"`
	Status        Status          `json:"status"`
	Responder     netip.Addr      `json:"responder"`
	RTT           milliseconds    `json:"rtt_ms"`
	RTTSource     RTTSource       `json:"rtt_source"`
	Sent          time.Time       `json:"sent"`
	TTL           int             `json:"ttl"`
	ReplyTTL      int             `json:"reply_ttl"`
	TrafficClass  uint8           `json:"reply_traffic_class"`
	Size          int             `json:"size"`
	Type          *uint8          `json:"type"`
	Code          uint8           `json:"code"`
	MTU           int             `json:"mtu"`
	MPLS          []mplsLabel     `json:"mpls"`
	Interfaces    []interfaceJSON `json:"interfaces"`
	ExtendedEcho  *extendedJSON   `json:"extended_echo"`
	Timestamp     *timestampJSON  `json:"timestamp"`
	Late          bool            `json:"late"`
	Duplicate     bool            `json:"duplicate"`
	Advises       bool            `json:"advises"`
	Corrects      bool            `json:"corrects"`
	Altered       bool            `json:"altered"`
	Unproven      bool            `json:"unproven"`
	Suspect       bool            `json:"suspect"`
	Retransmitted bool            `json:"retransmitted"`
	Error         *string         `json:"error"`
}

func (j *resultJSON) result() Result {
	return Result{Dst: j.Dst, Seq: j.Seq, Status: j.Status, Responder: j.Responder, RTT: j.RTT.duration(),
		RTTSource: j.RTTSource, Sent: j.Sent, TTL: j.TTL, ReplyTTL: j.ReplyTTL, ReplyTrafficClass: j.TrafficClass,
		Size: j.Size, Type: typeOf(j.Type, j.Dst), Code: j.Code, MTU: j.MTU, MPLS: labelsOf(j.MPLS), Interfaces: interfacesOf(j.Interfaces),
		ExtendedEcho: j.ExtendedEcho.extendedEcho(), Timestamp: j.Timestamp.timestamp(), Late: j.Late, Duplicate: j.Duplicate,
		Advises: j.Advises, Corrects: j.Corrects, Altered: j.Altered, Unproven: j.Unproven, Suspect: j.Suspect, Retransmitted: j.Retransmitted, Cause: errorOf(j.Error)}
}

// extendedJSON is what an extended echo reply tells.
type extendedJSON struct {
	State  icmp.NeighborState `json:"state"`
	Active bool               `json:"active"`
	IPv4   bool               `json:"ipv4"`
	IPv6   bool               `json:"ipv6"`
}

func (j *extendedJSON) extendedEcho() *icmp.ExtendedEcho {
	if j == nil {
		return nil
	}
	return &icmp.ExtendedEcho{State: j.State, Active: j.Active, IPv4: j.IPv4, IPv6: j.IPv6}
}

// timestampJSON is a timestamp reply, whose times are in milliseconds.
type timestampJSON struct {
	Originate uint32 `json:"originate"`
	Receive   uint32 `json:"receive"`
	Transmit  uint32 `json:"transmit"`
}

func (j *timestampJSON) timestamp() *icmp.Timestamp {
	if j == nil {
		return nil
	}
	return &icmp.Timestamp{Originate: j.Originate, Receive: j.Receive, Transmit: j.Transmit}
}

// queried writes what a query was answered with.
func (o *object) queried(r *Result) {
	if e := r.ExtendedEcho; e != nil {
		o.key("extended_echo")
		o.open()
		o.word("state", e.State)
		o.bool("active", e.Active)
		o.bool("ipv4", e.IPv4)
		o.bool("ipv6", e.IPv6)
		o.close()
	}
	if s := r.Timestamp; s != nil {
		o.key("timestamp")
		o.open()
		o.uint("originate", uint64(s.Originate))
		o.uint("receive", uint64(s.Receive))
		o.uint("transmit", uint64(s.Transmit))
		o.close()
	}
	if offset, ok := r.ClockOffset(); ok {
		o.ms("clock_offset_ms", offset)
	}
}

// result writes the fields of a Result.
func (o *object) result(r *Result) {
	o.addr("dst", r.Dst)
	o.int("seq", r.Seq)
	o.word("status", r.Status)
	if r.Responder.IsValid() {
		o.addr("responder", r.Responder)
	}
	if r.RTT > 0 {
		o.ms("rtt_ms", r.RTT)
	} else {
		o.null("rtt_ms")
	}
	if r.RTTSource != RTTNone {
		o.word("rtt_source", r.RTTSource)
	}
	if !r.Sent.IsZero() {
		o.word("sent", r.Sent)
	}
	o.int("ttl", r.TTL)
	o.intIf("reply_ttl", r.ReplyTTL)
	o.intIf("reply_traffic_class", int(r.ReplyTrafficClass))
	o.intIf("size", r.Size)
	o.icmpType(r.Type)
	o.int("code", int(r.Code))
	o.intIf("mtu", r.MTU)
	if len(r.MPLS) > 0 {
		o.labels(r.MPLS)
	}
	if len(r.Interfaces) > 0 {
		o.interfaces(r.Interfaces)
	}
	o.queried(r)
	o.boolIf("late", r.Late)
	o.boolIf("duplicate", r.Duplicate)
	o.boolIf("advises", r.Advises)
	o.boolIf("corrects", r.Corrects)
	o.boolIf("altered", r.Altered)
	o.boolIf("unproven", r.Unproven)
	o.boolIf("suspect", r.Suspect)
	o.boolIf("retransmitted", r.Retransmitted)
	o.error(r.Cause)
}

// AppendJSON appends what [Result.MarshalJSON] returns to b.
func (r *Result) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.result(r)
	return o.end()
}

// MarshalJSON returns the fields, save Quoted; Cause is the error.
func (r Result) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [Result.MarshalJSON] has written. Of the error only
// the text is left.
func (r *Result) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		resultJSON
	}
	err := parse(data, &j)
	if err == nil {
		*r = j.result()
	}
	return err
}

// AppendJSON appends what [StreamResult.MarshalJSON] returns to b.
func (r *StreamResult) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.uint("tag", r.Tag)
	o.result(&r.Result)
	return o.end()
}

// MarshalJSON returns the tag and the fields of the Result.
func (r StreamResult) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [StreamResult.MarshalJSON] has written.
func (r *StreamResult) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		Tag uint64 `json:"tag"`
		resultJSON
	}
	err := parse(data, &j)
	if err == nil {
		*r = StreamResult{Tag: j.Tag, Result: j.result()}
	}
	return err
}

// errorOf is an error of which the text is left.
func errorOf(text *string) error {
	if text == nil {
		return nil
	}
	return errors.New(*text)
}

// The fields of reports, without their methods.
type (
	graphFields Graph
	mtuFields   MTUReport
	lossFields  LossReport
)

// MarshalJSON returns the fields.
func (g Graph) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		standalone
		graphFields
	}{standalone{JSONSchema}, graphFields(g)})
}

// UnmarshalJSON sets g to what [Graph.MarshalJSON] has written.
func (g *Graph) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		graphFields
	}
	err := parse(data, &j)
	if err == nil {
		*g = Graph(j.graphFields)
	}
	return err
}

// MarshalJSON returns the fields.
func (r MTUReport) MarshalJSON() ([]byte, error) {
	if r.Hops == nil {
		r.Hops = []HopMTU{}
	}
	if r.BlackHoles == nil {
		r.BlackHoles = []BlackHole{}
	}
	return json.Marshal(struct {
		standalone
		mtuFields
	}{standalone{JSONSchema}, mtuFields(r)})
}

// UnmarshalJSON sets r to what [MTUReport.MarshalJSON] has written.
func (r *MTUReport) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		mtuFields
	}
	err := parse(data, &j)
	if err == nil {
		*r = MTUReport(j.mtuFields)
	}
	return err
}

// MarshalJSON returns the fields.
func (r LossReport) MarshalJSON() ([]byte, error) {
	if r.Hops == nil {
		r.Hops = []HopLoss{}
	}
	return json.Marshal(struct {
		standalone
		lossFields
	}{standalone{JSONSchema}, lossFields(r)})
}

// UnmarshalJSON sets r to what [LossReport.MarshalJSON] has written.
func (r *LossReport) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		lossFields
	}
	err := parse(data, &j)
	if err == nil {
		*r = LossReport(j.lossFields)
	}
	return err
}

// MarshalJSON returns the fields, and the loss.
func (s LossShare) MarshalJSON() ([]byte, error) {
	o := &object{}
	o.open()
	o.int("packets_sent", s.PacketsSent)
	o.int("packets_answered", s.PacketsAnswered)
	o.float("loss", s.Loss())
	o.float("low", s.Low)
	o.float("high", s.High)
	o.ms("interval_ms", s.Interval)
	o.close()
	return o.b, nil
}

// UnmarshalJSON sets s to what [LossShare.MarshalJSON] has written.
func (s *LossShare) UnmarshalJSON(data []byte) error {
	var j struct {
		PacketsSent     int          `json:"packets_sent"`
		PacketsAnswered int          `json:"packets_answered"`
		Low             float64      `json:"low"`
		High            float64      `json:"high"`
		Interval        milliseconds `json:"interval_ms"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*s = LossShare{j.PacketsSent, j.PacketsAnswered, j.Low, j.High, j.Interval.duration()}
	return nil
}
