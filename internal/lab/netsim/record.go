package netsim

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Record is the ground truth about one packet that the client sent: what was
// in it, and what the network did with it, its copies and the answers to them.
type Record struct {
	Time                 time.Time
	V6                   bool
	Source, Destination  netip.Addr
	Protocol             uint8 // of the upper layer, behind any IPv6 extension headers
	TTL, TrafficClass    uint8
	DontFragment         bool   // also of every packet of IPv6
	IPID                 uint16 // IPv4
	FlowLabel            uint32 // IPv6
	Length               int    // of the whole packet, as it was sent
	SourcePort, DestPort uint16 // UDP, TCP, SCTP
	ICMP                 Code
	ID, Sequence         uint16 // of ICMP
	Checksum             uint16 // of the upper layer, but for SCTP
	ChecksumOK           bool
	Payload              []byte // behind the header of the upper layer
	Malformed            bool   // it is no IP packet: the fields above hold nothing
	Events               []Event
}

// Event is something that was done with a packet.
type Event struct {
	Node  string // who did it; "": the network as a whole
	What  Action
	Why   string
	After time.Duration // since the packet was sent
}

// Action is what can be done with a packet.
type Action uint8

// What a network does with packets.
const (
	Forwarded  Action = iota // went on to the next node
	Dropped                  // ended here
	Held                     // is a fragment whose other parts are awaited
	Taken                    // reached a host, which says nothing to it
	Delayed                  // goes on, but later
	Altered                  // goes on, changed
	Duplicated               // goes on, and copies with it
	Answered                 // a node sends a packet of its own because of it
	Forged                   // somebody else does
	Delivered                // an answer reaches the client
)

var actionNames = [...]string{"forwarded", "dropped", "held", "taken", "delayed", "altered", "duplicated", "answered", "forged", "delivered"}

// String returns the action's name in lower case.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// String says it in one line: "+5ms r1 dropped: lost".
func (e Event) String() string {
	s := fmt.Sprintf("+%v %s %v", e.After, e.Node, e.What)
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

// Did reports whether an event of this kind happened because of the packet.
func (r *Record) Did(what Action) bool {
	return slices.ContainsFunc(r.Events, func(e Event) bool { return e.What == what })
}

// Log returns the records of the packets that were sent until now. They share
// memory with the network, which does not change them any more.
func (n *Network) Log() []Record {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clip(n.log)
}

// Forget lets go of the records.
func (n *Network) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = nil
}

// Quiet switches the ground truth off, or on again: without it the network is
// faster and its memory does not grow.
func (n *Network) Quiet(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.quiet = on
}

// Trace makes the network call f with each record instead of keeping it; nil
// makes it keep them. The network is locked meanwhile: f must not use it.
func (n *Network) Trace(f func(*Record)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trace = f
}

func (n *Network) record(r *Record) {
	switch {
	case r == nil:
	case n.trace != nil:
		n.trace(r)
	default:
		n.log = append(n.log, *r)
	}
}

// note adds an event to the record. A nil node stands for nobody in particular.
func (w *walk) note(n *node, what Action, why string, at time.Duration) {
	if w.rec == nil {
		return
	}
	e := Event{What: what, Why: why, After: at}
	if n != nil {
		e.Node = n.Name
	}
	w.rec.Events = append(w.rec.Events, e)
}

// describe records what is in the packet.
func (w *walk) describe(p *packet, ok bool) {
	r := w.rec
	if r == nil {
		return
	}
	if r.Malformed = !ok; !ok {
		return
	}
	r.V6, r.Source, r.Destination = p.v6, p.source(), p.destination()
	r.Protocol, r.TTL, r.TrafficClass = p.proto, p.ttl(), p.trafficClass()
	r.DontFragment, r.IPID, r.FlowLabel, r.Length = p.dontFragment(), p.ipID(), p.flowLabel(), len(p.b)
	if p.part {
		return
	}
	r.Payload = bytes.Clone(p.payload())
	r.ChecksumOK = p.verify()
	if field := p.checksumField(); len(field) == 2 {
		r.Checksum = get16(field)
	}
	switch t := p.transport(); {
	case p.hasPorts() && len(t) >= 4:
		r.SourcePort, r.DestPort = get16(t), get16(t[2:])
	case p.isICMP() && len(t) >= icmpHeader:
		r.ICMP = Code{t[0], t[1]}
		r.ID, r.Sequence = get16(t[4:]), get16(t[6:])
	}
}
