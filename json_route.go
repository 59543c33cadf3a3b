package icmplib

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// mplsLabel is a label in JSON.
type mplsLabel struct {
	Label         uint32 `json:"label"`
	TrafficClass  uint8  `json:"traffic_class"`
	BottomOfStack bool   `json:"bottom_of_stack"`
	TTL           uint8  `json:"ttl"`
}

func labelsOf(j []mplsLabel) (labels []icmp.MPLSLabel) {
	for _, l := range j {
		labels = append(labels, icmp.MPLSLabel(l))
	}
	return labels
}

// interfaceJSON is what a router tells of an interface.
type interfaceJSON struct {
	Role    icmp.InterfaceRole `json:"role"`
	Index   uint32             `json:"index"`
	Address netip.Addr         `json:"address"`
	Name    string             `json:"name"`
	MTU     int                `json:"mtu"`
}

func interfacesOf(j []interfaceJSON) (all []icmp.InterfaceInfo) {
	for _, i := range j {
		all = append(all, icmp.InterfaceInfo(i))
	}
	return all
}

// responderJSON is a Responder.
type responderJSON struct {
	Address         netip.Addr      `json:"address"`
	PacketsReceived int             `json:"packets_received"`
	Status          Status          `json:"status"`
	Type            *uint8          `json:"type"`
	Code            uint8           `json:"code"`
	ReplyTTL        int             `json:"reply_ttl"`
	RTTSource       RTTSource       `json:"rtt_source"`
	MPLS            []mplsLabel     `json:"mpls"`
	Interfaces      []interfaceJSON `json:"interfaces"`
}

// hopJSON is a Hop.
type hopJSON struct {
	Distance       int             `json:"distance"`
	Address        netip.Addr      `json:"address"`
	Status         Status          `json:"status"`
	Responders     []responderJSON `json:"responders"`
	MPLS           []mplsLabel     `json:"mpls"`
	MTU            int             `json:"mtu"`
	ReturnDistance int             `json:"return_distance"`
	End            RouteEnd        `json:"end"`
	Rewritten      []string        `json:"rewritten"`
	statsJSON
}

func (j *hopJSON) hop() (h Hop, err error) {
	h = Hop{Distance: j.Distance, Address: j.Address, Status: j.Status, MPLS: labelsOf(j.MPLS), MTU: j.MTU,
		ReturnDistance: j.ReturnDistance, End: j.End}
	for _, r := range j.Responders {
		h.Responders = append(h.Responders, Responder{Address: r.Address, PacketsReceived: r.PacketsReceived,
			Status: r.Status, Type: typeOf(r.Type, r.Address), Code: r.Code, ReplyTTL: r.ReplyTTL, RTTSource: r.RTTSource, MPLS: labelsOf(r.MPLS),
			Interfaces: interfacesOf(r.Interfaces)})
	}
	if err := h.Rewritten.UnmarshalText([]byte(strings.Join(j.Rewritten, ","))); err != nil && len(j.Rewritten) > 0 {
		return Hop{}, err
	}
	h.Stats, err = j.stats()
	h.receiveEveryAnswer()
	return h, err
}

// hop writes the fields of a Hop.
func (o *object) hop(h *Hop) {
	o.int("distance", h.Distance)
	o.addr("address", h.Address)
	o.word("status", h.Status)
	o.key("responders")
	o.b = append(o.b, '[')
	for i := range h.Responders {
		o.b = o.separate(i)
		o.responder(&h.Responders[i])
	}
	o.b = append(o.b, ']')
	o.labels(h.MPLS)
	o.intIf("mtu", h.MTU)
	o.intIf("return_distance", h.ReturnDistance)
	if h.End != EndUnknown {
		o.word("end", h.End)
	}
	o.fields("rewritten", h.Rewritten)
	o.stats(&h.Stats)
}

// responder writes one of those who answer at a hop.
func (o *object) responder(r *Responder) {
	o.open()
	o.addr("address", r.Address)
	o.int("packets_received", r.PacketsReceived)
	o.word("status", r.Status)
	o.icmpType(r.Type)
	o.int("code", int(r.Code))
	o.intIf("reply_ttl", r.ReplyTTL)
	if r.RTTSource != RTTNone {
		o.word("rtt_source", r.RTTSource)
	}
	if len(r.MPLS) > 0 {
		o.labels(r.MPLS)
	}
	if len(r.Interfaces) > 0 {
		o.interfaces(r.Interfaces)
	}
	o.close()
}

// AppendJSON appends what [Hop.MarshalJSON] returns to b.
func (h *Hop) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.hop(h)
	return o.end()
}

// MarshalJSON returns the fields, responders, and what [Stats.MarshalJSON] has;
// Quoted of the responders is left out.
func (h Hop) MarshalJSON() ([]byte, error) { return h.AppendJSON(nil) }

// UnmarshalJSON sets h to what [Hop.MarshalJSON] has written.
func (h *Hop) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		hopJSON
	}
	err := parse(data, &j)
	if err == nil {
		*h, err = j.hop()
	}
	return err
}

// routeJSON is a Route.
type routeJSON struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
	Reached bool       `json:"reached"`
	End     RouteEnd   `json:"end"`
	Hops    []hopJSON  `json:"hops"`
	Graph   *Graph     `json:"graph"`
	Error   *string    `json:"error"`
}

