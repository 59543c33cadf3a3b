package icmplib

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the graph for people: a line for each node, with what it
// leads to, and one for each diamond. The layout may change.
//
//	1  192.0.2.1
//	     > 198.51.100.1    5 of 11 flows
//	     > 198.51.100.2    6 of 11 flows
//	2  198.51.100.1        per-flow
//
// Its error is that of w.
func (g *Graph) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range g.Hops {
		for j := range g.Hops[i].Nodes {
			g.appendNode(&b, &g.Hops[i].Nodes[j])
		}
	}
	for i := range g.Diamonds {
		fmt.Fprintln(&b, g.Diamonds[i].String())
	}
	fmt.Fprintf(&b, "%d flows, %d probes, %s\n", g.Flows, g.Probes, g.confidence())
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Graph) confidence() string {
	if g.Complete {
		return "each router's next hops are complete with a confidence of 95 %"
	}
	return "there may be more ways"
}

// appendNode describes a node, and behind it the edges that leave it.
func (g *Graph) appendNode(b *strings.Builder, n *GraphNode) {
	fmt.Fprintf(b, "%3d  %s", n.Distance, n.name())
	if n.Balancing != BalancingNone {
		fmt.Fprintf(b, "  %s", n.Balancing)
	}
	b.WriteByte('\n')
	total := 0
	for _, e := range g.Edges {
		if e.From == n.ID {
			total += len(e.Flows)
		}
	}
	for _, e := range g.Edges {
		if e.From != n.ID {
			continue
		}
		fmt.Fprintf(b, "       > %s  %d of %d flows", g.Node(e.To).name(), len(e.Flows), total)
		if e.Unsure {
			b.WriteString(", unsure")
		}
		b.WriteByte('\n')
	}
}

func (n *GraphNode) name() string {
	if n.IsSilent() {
		return "*"
	}
	return n.Address.String()
}

// String describes the diamond in a line.
func (d *Diamond) String() string {
	from, to := "the sender", "different ends"
	if d.Divergence.Address.IsValid() {
		from = d.Divergence.Address.String()
	}
	if d.Convergence.Address.IsValid() {
		to = d.Convergence.Address.String()
	}
	length := fmt.Sprint(d.MaxLength)
	if d.MinLength != d.MaxLength {
		length = fmt.Sprintf("%d to %d", d.MinLength, d.MaxLength)
	}
	return fmt.Sprintf("diamond from %s to %s: width %d, length %s", from, to, d.Width, length)
}
