package netsim

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Network is a network at work. What it does depends on nothing but its
// [Spec], the packets it is given and the times that are given with them. It
// is safe for concurrent use; how it numbers packets then depends on who comes
// first.
type Network struct {
	mu     sync.Mutex
	client [2]netip.Addr // of IPv4 and IPv6
	all    []netip.Addr
	nodes  []*node
	routes table
	paths  []*route
	spoofs []*spoofer
	noises []*noise
	memory arena
	walk   walk
	parts  reassembly

	mailboxes []*mailbox // of its sockets
	listened  uint64     // sockets until now
	held      map[port]bool

	epoch time.Time // of the first thing that was asked of it
	log   []Record
	quiet bool
	trace func(*Record)
}

// Delivery is a packet that reaches the client.
type Delivery struct {
	At     time.Time
	Packet []byte // the whole IP packet; the receiver's to keep
	Node   string // who sent it
	Cause  string // what it is: "echo reply", "time exceeded", "noise" ...
}

// New builds the network that spec describes. The spec is not to be changed
// any more. An error says which part of it makes no sense.
func New(spec *Spec) (*Network, error) {
	n := &Network{routes: newTable(), all: spec.Client}
	n.walk.n = n
	if err := n.setClient(spec.Client); err != nil {
		return nil, err
	}
	c := compiler{seed: spec.Seed, byName: map[string]*node{}}
	for i := range spec.Nodes {
		node, err := c.node(&spec.Nodes[i])
		if err != nil {
			return nil, inLine(spec.Nodes[i].Line, err)
		}
		n.nodes = append(n.nodes, node)
	}
	for i := range spec.Paths {
		if err := n.addPath(&c, &spec.Paths[i]); err != nil {
			return nil, inLine(spec.Paths[i].Line, fmt.Errorf("path: %w", err))
		}
	}
	n.addOwnRoutes()
	n.addSpoofs(&c, spec.Spoofs)
	return n, n.addNoises(&c, spec.Noises)
}

// inLine says in which line of the text an error is.
func inLine(line int, err error) error {
	if line == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// MustParse returns the network that the text describes, and panics where
// there is an error in it: for tests, which write their networks themselves.
func MustParse(text string) *Network {
	spec, err := ParseString(text)
	if err != nil {
		panic(err)
	}
	n, err := New(spec)
	if err != nil {
		panic(err)
	}
	return n
}

// Client returns the client's addresses.
func (n *Network) Client() []netip.Addr { return slices.Clone(n.all) }

func (n *Network) setClient(addresses []netip.Addr) error {
	if len(addresses) == 0 {
		return errNoClient
	}
	for _, a := range addresses {
		if !usable(a) {
			return fmt.Errorf("client %v %w", a, errBadAddress)
		}
		if i := family(a); !n.client[i].IsValid() {
			n.client[i] = a
		}
	}
	return nil
}

// family is the index of an address's family: 0 for IPv4, 1 for IPv6.
func family(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// Send takes an IP packet that the client sends at now, and returns what comes
// back because of it, in order of time. The packet is only read.
func (n *Network) Send(now time.Time, packet []byte) []Delivery {
	return n.AppendSend(nil, now, packet)
}

// AppendSend is [Network.Send] that appends what comes back to dst.
func (n *Network) AppendSend(dst []Delivery, now time.Time, packet []byte) []Delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begin(now)
	start := len(dst)
	w := &n.walk
	w.start(dst, now)
	w.send(packet)
	slices.SortStableFunc(w.out[start:], func(a, b Delivery) int { return a.At.Compare(b.At) })
	n.record(w.rec)
	dst, w.out = w.out, nil
	return dst
}

func (n *Network) begin(now time.Time) {
	if n.epoch.IsZero() {
		n.epoch = now
	}
}
