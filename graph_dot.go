package icmplib

import (
	"fmt"
	"io"
	"strings"
)

// WriteDOT writes the graph in the language of Graphviz: from left to right, the
// nodes of a hop below each other, silent ones dashed, edges labelled with their
// number of flows and dashed where they are unsure. Its error is that of w.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph route {\n\trankdir=LR;\n\tnode [shape=box];\n")
	for i := range g.Hops {
		h := &g.Hops[i]
		b.WriteString("\t{ rank=same;\n")
		for j := range h.Nodes {
			n := &h.Nodes[j]
			fmt.Fprintf(&b, "\t\tn%d [label=\"%s\\n%d\"%s];\n", n.ID, n.name(), n.Distance, dashedIf(n.IsSilent()))
		}
		b.WriteString("\t}\n")
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\tn%d -> n%d [label=\"%d\"%s];\n", e.From, e.To, len(e.Flows), dashedIf(e.Unsure))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func dashedIf(dashed bool) string {
	if dashed {
		return ", style=dashed"
	}
	return ""
}
