package engine

import "github.com/goicmp/icmplib/icmp"

// likeness says how far the payload of a reply is that of the probe.
type likeness uint8

const (
	unlike likeness = iota // it does not prove that the reply is to the probe
	unsure                 // it is to one of several, and nothing says to which
	partly                 // it does, but it is not what was sent
	wholly                 // it is what was sent
	bare                   // all that it quotes agrees, but anybody could have guessed that
	alone                  // nothing says that it is to this probe, but there is no other
)

// match finds the probe that a message is about. All that was sent and came
// back has to agree; a message about no probe of ours yields nil.
func (c *core) match(r *icmp.Reply) (uint16, *slot, likeness) {
	switch {
	case r.Kind() == icmp.KindEchoReply:
		return c.matchReply(r)
	case r.Type.IsError():
		return c.matchError(r)
	}
	return 0, nil, unlike
}

// matchReply matches family, id and sequence, and compares the payload. (The
// socket belongs to one family.) A reply that brings the nonce back is to our
// probe, whoever sends it: a host may answer from another of its addresses.
// Without a nonce, and where the operation asks for it, the source has to be
// the address that was probed, unless that stands for many hosts.
func (c *core) matchReply(r *icmp.Reply) (uint16, *slot, likeness) {
	s := c.table.lookup(r.Sequence)
	if s == nil || r.ID != c.id {
		return 0, nil, unlike
	}
	op := c.ops.get(s.op)
	dst := s.addr()
	sourced := dst == r.Source.WithZone("") || dst.IsMulticast() || op != nil && op.group
	if op == nil {
		if !sourced {
			return 0, nil, unlike
		}
		return r.Sequence, s, wholly // nobody asks any more
	}
	proven, whole := op.payload.compare(r.Payload, s.nonce, r.Sequence)
	switch {
	case !sourced && (op.sourced || !proven || !op.payload.hasNonce()):
		return 0, nil, unlike
	case whole:
		return r.Sequence, s, wholly
	case proven:
		return r.Sequence, s, partly
	}
	return r.Sequence, s, unlike
}

// matchError matches the quoted packet: family, destination, protocol, type,
// id, sequence and as much of the payload as is quoted. Of 8 quoted bytes the
// checksum is the only one that covers the nonce. One that disagrees does not
// disprove the error, for address translators are known not to restore it, but
// then nothing proves it.
func (c *core) matchError(r *icmp.Reply) (uint16, *slot, likeness) {
	q := &r.Quote
	s := c.table.lookup(q.Sequence)
	if s == nil || q.ID != c.id || !q.Type.IsEchoRequest() || q.Destination.WithZone("") != s.addr() {
		return 0, nil, unlike
	}
	op := c.ops.get(s.op)
	if op == nil {
		return q.Sequence, s, wholly
	}
	switch agrees, proven := op.payload.agrees(q.Payload, s.nonce, q.Sequence); {
	case !agrees:
		return 0, nil, unlike
	case proven, op.payload.summed(r, c.id, s.nonce):
		return q.Sequence, s, wholly
	}
	return q.Sequence, s, bare
}
