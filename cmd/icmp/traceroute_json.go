package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// jsonRoute writes one object at the end.
type jsonRoute struct{ *jsonReporter }

// jsonTrace is the object of a route.
type jsonTrace struct {
	Target   string        `json:"target"`
	Name     string        `json:"name"`
	Reached  bool          `json:"reached"`
	End      string        `json:"end"`
	Hops     []jsonHop     `json:"hops"`
	Rewrites []jsonRewrite `json:"rewrites"` // null: not known
	Error    *string       `json:"error"`

	Graph json.RawMessage `json:"graph,omitempty"` // of several flows
}

// jsonHop is the object of a hop. Round-trip times are null where nobody
// answered, and so is the MTU where nobody told it.
type jsonHop struct {
	Distance        int             `json:"distance"`
	Addresses       []string        `json:"addresses"`
	RTTs            []float64       `json:"rtts_ms"`
	PacketsSent     int             `json:"packets_sent"`
	PacketsReceived int             `json:"packets_received"`
	PacketLoss      float64         `json:"packet_loss"`
	SendErrors      int             `json:"send_errors"`
	Suspect         int             `json:"suspect"`
	MinRTT          *float64        `json:"min_rtt_ms"`
	AvgRTT          *float64        `json:"avg_rtt_ms"`
	MaxRTT          *float64        `json:"max_rtt_ms"`
	Jitter          *float64        `json:"jitter_ms"`
	MPLS            []jsonLabel     `json:"mpls"`
	Interfaces      []jsonInterface `json:"interfaces,omitempty"` // of the first responder that tells of some
	Status          string          `json:"status"`
	MTU             *int            `json:"mtu"`
	Rewritten       []string        `json:"rewritten"`
	ReturnDistance  *int            `json:"return_distance"`
}

// jsonLabel is an MPLS label.
type jsonLabel struct {
	Label         uint32 `json:"label"`
	TrafficClass  uint8  `json:"traffic_class"`
	BottomOfStack bool   `json:"bottom_of_stack"`
	TTL           uint8  `json:"ttl"`
}

func (j jsonRoute) start(*icmplib.Route)             {}
func (j jsonRoute) hop(*icmplib.Route, *icmplib.Hop) {}
func (j jsonRoute) end(r *icmplib.Route, err error)  { j.write(newJSONTrace(r, err)) }

func newJSONTrace(r *icmplib.Route, err error) jsonTrace {
	o := jsonTrace{
		Target:   addressText(r.Address),
		Name:     r.Name,
		Reached:  r.Reached,
		End:      r.End.String(),
		Hops:     []jsonHop{},
		Rewrites: newJSONRewrites(r),
		Error:    errorText(err),
		Graph:    graphJSON(r),
	}
	for i := range r.Hops {
		o.Hops = append(o.Hops, newJSONHop(&r.Hops[i]))
	}
	return o
}

func newJSONHop(h *icmplib.Hop) jsonHop {
	o := jsonHop{
		Distance:        h.Distance,
		Addresses:       []string{},
		RTTs:            []float64{},
		PacketsSent:     h.PacketsSent,
		PacketsReceived: h.PacketsReceived,
		PacketLoss:      h.PacketLoss(),
		SendErrors:      h.SendErrors,
		Suspect:         h.Suspect,
		MPLS:            newJSONLabels(h.MPLS),
		Status:          h.Status.String(),
		MTU:             unlessZero(h.MTU),
		Rewritten:       jsonRewritten(h.Rewritten),
		ReturnDistance:  unlessZero(h.ReturnDistance),
	}
	for i := range h.Responders {
		o.Addresses = append(o.Addresses, h.Responders[i].Address.String())
		if o.Interfaces == nil {
			o.Interfaces = newJSONInterfaces(h.Responders[i].Interfaces)
		}
	}
	for _, rtt := range h.RTTs() {
		o.RTTs = append(o.RTTs, *inMilliseconds(rtt))
	}
	if h.PacketsReceived > 0 {
		o.MinRTT, o.AvgRTT, o.MaxRTT = inMilliseconds(h.MinRTT()), inMilliseconds(h.AvgRTT()), inMilliseconds(h.MaxRTT())
		o.Jitter = inMilliseconds(h.Jitter())
	}
	return o
}

// jsonInterface is what a router tells of an interface.
type jsonInterface struct {
	Role    icmp.InterfaceRole `json:"role"`
	Index   uint32             `json:"index,omitempty"`
	Address string             `json:"address,omitempty"`
	Name    string             `json:"name,omitempty"`
	MTU     int                `json:"mtu,omitempty"`
}

func newJSONInterfaces(all []icmp.InterfaceInfo) (o []jsonInterface) {
	for _, i := range all {
		o = append(o, jsonInterface{i.Role, i.Index, addressText(i.Address), i.Name, i.MTU})
	}
	return o
}

func newJSONLabels(labels []icmp.MPLSLabel) []jsonLabel {
	o := make([]jsonLabel, len(labels))
	for i, l := range labels {
		o[i] = jsonLabel(l)
	}
	return o
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func unlessZero(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

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
