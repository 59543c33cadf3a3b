package netsim

import "time"

// Field is a set of the header fields that a balancing router hashes.
type Field uint8

// The fields that name a flow.
const (
	FieldSource Field = 1 << iota
	FieldDestination
	FieldProtocol
	FieldPorts    // of UDP, TCP and SCTP
	FieldChecksum // of ICMP, with its type and code: they stand where others have ports
	FieldID       // of ICMP
	FieldLabel    // the flow label of IPv6
	FieldClass    // the traffic class, which few routers hash

	allFields = FieldClass - 1
)

// choose returns the branch that a packet takes, at a time since the first one.
func (s *split) choose(f *flight, at time.Duration) *branch {
	if s.balance == InTime {
		i := 0
		for i < len(s.times) && at >= s.times[i] {
			i++
		}
		return &s.branches[i]
	}
	if b := s.leadingTo(f.toward); b != nil {
		return b
	}
	count := uint64(len(s.branches))
	switch s.balance {
	case InTurn:
		s.turn++
		return &s.branches[uint64(s.turn-1)%count]
	case Random:
		return &s.branches[s.random.Uint64N(count)]
	}
	return &s.branches[f.p.hash(s.fields, s.salt)%count]
}

// hash mixes the chosen fields of a packet.
func (p *packet) hash(fields Field, salt uint64) uint64 {
	h := hasher(salt)
	if p.v6 {
		h.bytes(fields, FieldSource, p.b[8:24])
		h.bytes(fields, FieldDestination, p.b[24:40])
	} else {
		h.bytes(fields, FieldSource, p.b[12:16])
		h.bytes(fields, FieldDestination, p.b[16:20])
	}
	if fields&FieldProtocol != 0 {
		h.add(uint64(p.proto))
	}
	if fields&FieldLabel != 0 {
		h.add(uint64(p.flowLabel()))
	}
	if fields&FieldClass != 0 {
		h.add(uint64(p.trafficClass()))
	}
	switch t := p.transport(); {
	case p.hasPorts() && len(t) >= 4:
		h.bytes(fields, FieldPorts, t[:4])
	case p.isICMP() && len(t) >= 8:
		h.bytes(fields, FieldChecksum, t[:4])
		h.bytes(fields, FieldID, t[4:6])
	}
	return uint64(h)
}

// hasher is a small hash whose result does not change from run to run.
type hasher uint64

func (h *hasher) bytes(fields, field Field, b []byte) {
	if fields&field == 0 {
		return
	}
	for ; len(b) >= 4; b = b[4:] {
		h.add(uint64(get32(b)))
	}
	for _, c := range b {
		h.add(uint64(c))
	}
}

func (h *hasher) add(v uint64) { *h = hasher(mix(uint64(*h) ^ v)) }

// mix spreads the bits of v over the whole word: the finalizer of SplitMix64.
func mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

func hashString(s string) uint64 {
	var h hasher
	for _, c := range []byte(s) {
		h.add(uint64(c))
	}
	return uint64(h)
}
