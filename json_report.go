package icmplib

import "encoding/json"

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
