package icmplib

import (
	"encoding/json"
	"net/netip"
	"time"
)

// In JSON, names are in lower case with underscores, durations are numbers of
// milliseconds in fields whose names end in _ms, and what is not known is null or
// left out. It is for others to read: nothing is made of it again.

// statsJSON is the figures of a Stats.
type statsJSON struct {
	PacketsSent     int       `json:"packets_sent"`
	PacketsReceived int       `json:"packets_received"`
	PacketLoss      float64   `json:"packet_loss"`
	Silent          int       `json:"silent"`
	ICMPErrors      int       `json:"icmp_errors"`
	Late            int       `json:"late"`
	Unsettled       int       `json:"unsettled"`
	Duplicates      int       `json:"duplicates"`
	Altered         int       `json:"altered"`
	Advised         int       `json:"advised"`
	SendErrors      int       `json:"send_errors"`
	Suspect         int       `json:"suspect"`
	MinRTT          *float64  `json:"min_rtt_ms"`
	AvgRTT          *float64  `json:"avg_rtt_ms"`
	MaxRTT          *float64  `json:"max_rtt_ms"`
	LastRTT         *float64  `json:"last_rtt_ms"`
	StdDev          *float64  `json:"stddev_rtt_ms"`
	Jitter          *float64  `json:"jitter_ms"`
	RTTs            []float64 `json:"rtts_ms"`
}

func newStatsJSON(s *Stats) statsJSON {
	j := statsJSON{
		PacketsSent: s.PacketsSent, PacketsReceived: s.PacketsReceived, PacketLoss: s.PacketLoss(),
		Silent: s.Silent, ICMPErrors: s.ICMPErrors, Late: s.Late, Unsettled: s.Unsettled,
		Duplicates: s.Duplicates, Altered: s.Altered, Advised: s.Advised, SendErrors: s.SendErrors, Suspect: s.Suspect,
		RTTs: []float64{},
	}
	if s.MaxRTT() > 0 {
		j.MinRTT, j.AvgRTT, j.MaxRTT = inMilliseconds(s.MinRTT()), inMilliseconds(s.AvgRTT()), inMilliseconds(s.MaxRTT())
		j.LastRTT, j.StdDev, j.Jitter = inMilliseconds(s.LastRTT()), inMilliseconds(s.StdDev()), inMilliseconds(s.Jitter())
	}
	for _, rtt := range s.RTTs() {
		j.RTTs = append(j.RTTs, *inMilliseconds(rtt))
	}
	return j
}

func inMilliseconds(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}

// errorJSON returns what err says, nil if there is none.
func errorJSON(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}

// MarshalJSON returns the counters, and what the methods make of the round-trip
// times: packets_sent, packet_loss, avg_rtt_ms and so on. A type of one's own that
// embeds a Stats needs a MarshalJSON of its own.
func (s Stats) MarshalJSON() ([]byte, error) { return json.Marshal(newStatsJSON(&s)) }

// MarshalJSON returns the name, the address, is_alive, the error, and what
// [Stats.MarshalJSON] has.
func (h Host) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string     `json:"name"`
		Address netip.Addr `json:"address"`
		IsAlive bool       `json:"is_alive"`
		Error   *string    `json:"error"`
		statsJSON
	}{h.Name, h.Address, h.IsAlive(), errorJSON(h.Err), newStatsJSON(&h.Stats)})
}

// resultJSON is a Result.
type resultJSON struct {
	Dst           netip.Addr  `json:"dst"`
	Seq           int         `json:"seq"`
	Status        Status      `json:"status"`
	Responder     netip.Addr  `json:"responder,omitzero"`
	RTT           *float64    `json:"rtt_ms"`
	RTTSource     RTTSource   `json:"rtt_source,omitzero"`
	Sent          time.Time   `json:"sent,omitzero"`
	TTL           int         `json:"ttl"`
	ReplyTTL      int         `json:"reply_ttl,omitzero"`
	Size          int         `json:"size,omitzero"`
	Type          uint8       `json:"type"`
	Code          uint8       `json:"code"`
	MTU           int         `json:"mtu,omitzero"`
	MPLS          []mplsLabel `json:"mpls,omitempty"`
	Late          bool        `json:"late,omitzero"`
	Duplicate     bool        `json:"duplicate,omitzero"`
	Advises       bool        `json:"advises,omitzero"`
	Corrects      bool        `json:"corrects,omitzero"`
	Altered       bool        `json:"altered,omitzero"`
	Unproven      bool        `json:"unproven,omitzero"`
	Suspect       bool        `json:"suspect,omitzero"`
	Retransmitted bool        `json:"retransmitted,omitzero"`
	Error         *string     `json:"error"`
}

func newResultJSON(r *Result) resultJSON {
	j := resultJSON{
		Dst: r.Dst, Seq: r.Seq, Status: r.Status, Responder: r.Responder, RTTSource: r.RTTSource, Sent: r.Sent,
		TTL: r.TTL, ReplyTTL: r.ReplyTTL, Size: r.Size, Type: r.Type, Code: r.Code, MTU: r.MTU, MPLS: newMPLSJSON(r.MPLS),
		Late: r.Late, Duplicate: r.Duplicate, Advises: r.Advises, Corrects: r.Corrects, Altered: r.Altered, Unproven: r.Unproven, Suspect: r.Suspect, Retransmitted: r.Retransmitted,
		Error: errorJSON(r.Cause),
	}
	if r.RTT > 0 {
		j.RTT = inMilliseconds(r.RTT)
	}
	return j
}

// MarshalJSON returns the fields, save Interfaces, Quoted and ReplyTrafficClass;
// Cause is the error.
func (r Result) MarshalJSON() ([]byte, error) { return json.Marshal(newResultJSON(&r)) }

// MarshalJSON returns the tag and the fields of the Result.
func (r StreamResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Tag uint64 `json:"tag"`
		resultJSON
	}{r.Tag, newResultJSON(&r.Result)})
}
