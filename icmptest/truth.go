package icmptest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Packet is what the network knows of a packet that was sent into it.
type Packet struct {
	// Sent is when it was sent, by the clock of the test: virtual in a bubble.
	Sent time.Time

	// Source and Destination are its addresses as it left the client.
	Source, Destination netip.Addr

	// Protocol is that of the upper layer: ICMP, ICMPv6, UDP, TCP or SCTP.
	Protocol icmp.Protocol

	TTL          int // as it was sent; the hop limit of IPv6
	TrafficClass int
	DontFragment bool // also of every packet of IPv6
	Length       int  // of the whole IP packet, in bytes

	// SourcePort and DestinationPort are those of UDP, TCP and SCTP.
	SourcePort, DestinationPort uint16

	// Sequence is the sequence number of an echo request.
	Sequence uint16

	// Events is what was done with the packet, its copies and what answered them,
	// as it happened.
	Events []Event
}

// Event is something that was done with a packet.
type Event struct {
	After  time.Duration // since the packet was sent
	Node   string        // the name of the node that did it; "": nobody in particular
	Action Action
	Why    string // such as "lost" or "time exceeded"; may be empty
}

// String returns the event in a line, such as "+5ms r1 dropped: lost".
func (e Event) String() string {
	s := fmt.Sprintf("+%v", e.After)
	if e.Node != "" {
		s += " " + e.Node
	}
	s += " " + string(e.Action)
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

// Action is what can be done with a packet.
type Action string

// What a network does with packets.
const (
	Forwarded  Action = "forwarded"  // it went on to the next node
	Dropped    Action = "dropped"    // it ended here
	Held       Action = "held"       // it is a fragment whose other parts are awaited
	Taken      Action = "taken"      // it reached a host, which says nothing to it
	Delayed    Action = "delayed"    // it goes on, but later
	Altered    Action = "altered"    // it goes on, changed
	Duplicated Action = "duplicated" // it goes on, and copies with it
	Answered   Action = "answered"   // a node sends a packet of its own because of it
	Forged     Action = "forged"     // somebody else does
	Delivered  Action = "delivered"  // an answer reaches the client
)

// Did reports whether something of the kind happened because of the packet.
func (p *Packet) Did(a Action) bool {
	return slices.ContainsFunc(p.Events, func(e Event) bool { return e.Action == a })
}

// String returns the packet in a line, and its events in a line each.
func (p *Packet) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%v to %v, TTL %d, %d bytes", p.Protocol, p.Destination, p.TTL, p.Length)
	for _, e := range p.Events {
		s.WriteString("\n\t" + e.String())
	}
	return s.String()
}

func packetOf(r *netsim.Record) Packet {
	p := Packet{
		Sent: r.Time, Source: r.Source, Destination: r.Destination, Protocol: icmp.Protocol(r.Protocol),
		TTL: int(r.TTL), TrafficClass: int(r.TrafficClass), DontFragment: r.DontFragment, Length: r.Length,
		SourcePort: r.SourcePort, DestinationPort: r.DestPort, Sequence: r.Sequence,
		Events: make([]Event, 0, len(r.Events)),
	}
	for _, e := range r.Events {
		p.Events = append(p.Events, Event{After: e.After, Node: e.Node, Action: Action(e.What.String()), Why: e.Why})
	}
	return p
}