func (j *routeJSON) route() (Route, error) {
	r := Route{Name: j.Name, Address: j.Address, Reached: j.Reached, End: j.End, Graph: j.Graph, Err: errorOf(j.Error)}
	for i := range j.Hops {
		h, err := j.Hops[i].hop()
		if err != nil {
			return Route{}, err
		}
		r.Hops = append(r.Hops, h)
	}
	return r, nil
}

// route writes the fields of a Route.
func (o *object) route(r *Route) {
	o.text("name", r.Name)
	o.addr("address", r.Address)
	o.bool("reached", r.Reached)
	o.word("end", r.End)
	o.key("hops")
	o.b = append(o.b, '[')
	for i := range r.Hops {
		o.b = o.separate(i)
		o.open()
		o.hop(&r.Hops[i])
		o.close()
	}
	o.b = append(o.b, ']')
	o.rewrites(r)
	if r.Graph != nil {
		o.key("graph")
		graph, err := json.Marshal((*graphFields)(r.Graph)) // one of a route: reflection does not count
		if err != nil && o.err == nil {
			o.err = err
		}
		o.b = append(o.b, graph...)
	}
	o.error(r.Err)
}

// rewrites writes where header fields are rewritten, and null where that is not
// known.
func (o *object) rewrites(r *Route) {
	if !r.SeesRewrites() {
		o.null("rewrites")
		return
	}
	o.key("rewrites")
	o.b = append(o.b, '[')
	for i, p := range r.Rewrites() {
		o.b = o.separate(i)
		o.open()
		o.fields("fields", p.Fields)
		o.int("after", p.After)
		o.int("before", p.Before)
		o.bool("nat", p.Fields&RewriteTranslation != 0)
		o.bool("sure", p.Sure)
		o.close()
	}
	o.b = append(o.b, ']')
}

// fields writes the words of rewritten header fields.
func (o *object) fields(name string, r Rewrite) {
	o.key(name)
	o.b = append(o.b, '[')
	for i, word := range r.Words() {
		o.b = appendText(o.separate(i), word)
	}
	o.b = append(o.b, ']')
}

// AppendJSON appends what [Route.MarshalJSON] returns to b.
func (r *Route) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.route(r)
	return o.end()
}

// MarshalJSON returns the fields, those of the hops as [Hop.MarshalJSON] does, and what
// [Route.Rewrites] returns, null where [Route.SeesRewrites] is false.
func (r Route) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil) }

// UnmarshalJSON sets r to what [Route.MarshalJSON] has written. Of the error only
// the text is left, and of what is rewritten [Hop.Rewritten].
func (r *Route) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		routeJSON
	}
	err := parse(data, &j)
	if err == nil {
		*r, err = j.route()
	}
	return err
}

// AppendJSON appends what [Snapshot.MarshalJSON] returns to b.
func (s *Snapshot) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.int("round", s.Round)
	o.word("time", s.Time)
	o.route(&s.Route)
	o.key("results")
	o.b = append(o.b, '[')
	for i := range s.Results {
		o.b = o.separate(i)
		o.open()
		o.result(&s.Results[i])
		o.close()
	}
	o.b = append(o.b, ']')
	o.key("events")
	o.b = append(o.b, '[')
	for i := range s.Events {
		o.b = o.separate(i)
		o.open()
		o.event(&s.Events[i])
		o.close()
	}
	o.b = append(o.b, ']')
	return o.end()
}

// MarshalJSON returns the round, the time, the fields of the Route, the results
// and the events.
func (s Snapshot) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil) }

// UnmarshalJSON sets s to what [Snapshot.MarshalJSON] has written.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		Round int       `json:"round"`
		Time  time.Time `json:"time"`
		routeJSON
		Results []resultJSON `json:"results"`
		Events  []Event      `json:"events"`
	}
	if err := parse(data, &j); err != nil {
		return err
	}
	route, err := j.route()
	if err != nil {
		return err
	}
	*s = Snapshot{Round: j.Round, Time: j.Time, Route: route, Events: j.Events}
	for i := range j.Results {
		s.Results = append(s.Results, j.Results[i].result())
	}
	return nil
}

// event writes the fields that events of the kind have.
func (o *object) event(e *Event) {
	o.word("kind", e.Kind)
	o.word("time", e.Time)
	o.int("round", e.Round)
	switch e.Kind {
	case EventRouteChange:
		o.intIf("distance", e.Distance)
		o.addr("from", e.From)
		o.addr("to", e.To)
	case EventRecovery:
		o.ms("duration_ms", e.Duration)
	}
}

// AppendJSON appends what [Event.MarshalJSON] returns to b.
func (e *Event) AppendJSON(b []byte) ([]byte, error) {
	o := newObject(b)
	o.event(e)
	return o.end()
}

// MarshalJSON returns the fields that events of the kind have.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil) }

// UnmarshalJSON sets e to what [Event.MarshalJSON] has written.
func (e *Event) UnmarshalJSON(data []byte) error {
	var j struct {
		standalone
		Kind     EventKind    `json:"kind"`
		Time     time.Time    `json:"time"`
		Round    int          `json:"round"`
		Distance int          `json:"distance"`
		From     netip.Addr   `json:"from"`
		To       netip.Addr   `json:"to"`
		Duration milliseconds `json:"duration_ms"`
	}
	err := parse(data, &j)
	if err == nil {
		*e = Event{Kind: j.Kind, Time: j.Time, Round: j.Round, Distance: j.Distance, From: j.From, To: j.To, Duration: j.Duration.duration()}
	}
	return err
}
