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

// Packet is the network's record of a packet that the client sent.
type Packet struct {
	// Sent is when the client sent it, by the clock of the test: virtual in a bubble.
	Sent time.Time

	// Source and Destination are its addresses as it left the client.
	Source, Destination netip.Addr

	// Protocol is that of the upper layer: ICMP, ICMPv6, UDP, TCP or SCTP.
	Protocol icmp.Protocol

	TTL          int  // TTL or hop limit as it left the client
	TrafficClass int  // or TOS
	DontFragment bool // always set for IPv6
	Length       int  // of the whole IP packet, in bytes

	// SourcePort and DestinationPort are those of UDP, TCP and SCTP.
	SourcePort, DestinationPort uint16

	// Sequence is the sequence number of an echo request.
	Sequence uint16

	// Events are what happened to the packet, to its copies and to their answers, in
	// order.
	Events []Event
}

// Event is one thing that happened to a packet.
type Event struct {
	After  time.Duration // since the packet was sent
	Node   string        // the name of the node that did it; "": no node in particular
	Action Action        // what the node did
	Why    string        // such as "lost" or "time exceeded"; may be empty
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

// Action is what a network does with a packet.
type Action string

// Actions of a network.
const (
	Forwarded  Action = "forwarded"  // the packet went on to the next node
	Dropped    Action = "dropped"    // the packet ended here
	Held       Action = "held"       // the packet is a fragment, and waits for the others
	Taken      Action = "taken"      // the packet reached a host, which does not answer it
	Delayed    Action = "delayed"    // the packet goes on, but later
	Altered    Action = "altered"    // the packet goes on, changed
	Duplicated Action = "duplicated" // the packet goes on, with copies
	Answered   Action = "answered"   // the node sends a packet of its own in answer
	Forged     Action = "forged"     // a spoofer sends a packet in answer
	Delivered  Action = "delivered"  // an answer reaches the client
)

// Did reports whether one of the packet's events has the given action.
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
