package netsim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// node is a Node at work.
type node struct {
	Node
	random   *rand.Rand
	arrivals int // packets that came from the client: the count that When goes by
	limiter  limiter
	ipID     uint16
}

// step is a place in a compiled route: a node, or a split. A step that is
// neither only leads on to the next.
type step struct {
	node  *node
	split *split
	next  *step // nil: the route ends here
}

// split is branches at work. They lead on to what follows them by themselves.
type split struct {
	balance  Balance
	fields   Field
	salt     uint64 // makes each router hash differently
	random   *rand.Rand
	turn     int
	times    []time.Duration
	branches []branch
}

type branch struct {
	first *step
	nodes []*node
}

// route is where packets for a prefix go.
type route struct {
	first  *step
	nodes  []*node
	toward *node // nil: the end of the path. Else branches without it are not taken
}

var (
	errUnknownNode = errors.New("there is no such node")
	errTwice       = errors.New("is described twice")
	errNoName      = errors.New("a node needs a name")
	errNoRoute     = errors.New("a path needs at least one node")
	errNoPrefix    = errors.New("a path needs at least one destination")
	errNoBranches  = errors.New("branches need at least one branch")
	errBadLoop     = errors.New("a loop has one branch with a node in it, and nothing follows it")
	errBadTimes    = errors.New("branches that follow in time need a time between each two, in order")
	errNoClient    = errors.New("the network needs a client with an address: write a line such as client 192.0.2.1")
	errBadAddress  = errors.New("is not an IPv4 or IPv6 address without a zone")
)

// compiler turns a Spec into what a Network walks along.
type compiler struct {
	seed   uint64
	splits uint64
	byName map[string]*node
}

// stream is a source of randomness of its own, so that what is added to a
// network changes nothing for the rest of it.
func (c *compiler) stream(name string) *rand.Rand {
	return rand.New(rand.NewPCG(c.seed, hashString(name)))
}

func (c *compiler) node(spec *Node) (*node, error) {
	if spec.Name == "" {
		return nil, errNoName
	}
	if c.byName[spec.Name] != nil {
		return nil, fmt.Errorf("node %s %w", spec.Name, errTwice)
	}
	for _, a := range spec.Addresses {
		if !usable(a) {
			return nil, fmt.Errorf("node %s: %v %w", spec.Name, a, errBadAddress)
		}
	}
	n := &node{Node: *spec, random: c.stream(spec.Name)}
	n.limiter = limiter{rate: n.Answer.Rate, burst: max(1, n.Answer.Burst)}
	c.byName[spec.Name] = n
	return n, nil
}

func usable(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" && !a.Is4In6() }

// path compiles the elements of a route so that they lead on to next, and
// returns the nodes among them.
func (c *compiler) path(elements []Element, next *step) (first *step, nodes []*node, err error) {
	first = next
	for i := len(elements) - 1; i >= 0; i-- {
		e := &elements[i]
		var in []*node
		switch {
		case e.Node != "":
			in = []*node{c.byName[e.Node]}
			if in[0] == nil {
				return nil, nil, fmt.Errorf("%s: %w", e.Node, errUnknownNode)
			}
			first = &step{node: in[0], next: first}
		case e.Balance == Loop:
			if i != len(elements)-1 || next != nil {
				return nil, nil, errBadLoop
			}
			first, in, err = c.loop(e)
		default:
			first, in, err = c.branches(e, first)
		}
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, in...)
	}
	return first, nodes, nil
}

func (c *compiler) loop(e *Element) (*step, []*node, error) {
	if len(e.Branches) != 1 {
		return nil, nil, errBadLoop
	}
	again := &step{}
	first, nodes, err := c.path(e.Branches[0], again)
	if err == nil && len(nodes) == 0 {
		err = errBadLoop
	}
	again.next = first
	return first, nodes, err
}

func (c *compiler) branches(e *Element, next *step) (*step, []*node, error) {
	if len(e.Branches) == 0 || e.Balance > InTime {
		return nil, nil, errNoBranches
	}
	if e.Balance == InTime && (len(e.Times) != len(e.Branches)-1 || !slices.IsSorted(e.Times)) {
		return nil, nil, errBadTimes
	}
	c.splits++
	s := &split{balance: e.Balance, fields: e.Fields, times: e.Times, salt: mix(c.seed + c.splits)}
	s.random = c.stream(fmt.Sprintf("branches %d", c.splits))
	if s.fields == 0 {
		s.fields = allFields
	}
	if e.Balance == Destination {
		s.fields = FieldDestination
	}
	var all []*node
	for _, b := range e.Branches {
		first, nodes, err := c.path(b, next)
		if err != nil {
			return nil, nil, err
		}
		s.branches = append(s.branches, branch{first, nodes})
		all = append(all, nodes...)
	}
	return &step{split: s}, all, nil
}

// leadingTo returns the branch that leads through n, nil where none or each
// does not matter.
func (s *split) leadingTo(n *node) *branch {
	if n == nil {
		return nil
	}
	for i := range s.branches {
		if slices.Contains(s.branches[i].nodes, n) {
			return &s.branches[i]
		}
	}
	return nil
}
