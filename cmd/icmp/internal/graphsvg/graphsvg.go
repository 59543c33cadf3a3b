// Package graphsvg draws the ways that several flows took to a target, as a picture
// that needs no other program: an SVG in layers, one for each distance.
package graphsvg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

// Labels say what a graph does not know. Each may be nil.
type Labels struct {
	Name func(netip.Addr) string // of an address; "": it has none
	ASN  func(netip.Addr) string // the number of its autonomous system; "": not known
	Mark func(r *icmplib.Responder, mtu int) string
	End  string // how the trace ended, in a sentence
}

// Sizes in pixels. A cell is as wide as a character of a monospaced font of the size
// can be.
const (
	fontSize   = 12
	cell       = 7.3
	lineHeight = 16.0
	padding    = 8.0  // between the frame of a card and its text
	gap        = 18.0 // between cards side by side
	margin     = 20.0
	leastWidth = 460.0 // for the sentences at the top and the bottom
	longest    = 38    // cells of a line on a card
)

// Write writes the graph of a route. A way goes from top to bottom, or from left to
// right where that makes a narrower picture. Colours follow what the viewer prefers,
// light or dark. The error is that of w, or says that the route has no graph.
func Write(w io.Writer, r *icmplib.Route, labels Labels) error {
	if r.Graph == nil {
		return fmt.Errorf("there is no graph of the route to %s", r.Name)
	}
	_, err := w.Write(newPicture(r, labels).draw())
	return err
}

// picture is a graph on its way to be drawn.
type picture struct {
	route  *icmplib.Route
	labels Labels
	*layout
	cards    map[*node]card
	sideways bool    // from left to right
	wide     float64 // a card
	high     float64
	between  float64 // from a layer of cards to the next one
	left     float64 // of the first card
	top      float64
	size     [2]float64
	b        bytes.Buffer
}

// silentClass is that of a node that nobody answered for.
const silentClass = "silent"

// card is what is written at a node.
type card struct {
	class string
	lines []string // the first one stands out
	all   string   // nothing of which is left out: shown where the pointer is
}

func newPicture(r *icmplib.Route, labels Labels) *picture {
	p := &picture{route: r, labels: labels, cards: map[*node]card{}}
	p.layout = newLayout(r.Graph)
	cells, lines := len("this host"), 1
	for _, layer := range p.layers {
		for _, n := range layer {
			c := p.card(n)
			p.cards[n] = c
			lines = max(lines, len(c.lines))
			for _, line := range c.lines {
				cells = max(cells, ansi.StringWidth(line))
			}
		}
	}
	p.wide, p.high = float64(cells)*cell+2*padding, float64(lines)*lineHeight+2*padding-4
	p.arrange()
	return p
}

// arrange chooses the direction, and says where the cards are.
func (p *picture) arrange() {
	most, layers := p.width(), float64(len(p.layers))
	across := 2*margin + hopColumn + most*(p.wide+gap) + p.wide
	along := 2*margin + layers*p.wide + (layers-1)*sidewaysBetween
	p.sideways = len(p.layers) > 1 && along < across && most > 0
	headings := margin + float64(len(p.headings(leastWidth)))*lineHeight + margin
	var spacing float64
	if p.sideways {
		spacing, p.between = p.high+gap*0.7, sidewaysBetween
		p.left, p.top = margin, headings+hopRow
	} else {
		spacing, p.between = p.wide+gap, downBetween
		p.left, p.top = margin+hopColumn, headings
		if len(p.layers) > 0 && p.layers[0][0].of == nil {
			p.top -= p.high - senderHigh
		}
	}
	p.place(spacing)
	last := float64(max(len(p.layers)-1, 0))
	if p.sideways {
		p.size = [2]float64{p.left + last*(p.wide+p.between) + p.wide + margin, p.top + p.width() + p.high}
	} else {
		p.size = [2]float64{p.left + p.width() + p.wide + margin, p.top + last*(p.high+p.between) + p.high}
	}
	if p.size[0] < leastWidth && !p.sideways {
		p.left += (leastWidth - p.size[0]) / 2
	}
	p.size[0] = max(p.size[0], leastWidth)
	p.size[1] += margin + float64(len(p.legend()))*lineHeight + margin/2
}

// Room for the distances, and for edges with the numbers of their flows.
const (
	hopColumn       = 64.0
	hopRow          = 36.0
	downBetween     = 44.0
	sidewaysBetween = 84.0
	senderHigh      = lineHeight + 2*padding - 4 // of whom there is less to say
)

