package main

import (
	"time"

	"github.com/goicmp/icmplib"
)

// jsonMTR writes one object per target.
type jsonMTR struct{ *jsonReporter }

// jsonMonitored is the object of a target.
type jsonMonitored struct {
	Target  string             `json:"target"`
	Name    string             `json:"name"`
	Reached bool               `json:"reached"`
	End     string             `json:"end"`
	Rounds  int                `json:"rounds"`
	Hops    []jsonMonitoredHop `json:"hops"`
	Events  []jsonEvent        `json:"events"`
	Error   *string            `json:"error"`
}

// jsonMonitoredHop is that of traceroute, with the figures of many rounds.
type jsonMonitoredHop struct {
	jsonHop
	Silent             int             `json:"silent"`
	Late               int             `json:"late"`
	Duplicates         int             `json:"duplicates"`
	LastRTT            *float64        `json:"last_rtt_ms"`
	MedianRTT          *float64        `json:"median_rtt_ms"`
	P95RTT             *float64        `json:"p95_rtt_ms"`
	StdDev             *float64        `json:"stddev_rtt_ms"`
	InterarrivalJitter *float64        `json:"interarrival_jitter_ms"`
	Responders         []jsonResponder `json:"responders"`
}

// jsonResponder is one of those who answer at a hop.
type jsonResponder struct {
	Address string      `json:"address"`
	Status  string      `json:"status"`
	Answers int         `json:"answers"`
	MPLS    []jsonLabel `json:"mpls"`
}

// jsonEvent is the object of an event. What its kind does not have is null.
type jsonEvent struct {
	Kind     string   `json:"kind"`
	Time     string   `json:"time"`
	Round    int      `json:"round"`
	Distance *int     `json:"distance"`
	From     *string  `json:"from"`
	To       *string  `json:"to"`
	Duration *float64 `json:"duration_ms"`
}

func (j jsonMTR) outcomes(all []*mtrOutcome) {
	for _, o := range all {
		j.write(newJSONMonitored(o))
	}
}

func newJSONMonitored(o *mtrOutcome) jsonMonitored {
	route := o.route()
	trace := newJSONTrace(route, o.fault())
	j := jsonMonitored{
		Target: trace.Target, Name: trace.Name, Reached: trace.Reached, End: trace.End, Error: trace.Error,
		Rounds: o.rounds(), Hops: []jsonMonitoredHop{}, Events: []jsonEvent{},
	}
	for i := range route.Hops {
		j.Hops = append(j.Hops, newJSONMonitoredHop(&route.Hops[i]))
	}
	for _, e := range o.events {
		j.Events = append(j.Events, newJSONEvent(e))
	}
	return j
}

func newJSONMonitoredHop(h *icmplib.Hop) jsonMonitoredHop {
	o := jsonMonitoredHop{
		jsonHop: newJSONHop(h),
		Silent:  h.Silent, Late: h.Late, Duplicates: h.Duplicates,
		Responders: []jsonResponder{},
	}
	if h.PacketsReceived > 0 {
		o.LastRTT, o.StdDev = inMilliseconds(h.LastRTT()), inMilliseconds(h.StdDev())
		o.MedianRTT, o.P95RTT = inMilliseconds(h.Percentile(0.5)), inMilliseconds(h.Percentile(0.95))
		o.InterarrivalJitter = inMilliseconds(h.InterarrivalJitter())
	}
	for i := range h.Responders {
		r := &h.Responders[i]
		o.Responders = append(o.Responders, jsonResponder{
			addressText(r.Address), r.Status.String(), r.PacketsReceived, newJSONLabels(r.MPLS),
		})
	}
	return o
}

func newJSONEvent(e icmplib.Event) jsonEvent {
	o := jsonEvent{Kind: e.Kind.String(), Time: e.Time.UTC().Format(time.RFC3339Nano), Round: e.Round}
	switch e.Kind {
	case icmplib.EventRouteChange:
		from, to := addressText(e.From), addressText(e.To)
		o.Distance, o.From, o.To = &e.Distance, &from, &to
	case icmplib.EventRecovery:
		o.Duration = inMilliseconds(e.Duration)
	}
	return o
}
