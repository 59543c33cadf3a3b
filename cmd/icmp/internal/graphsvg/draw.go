package graphsvg

import (
	"fmt"
	"math"
	"strings"
)

// look is how everything is painted, by classes. What knows no media queries, as some
// converters, paints it light.
const look = `
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace; fill: #59636e }
.ground { fill: #ffffff }
.first { fill: #1f2328; font-weight: bold }
.card { fill: #f6f8fa; stroke: #afb8c1 }
.target { stroke: #0969da; stroke-width: 2.5 }
.silent { fill: none; stroke: #8c959f; stroke-dasharray: 4 3 }
.edge { fill: none; stroke: #8c959f }
.flows, .hop { fill: #1f2328 }
.flows { font-size: 11px; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke }
.loss { fill: #9a6700; font-size: 11px }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 }
.ground { fill: #0d1117 }
.first { fill: #f0f6fc }
.card { fill: #1b222c; stroke: #4b535d }
.target { stroke: #4493f8 }
.silent, .edge { stroke: #6e7681 }
.silent { fill: none }
.flows, .hop { fill: #e6edf3 }
.flows { stroke: #0d1117 }
.loss { fill: #d29922 }
}
`

func (p *picture) draw() []byte {
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-labelledby="title">`+"\n",
		p.size[0], p.size[1], p.size[0], p.size[1])
	headings := p.headings(p.size[0])
	fmt.Fprintf(&p.b, "<title id=\"title\">%s</title>\n<style>%s</style>\n", escaped(strings.Join(headings, " ")), look)
	p.b.WriteString(`<rect class="ground" width="100%" height="100%"/>` + "\n")
	for i, line := range headings {
		class := ""
		if i == 0 {
			class = "first"
		}
		p.text(class, "", margin, margin+float64(i+1)*lineHeight-4, line)
	}
	for _, e := range p.edges {
		p.line(e)
	}
	for _, e := range p.edges {
		p.flows(e)
	}
	for i, layer := range p.layers {
		p.distance(i)
		for _, n := range layer {
			p.frame(n)
		}
	}
	legend := p.legend()
	for i, line := range legend {
		p.text("", "", margin, p.size[1]-margin/2-float64(len(legend)-1-i)*lineHeight-4, line)
	}
	p.b.WriteString("</svg>\n")
	return p.b.Bytes()
}

// text writes a line. The anchor is where of it the point is: "" is its beginning.
func (p *picture) text(class, anchor string, x, y float64, line string) {
	attributes := ""
	if class != "" {
		attributes += ` class="` + class + `"`
	}
	if anchor != "" {
		attributes += ` text-anchor="` + anchor + `"`
	}
	fmt.Fprintf(&p.b, `<text x="%.1f" y="%.1f"%s>%s</text>`+"\n", x, y, attributes, escaped(line))
}

// corner is the upper left one of a node's card.
func (p *picture) corner(n *node) (x, y float64) {
	if p.sideways {
		return p.left + float64(n.layer)*(p.wide+p.between), p.top + n.at
	}
	return p.left + n.at, p.top + float64(n.layer)*(p.high+p.between)
}

// frame draws a node.
func (p *picture) frame(n *node) {
	c := p.cards[n]
	x, y := p.corner(n)
	top, high := y, p.high
	if n.of == nil && !p.sideways { // the card ends where the others do
		high = senderHigh
		top = y + p.high - high
		y = top + high/2 - p.high/2
	}
	fmt.Fprintf(&p.b, `<g><title>%s</title><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6"/>`+"\n",
		escaped(c.all), c.class, x, top, p.wide, high)
	y += p.high/2 - float64(len(c.lines)-1)*lineHeight/2 + fontSize/3
	for i, line := range c.lines {
		class := ""
		if i == 0 && c.class != silentClass {
			class = "first"
		}
		p.text(class, "middle", x+p.wide/2, y+float64(i)*lineHeight, line)
	}
	p.b.WriteString("</g>\n")
}

// ends are where an edge leaves its one card and comes to the other.
func (p *picture) ends(e edge) (x1, y1, x2, y2 float64) {
	x1, y1 = p.corner(e.from)
	x2, y2 = p.corner(e.to)
	if p.sideways {
		return x1 + p.wide, y1 + p.high/2, x2, y2 + p.high/2
	}
	return x1 + p.wide/2, y1 + p.high, x2 + p.wide/2, y2
}

// line draws an edge, the thicker the more of the flows take it.
func (p *picture) line(e edge) {
	x1, y1, x2, y2 := p.ends(e)
	dashed := ""
	if e.unsure {
		dashed = ` stroke-dasharray="5 4"`
	}
	fmt.Fprintf(&p.b, `<path class="edge" stroke-width="%.1f"%s d="M%.1f %.1f`, 1+4*p.share(e), dashed, x1, y1)
	if p.sideways {
		middle := (x1 + x2) / 2
		fmt.Fprintf(&p.b, `C%.1f %.1f %.1f %.1f %.1f %.1f"/>`+"\n", middle, y1, middle, y2, x2, y2)
		return
	}
	middle := (y1 + y2) / 2
	fmt.Fprintf(&p.b, `C%.1f %.1f %.1f %.1f %.1f %.1f"/>`+"\n", x1, middle, x2, middle, x2, y2)
}

// share is that of the flows that pass between two layers.
func (p *picture) share(e edge) float64 {
	all := 0
	for _, other := range p.edges {
		if other.from.layer == e.from.layer {
			all += other.flows
		}
	}
	return float64(e.flows) / float64(max(all, 1))
}

// flows writes how many flows take an edge, where they do not all: near the end at
// which it is alone.
func (p *picture) flows(e edge) {
	at := 0.36
	switch {
	case len(e.from.behind) == 1 && len(e.to.before) == 1 && len(p.layers[e.from.layer]) == 1 && !e.unsure:
		return
	case len(e.from.behind) == 1:
		at = 0.3
	case len(e.to.before) == 1:
		at = 0.68
	}
	label := fmt.Sprint(e.flows)
	if e.unsure {
		label += "?"
	}
	x1, y1, x2, y2 := p.ends(e)
	along := 1.5*at*(1-at) + math.Pow(at, 3) // of a curve whose inner points lie half way
	across := 3*at*at - 2*at*at*at
	if p.sideways {
		p.text("flows", "middle", x1+(x2-x1)*along, y1+(y2-y1)*across+4, label)
		return
	}
	p.text("flows", "middle", x1+(x2-x1)*across, y1+(y2-y1)*along+4, label)
}

// distance writes at the side, or at the top, how far a layer is.
func (p *picture) distance(layer int) {
	of := p.layers[layer][0].of
	if of == nil {
		return
	}
	loss := ""
	if h := p.hop(of.Distance); h != nil && showsLoss(h) {
		loss = percent(h.PacketLoss()) + " loss"
	}
	x, y := margin, p.top+float64(layer)*(p.high+p.between)+p.high/2+fontSize/3
	anchor := ""
	if p.sideways {
		x, y, anchor = p.left+float64(layer)*(p.wide+p.between)+p.wide/2, p.top-hopRow/2+4, "middle"
	}
	if loss != "" {
		y -= lineHeight / 2
		p.text("loss", anchor, x, y+lineHeight, loss)
	}
	p.text("hop", anchor, x, y, fmt.Sprint(of.Distance))
}

func percent(share float64) string {
	if share < 0.0995 {
		return fmt.Sprintf("%.1f%%", share*100)
	}
	return fmt.Sprintf("%.0f%%", share*100)
}
