package netsim

import (
	"net/netip"
	"slices"
)

// table finds the route with the longest prefix.
type table struct {
	routes map[netip.Prefix]*route
	bits   [2][]int // lengths of prefixes that are there, longest first
}

func newTable() table { return table{routes: map[netip.Prefix]*route{}} }

// add makes r the route to a prefix, unless it has one.
func (t *table) add(prefix netip.Prefix, r *route) {
	prefix = prefix.Masked()
	if t.routes[prefix] != nil {
		return
	}
	t.routes[prefix] = r
	bits := &t.bits[family(prefix.Addr())]
	if !slices.Contains(*bits, prefix.Bits()) {
		*bits = append(*bits, prefix.Bits())
		slices.SortFunc(*bits, func(a, b int) int { return b - a })
	}
}

func (t *table) find(a netip.Addr) *route {
	for _, bits := range t.bits[family(a)] {
		prefix, _ := a.Prefix(bits)
		if r := t.routes[prefix]; r != nil {
			return r
		}
	}
	return nil
}

func (n *Network) addPath(c *compiler, p *Path) error {
	if len(p.Destinations) == 0 {
		return errNoPrefix
	}
	first, nodes, err := c.path(p.Route, nil)
	if err != nil {
		return err
	}
	if len(nodes) == 0 {
		return errNoRoute
	}
	r := &route{first: first, nodes: nodes}
	for _, prefix := range p.Destinations {
		if !prefix.IsValid() || !usable(prefix.Addr()) {
			return errBadAddress
		}
		n.routes.add(prefix, r)
	}
	n.paths = append(n.paths, r)
	return nil
}

// addOwnRoutes makes the nodes' own addresses reachable where no path to them is
// described: by the first path that leads through the node, and if none does, as
// neighbours of the client.
func (n *Network) addOwnRoutes() {
	for _, own := range n.nodes {
		r := route{first: &step{node: own}, nodes: []*node{own}}
		i := slices.IndexFunc(n.paths, func(r *route) bool { return slices.Contains(r.nodes, own) })
		if i >= 0 {
			r = *n.paths[i]
			r.toward = own
		}
		for _, a := range own.Addresses {
			if known := n.routes.find(a); known == nil || i >= 0 && !slices.Contains(known.nodes, own) {
				n.routes.add(netip.PrefixFrom(a, a.BitLen()), &r)
			}
		}
	}
}
