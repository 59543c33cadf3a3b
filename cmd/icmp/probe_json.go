package main

import "github.com/goicmp/icmplib"

// jsonProbes writes an object for each probe.
type jsonProbes struct {
	*jsonReporter
	protocol icmplib.Protocol
}

// jsonProbe is the object of a probe. Its first fields are those of mtrpacket's
// results. What there is not is null: a responder where nobody answered, type
// and code where no ICMP message did.
type jsonProbe struct {
	Success       bool        `json:"success"`
	Result        string      `json:"result"`
	Time          *float64    `json:"time_ms"`
	Responder     *string     `json:"responder"`
	MPLS          []jsonLabel `json:"mpls"`
	Type          *uint8      `json:"type"`
	Code          *uint8      `json:"code"`
	MTU           *int        `json:"mtu"`
	Target        string      `json:"target"`
	Name          string      `json:"name"`
	Protocol      string      `json:"protocol"`
	TTL           int         `json:"ttl"`
	Seq           int         `json:"seq"`
	ReplyTTL      *int        `json:"reply_ttl"`
	Size          *int        `json:"size"`
	Altered       bool        `json:"altered,omitempty"`
	Unproven      bool        `json:"unproven,omitempty"`
	Suspect       bool        `json:"suspect,omitempty"`
	Retransmitted bool        `json:"retransmitted,omitempty"`
	Error         *string     `json:"error"`
}

func (j jsonProbes) result(target string, r icmplib.Result) {
	o := jsonProbe{
		Success:       r.Status == icmplib.StatusReply,
		Result:        r.Status.String(),
		MPLS:          newJSONLabels(r.MPLS),
		MTU:           unlessZero(r.MTU),
		Target:        r.Dst.String(),
		Name:          target,
		Protocol:      j.protocol.String(),
		TTL:           r.TTL,
		Seq:           r.Seq,
		ReplyTTL:      unlessZero(r.ReplyTTL),
		Size:          unlessZero(r.Size),
		Altered:       r.Altered,
		Unproven:      r.Unproven,
		Suspect:       r.Suspect,
		Retransmitted: r.Retransmitted,
		Error:         errorText(r.Cause),
	}
	if r.Responder.IsValid() {
		responder := r.Responder.String()
		o.Responder, o.Time = &responder, inMilliseconds(r.RTT)
	}
	if r.Size > 0 || r.Type != 0 {
		o.Type, o.Code = &r.Type, &r.Code
	}
	j.write(o)
}
