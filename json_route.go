package icmplib

import (
	"encoding/json"
	"net/netip"
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

func newMPLSJSON(labels []icmp.MPLSLabel) []mplsLabel {
	j := make([]mplsLabel, len(labels))
	for i, l := range labels {
		j[i] = mplsLabel(l)
	}
	return j
}

// responderJSON is a Responder.
type responderJSON struct {
	Address         netip.Addr  `json:"address"`
	PacketsReceived int         `json:"packets_received"`
	Status          Status      `json:"status"`
	Type            uint8       `json:"type"`
	Code            uint8       `json:"code"`
	ReplyTTL        int         `json:"reply_ttl,omitzero"`
	MPLS            []mplsLabel `json:"mpls,omitempty"`
}

// MarshalJSON returns the fields, responders, and what [Stats.MarshalJSON] has.
func (h Hop) MarshalJSON() ([]byte, error) {
	responders := make([]responderJSON, len(h.Responders))
	for i := range h.Responders {
		r := &h.Responders[i]
		responders[i] = responderJSON{r.Address, r.PacketsReceived, r.Status, r.Type, r.Code, r.ReplyTTL, newMPLSJSON(r.MPLS)}
	}
	rewritten := h.Rewritten.Words()
	if rewritten == nil {
		rewritten = []string{}
	}
	return json.Marshal(struct {
		Distance       int             `json:"distance"`
		Address        netip.Addr      `json:"address"`
		Status         Status          `json:"status"`
		Responders     []responderJSON `json:"responders"`
		MPLS           []mplsLabel     `json:"mpls"`
		MTU            int             `json:"mtu,omitzero"`
		ReturnDistance int             `json:"return_distance,omitzero"`
		End            RouteEnd        `json:"end,omitzero"`
		Rewritten      []string        `json:"rewritten"`
		statsJSON
	}{h.Distance, h.Address, h.Status, responders, newMPLSJSON(h.MPLS), h.MTU, h.ReturnDistance, h.End, rewritten, newStatsJSON(&h.Stats)})
}

// routeJSON is a Route.
type routeJSON struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
	Reached bool       `json:"reached"`
	End     RouteEnd   `json:"end"`
	Hops    []Hop      `json:"hops"`
	Graph   *Graph     `json:"graph,omitempty"`
	Error   *string    `json:"error"`
}

func newRouteJSON(r *Route) routeJSON {
	hops := r.Hops
	if hops == nil {
		hops = []Hop{}
	}
	return routeJSON{r.Name, r.Address, r.Reached, r.End, hops, r.Graph, errorJSON(r.Err)}
}

// MarshalJSON returns the fields; those of the hops as [Hop.MarshalJSON] does.
func (r Route) MarshalJSON() ([]byte, error) { return json.Marshal(newRouteJSON(&r)) }

// MarshalJSON returns the round, the time, the fields of the Route, the results
// and the events.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	results, events := s.Results, s.Events
	if results == nil {
		results = []Result{}
	}
	if events == nil {
		events = []Event{}
	}
	return json.Marshal(struct {
		Round int       `json:"round"`
		Time  time.Time `json:"time"`
		routeJSON
		Results []Result `json:"results"`
		Events  []Event  `json:"events"`
	}{s.Round, s.Time, newRouteJSON(&s.Route), results, events})
}

// MarshalJSON returns the fields that events of the kind have.
func (e Event) MarshalJSON() ([]byte, error) {
	j := struct {
		Kind     EventKind   `json:"kind"`
		Time     time.Time   `json:"time"`
		Round    int         `json:"round"`
		Distance int         `json:"distance,omitzero"`
		From     *netip.Addr `json:"from,omitempty"`
		To       *netip.Addr `json:"to,omitempty"`
		Duration *float64    `json:"duration_ms,omitempty"`
	}{Kind: e.Kind, Time: e.Time, Round: e.Round}
	switch e.Kind {
	case EventRouteChange:
		j.Distance, j.From, j.To = e.Distance, &e.From, &e.To
	case EventRecovery:
		j.Duration = inMilliseconds(e.Duration)
	}
	return json.Marshal(j)
}