// card says what is known of a node.
func (p *picture) card(n *node) card {
	if n.of == nil {
		return card{"card", []string{"this host"}, "this host sends the probes"}
	}
	flows := plural(len(n.of.Flows), "flow")
	if n.of.IsSilent() {
		return card{silentClass, []string{"no answer"}, fmt.Sprintf("distance %d: no answer, %s", n.of.Distance, flows)}
	}
	c := card{class: "card"}
	address := n.of.Address.String()
	if n.of.Address.WithZone("") == p.route.Address.WithZone("") {
		c.class = "card target"
	}
	if name := p.name(n.of.Address); name != "" && name != address {
		c.lines = append(c.lines, name)
	}
	c.lines = append(c.lines, address)
	if facts := p.facts(n.of); len(facts) > 0 {
		c.lines = append(c.lines, strings.Join(facts, " · "))
	}
	all := append([]string{fmt.Sprintf("distance %d: %s", n.of.Distance, c.lines[0])}, c.lines[1:]...)
	all = append(all, flows)
	if n.of.Balancing != icmplib.BalancingNone {
		all = append(all, n.of.Balancing.String()+" load balancing")
	}
	c.all = strings.Join(all, ", ")
	for i := range c.lines {
		c.lines[i] = shortened(c.lines[i], longest)
	}
	return c
}

func (p *picture) name(addr netip.Addr) string {
	if p.labels.Name == nil {
		return ""
	}
	return clean(p.labels.Name(addr))
}

// facts are the figures of a node, and marks.
func (p *picture) facts(n *icmplib.GraphNode) []string {
	var facts []string
	if n.AvgRTT > 0 {
		facts = append(facts, milliseconds(n.AvgRTT))
	}
	if p.labels.ASN != nil {
		if number := clean(p.labels.ASN(n.Address)); number != "" {
			facts = append(facts, "AS"+number)
		}
	}
	h := p.hop(n.Distance)
	if h == nil || p.labels.Mark == nil {
		return facts
	}
	for i := range h.Responders {
		if h.Responders[i].Address != n.Address {
			continue
		}
		if mark := clean(p.labels.Mark(&h.Responders[i], h.MTU)); mark != "" {
			facts = append(facts, mark)
		}
	}
	return facts
}

// hop returns the statistics of a distance, nil if there are none.
func (p *picture) hop(distance int) *icmplib.Hop {
	i := slices.IndexFunc(p.route.Hops, func(h icmplib.Hop) bool { return h.Distance == distance })
	if i < 0 {
		return nil
	}
	return &p.route.Hops[i]
}

// milliseconds has three significant digits, as they are on the screen of mtr.
func milliseconds(d time.Duration) string {
	ms := d.Seconds() * 1e3
	switch {
	case ms < 9.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// clean takes what is no text, or would turn the direction of writing, out of a word
// that others have chosen.
func clean(word string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, word)
}

// shortened leaves out the middle of what is too long, for both ends of a name say
// something.
func shortened(text string, most int) string {
	width := ansi.StringWidth(text)
	if width <= most {
		return text
	}
	head := most / 2
	return ansi.Truncate(text, head, "") + "…" + ansi.TruncateLeft(text, width-(most-head-1), "")
}

// headings are what stands above the graph: the first line stands out.
func (p *picture) headings(width float64) []string {
	name := clean(p.route.Name)
	if a := p.route.Address; a.IsValid() && name != a.String() {
		name = strings.TrimPrefix(name+" ("+a.String()+")", " ")
	}
	g := p.route.Graph
	sure := "there may be more paths"
	if g.Complete {
		sure = "complete with a confidence of 95 %"
	}
	lines := wrapped("Paths to "+name, width*0.9)
	lines = append(lines, wrapped(plural(g.Flows, "flow")+", "+plural(g.Probes, "probe")+", "+sure, width)...)
	return append(lines, wrapped(clean(p.labels.End), width)...)
}

// legend explains what is in the picture.
func (p *picture) legend() []string {
	text := "Numbers count hops."
	if p.divides() {
		text = "Numbers at the side count hops, numbers on lines count flows; a line's width shows its share."
		if p.sideways {
			text = strings.Replace(text, "side", "top", 1)
		}
	}
	if slices.ContainsFunc(p.edges, func(e edge) bool { return e.unsure }) {
		text += " Dashed lines with a question mark are uncertain: one flow took several paths."
	}
	if p.lossy() {
		text += " Loss is that of all flows at a hop; routers that limit their answers also look lossy."
	}
	return wrapped(text, max(p.size[0], leastWidth))
}

// divides reports whether there is more than one way anywhere.
func (p *picture) divides() bool {
	return slices.ContainsFunc(p.layers, func(layer []*node) bool { return len(layer) > 1 })
}

func (p *picture) lossy() bool {
	return slices.ContainsFunc(p.route.Hops, func(h icmplib.Hop) bool { return showsLoss(&h) })
}

// showsLoss reports whether a hop's loss is told: a silent one says it otherwise.
func showsLoss(h *icmplib.Hop) bool { return !h.IsSilent() && h.PacketLoss() > 0 }

// wrapped breaks a text into lines that are no wider.
func wrapped(text string, width float64) []string {
	if text == "" {
		return nil
	}
	return strings.Split(ansi.Wrap(text, int((width-2*margin)/cell), ""), "\n")
}

// escaped is a text within an SVG.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
