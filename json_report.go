package icmplib

import "encoding/json"

// MarshalJSON returns the fields.
func (r MTUReport) MarshalJSON() ([]byte, error) {
	type fields MTUReport
	if r.Hops == nil {
		r.Hops = []HopMTU{}
	}
	if r.BlackHoles == nil {
		r.BlackHoles = []BlackHole{}
	}
	return json.Marshal(fields(r))
}

// MarshalJSON returns the fields.
func (r LossReport) MarshalJSON() ([]byte, error) {
	type fields LossReport
	if r.Hops == nil {
		r.Hops = []HopLoss{}
	}
	return json.Marshal(fields(r))
}

// MarshalJSON returns the fields, and the loss.
func (s LossShare) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		PacketsSent     int      `json:"packets_sent"`
		PacketsAnswered int      `json:"packets_answered"`
		Loss            float64  `json:"loss"`
		Low             float64  `json:"low"`
		High            float64  `json:"high"`
		Interval        *float64 `json:"interval_ms"`
	}{s.PacketsSent, s.PacketsAnswered, s.Loss(), s.Low, s.High, inMilliseconds(s.Interval)})
}
