package netsim

import (
	"net/netip"
	"time"
)

// Spec describes a network. [Parse] reads one from text, [New] builds it.
type Spec struct {
	Seed   uint64       // of all that is random
	Client []netip.Addr // the client's addresses, to which noise is sent
	Nodes  []Node
	Paths  []Path
	Spoofs []Spoof
	Noises []Noise
}

// Path is the way from the client to destinations. Its last node stands for
// all of them: it answers to any of their addresses as a host does.
type Path struct {
	Line         int // of the text; 0: it was not read
	Destinations []netip.Prefix
	Route        []Element
}

// Element is a part of a route: a node, or branches.
type Element struct {
	Node     string // the name of a node, or "" for branches
	Balance  Balance
	Fields   Field           // what Flow hashes; zero: all
	Times    []time.Duration // of InTime: when each branch but the last ends
	Branches [][]Element
}

// Balance says which of several branches a packet takes.
type Balance uint8

// The kinds of branches.
const (
	Flow        Balance = iota // by a hash of the fields that name the flow
	Destination                // by a hash of the destination
	InTurn                     // each packet takes the next one
	Random                     // by the seed
	All                        // a copy along each: a group of hosts
	Loop                       // one branch, which leads back to its beginning
	InTime                     // one after the other, as time passes: a route that changes
)

// Node is a router, a host, or both: it forwards what is for others, and
// answers as a host what is for itself. Zero fields do nothing out of the
// ordinary.
type Node struct {
	Line      int // of the text; 0: it was not read
	Name      string
	Addresses []netip.Addr // it answers from the first of the family

	// The link that leads to the node from the one before it.
	Delay     []time.Duration // one way; several are taken in turn by the packets
	BackDelay []time.Duration // of the way back; nil: as Delay
	BackMTU   int             // of the way back, where larger answers vanish; 0: no limit
	Jitter    time.Duration   // up to this much is added, each way
	Forward   Faults          // what happens to packets from the client
	Back      Faults          // what happens to answers that cross the link

	Router Router
	Host   Host
	Answer Answer
}

// Faults is what goes wrong with packets.
type Faults struct {
	Lose      When
	Duplicate When
	Copies    int  // that Duplicate adds; 0: 1
	Late      When // reordering is some packets that are late
	LateBy    time.Duration
	Alter     When // a byte of the payload changes, with the right checksum
	AlterAt   int  // which one
	Corrupt   When // a bit of the payload flips, so that the checksum is wrong
}

// Router is how a node forwards.
type Router struct {
	Tunnel    bool // forwards without counting down the TTL
	ZeroTTL   bool // forwards packets whose TTL has become 0
	MTU       int  // of what it forwards; 0: no limit
	BlackHole bool // what is too large for the MTU is dropped without a word
	HideMTU   bool // does not say the MTU, as before RFC 1191 (IPv4)
	TellMTU   int  // says this in place of the MTU; 0: the truth
	Rewrite   Rewrite
	Refusals  []Refusal
}

// Refusal is an ICMP error about packets that came this far, as a router or as
// a host. The first that covers a packet is the one.
type Refusal struct {
	When     When
	V4, V6   Code         // zero: packets of that version are not concerned
	Pointer  int          // of a parameter problem
	Gateways []netip.Addr // of a redirect, one for each version
	Forwards bool         // the packet goes on nevertheless: redirects, source quench
}

// Code is an ICMP type and code. The zero Code stands for none; it would be an
// echo reply.
type Code struct{ Type, Code uint8 }

// Host is how a node treats packets for itself. Echo requests are answered,
// ports are closed.
type Host struct {
	Deaf     When // does not even look at them
	UDP      []uint16
	UDPEcho  []uint16 // open UDP ports that send back what they get
	DNS      []uint16 // ports of servers that drop what they do not understand
	NTP      []uint16
	QUIC     []uint16
	TCP      []uint16
	SCTP     []uint16
	IDShift  Shift
	SeqShift Shift
}

// Shift changes a number in echo replies.
type Shift struct {
	When     When
	By       int
	Absolute bool // By is the number itself
}

// Answer is how a node's own packets look: errors and what a host sends.
type Answer struct {
	Silent   When // sends no ICMP errors
	Faults   Faults
	From     []netip.Addr // other source addresses
	FromWhen When
	TTL      int     // 0: 64
	BackHops int     // routers on the way back that are not on the way there
	Rate     float64 // ICMP messages per second; 0: no limit
	Burst    int     // how many at once
	Cut      int     // length of what is left of an ICMP message
	CutWhen  When
	Options  bool // IPv4 options, or IPv6 extension headers, in its own packets
	Quote    Quote
	Ext      Extension
}

// Quote is how an error quotes a packet.
type Quote struct {
	Limit        bool // quote no more than Size bytes behind the IP header
	Size         int
	SetTTL       bool // the quoted TTL is TTL
	TTL          uint8
	SetClass     bool // the quoted traffic class is TrafficClass
	TrafficClass uint8
}

// Extension is the RFC 4884 extension structure of an error.
type Extension struct {
	Form    ExtensionForm
	Objects []ExtensionObject
}

// ExtensionForm is the way in which extensions are attached.
type ExtensionForm uint8

// The forms of extensions.
const (
	Compliant     ExtensionForm = iota // RFC 4884: with a length of the quote
	Old                                // no length: at the 128th byte (RFC 4884 section 5.1)
	WrongChecksum                      // with a length, but the checksum is wrong
	NoChecksum                         // with a length, and 0 for a checksum
)

// ExtensionObject is an object of an extension structure.
type ExtensionObject struct {
	Class, CType uint8
	Payload      []byte
}

// Rewrite is what a node does to the packets that it forwards, as an address
// translator does. Answers are translated back, except for what they quote.
type Rewrite struct {
	Source, Destination         netip.Addr
	Source6, Destination6       netip.Addr
	SourcePort, DestinationPort uint16 // 0: left alone
	ID                          uint16 // of echo requests; 0: left alone
	Checksum                    uint16 // of the upper layer; 0: left alone. Hosts do not verify it
	SetClass                    bool   // the traffic class becomes TrafficClass
	TrafficClass                uint8
	ClearDF                     bool   // clears the don't-fragment bit (IPv4)
	IPID                        uint16 // 0: left alone (IPv4)
	FlowLabel                   uint32 // 0: left alone (IPv6)
	Options                     bool   // adds an option, or an extension header
	RestoreQuote                bool   // quotes are translated back too, but not their checksum
	OneWay                      bool   // answers are not translated back
}
