package icmplib

import (
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/icmp"
)

// Hop is a place on the way to a target: the routers, or the target, that answer
// probes with one TTL.
//
// In its [Stats] any answer counts as received, for a router's time exceeded is
// the answer that was asked for.
type Hop struct {
	// Distance is the TTL, or hop limit, of the probes.
	Distance int

	// Address is who answered first; the zero Addr for a silent hop.
	Address netip.Addr

	// Responders are all who answered, in the order of their first answers. It
	// is more than one where a router spreads load, or a route changes.
	Responders []Responder

	// Status is what the answers mean: [StatusTTLExpired] for a router on the
	// way, [StatusReply] for the target, another one where somebody refuses to
	// forward the packet, [StatusNoReply] for a silent hop.
	Status Status

	// MPLS is the label stack of the first answer that brought one.
	MPLS []icmp.MPLSLabel

	// MTU is what a [StatusPacketTooBig] reports, in bytes; 0: none did.
	MTU int

	// ReturnDistance is the estimated number of hops on the way back, from the
	// TTL with which the first answer came, and the usual initial TTLs (64, 128
	// and 255); 0: not known. Where it is far from Distance, the way back is
	// another one.
	ReturnDistance int

	// Rewritten are the header fields that the hop saw otherwise than the hop
	// before it that quotes, or than they were sent: as the first answer quotes
	// them. That may be the hop's own way to quote: [Route.Rewrites] goes by what
	// the hops behind it saw, too. It is not known without raw sockets.
	Rewritten Rewrite

	// End is why the trace ended at this hop; [EndUnknown] for one that it went
	// beyond, or that it was cut short at. The last hop of a finished trace has
	// it, and so says what [Route.End] does.
	End RouteEnd

	sent Quoted // how probes looked when they were sent; the zero value: not known

	Stats
}

// Responder is one of those who answer at a hop.
type Responder struct {
	Address         netip.Addr           // the source of its answers
	PacketsReceived int                  // probes that it answered in time
	Status          Status               // what its first answer means
	Type            icmp.Type            // of the ICMP message; 0: it was none
	Code            uint8                // of the ICMP message
	ReplyTTL        int                  // of the first answer; 0: not known
	RTTSource       RTTSource            // of the first answer
	MPLS            []icmp.MPLSLabel     // the label stack that the probe arrived with
	Interfaces      []icmp.InterfaceInfo // RFC 5837
	Quoted          Quoted               // how it saw the first probe that it answered
}

// IsSilent tells whether nobody answered.
func (h *Hop) IsSilent() bool { return len(h.Responders) == 0 }

// add takes a result of one of the hop's probes.
func (h *Hop) add(r *Result) {
	h.Stats.Add(*r)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	h.describe(r)
	for i := range h.Responders {
		if e := &h.Responders[i]; e.Address == r.Responder {
			e.count(r)
			return
		}
	}
	h.Responders = append(h.Responders, newResponder(r))
}

// maxResponders bounds what is kept of those who answer at a hop that is watched. With
// more, who answered longest ago is forgotten.
const maxResponders = 16

// addLatest takes a result of one of the hop's probes where it is watched for long: what
// it says replaces what was said before. The ordinal is that of the probe among those to
// the hop, for rounds may have left the hop out.
func (h *Hop) addLatest(r *Result, ordinal int) {
	inHop := *r
	inHop.Seq = ordinal
	h.Stats.Add(inHop)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	if r.Settles() {
		h.MPLS, h.Status = r.MPLS, r.Status
		if r.MTU > 0 {
			h.MTU = r.MTU
		}
	}
	for i := range h.Responders {
		if e := &h.Responders[i]; e.Address == r.Responder {
			e.count(r)
			return
		}
	}
	if len(h.Responders) == maxResponders {
		h.Responders = slices.Delete(h.Responders, 0, 1)
	}
	h.Responders = append(h.Responders, newResponder(r))
}

// newResponder describes who answered by the first answer.
func newResponder(r *Result) Responder {
	e := Responder{
		Address:    r.Responder,
		Status:     r.Status,
		Type:       r.Type,
		Code:       r.Code,
		ReplyTTL:   r.ReplyTTL,
		RTTSource:  r.RTTSource,
		MPLS:       r.MPLS,
		Interfaces: r.Interfaces,
		Quoted:     r.Quoted,
	}
	e.count(r)
	return e
}

// count counts an answer that settles its probe.
func (e *Responder) count(r *Result) {
	if r.Settles() {
		e.PacketsReceived++
	}
}

// describe keeps what the first answer that says it says.
func (h *Hop) describe(r *Result) {
	if !h.Address.IsValid() {
		h.Address = r.Responder
		h.ReturnDistance = returnDistance(r.ReplyTTL)
	}
	if h.Status == StatusNoReply || r.Status == StatusReply {
		h.Status = r.Status
	}
	if h.MPLS == nil {
		h.MPLS = r.MPLS
	}
	if h.MTU == 0 {
		h.MTU = r.MTU
	}
}

// returnDistance guesses how many hops an answer took, from the TTL that is left.
func returnDistance(ttl int) int {
	for _, initial := range [...]int{64, 128, 255} {
		if ttl > 0 && ttl <= initial {
			return initial - ttl + 1
		}
	}
	return 0
}
