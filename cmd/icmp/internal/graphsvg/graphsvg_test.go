package graphsvg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

// sample is a route by several flows, written as the ways of its flows: for each of
// them the letters of who answers, one for each hop; * is nobody.
type sample struct {
	name string
	ways []string
	edit func(r *icmplib.Route, l *Labels)
}

// route makes the graph of a sample.
func (s *sample) route() *icmplib.Route {
	g := &icmplib.Graph{Flows: len(s.ways), Complete: true}
	r := &icmplib.Route{Name: "www.example.net", Address: address('T'), Reached: true, End: icmplib.EndReached, Graph: g}
	ids := map[string]int{}
	type link struct{ from, to int }
	edges := map[link]int{}
	for distance := 1; ; distance++ {
		h := icmplib.GraphHop{Distance: distance}
		hop := icmplib.Hop{Distance: distance, Address: address('T')}
		at := map[byte]int{}
		for flow, way := range s.ways {
			if len(way) < distance {
				continue
			}
			who := way[distance-1]
			i, known := at[who]
			if !known {
				i = len(h.Nodes)
				at[who] = i
				id := len(ids)
				ids[fmt.Sprint(distance, who)] = id
				h.Nodes = append(h.Nodes, icmplib.GraphNode{ID: id, Distance: distance, Address: address(who)})
				if who != '*' {
					h.Nodes[i].AvgRTT = time.Duration(distance*distance)*700*time.Microsecond + time.Duration(who)*10*time.Microsecond
					hop.Responders = append(hop.Responders, icmplib.Responder{Address: address(who), PacketsReceived: 1, Status: icmplib.StatusTTLExpired})
				}
			}
			h.Nodes[i].Flows = append(h.Nodes[i].Flows, flow)
			if distance == 1 {
				continue
			}
			e := link{ids[fmt.Sprint(distance-1, way[distance-2])], h.Nodes[i].ID}
			at, seen := edges[e]
			if !seen {
				at = len(g.Edges)
				edges[e] = at
				g.Edges = append(g.Edges, icmplib.GraphEdge{From: e.from, To: e.to})
			}
			g.Edges[at].Flows = append(g.Edges[at].Flows, flow)
		}
		if len(h.Nodes) == 0 {
			break
		}
		g.Hops, r.Hops = append(g.Hops, h), append(r.Hops, hop)
		g.Probes += len(s.ways)
	}
	return r
}

func address(who byte) netip.Addr {
	switch who {
	case '*':
		return netip.Addr{}
	case 'T':
		return netip.MustParseAddr("198.51.100.20")
	}
	return netip.AddrFrom4([4]byte{10, 20, who, 1})
}

func sampleLabels() Labels {
	return Labels{
		Name: func(a netip.Addr) string {
			if a == address('T') {
				return "www.example.net"
			}
			return fmt.Sprintf("ae-%d.core%d.fra.example.net", a.As4()[2]%7, a.As4()[2]%3)
		},
		ASN:  func(a netip.Addr) string { return fmt.Sprint(64496 + int(a.As4()[2])%3) },
		Mark: func(*icmplib.Responder, int) string { return "" },
		End:  "reached: www.example.net (198.51.100.20) answers at the end",
	}
}

// lose makes a hop one that has lost probes.
func lose(r *icmplib.Route, hop, received, silent int) {
	for seq := range received + silent {
		result := icmplib.Result{Seq: seq, Sent: time.Unix(1, 0), Status: icmplib.StatusNoReply}
		if seq < received {
			result.Status, result.RTT = icmplib.StatusReply, time.Millisecond
		}
		r.Hops[hop-1].Add(result)
	}
}

func bare(_ *icmplib.Route, l *Labels) { *l = Labels{End: l.End} }

func samples() []*sample {
	var wide []string
	for i := range 16 {
		wide = append(wide, string([]byte{'a', byte('A' + i), 'z', 'T'}))
	}
	long := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 2)[:29] + "T"
	return []*sample{
		{"plain", []string{"abcT", "abcT", "abcT", "abcT", "abcT", "abcT"}, func(r *icmplib.Route, _ *Labels) { lose(r, 2, 7, 3) }},
		{"diamond", []string{"abdT", "acdT", "abdT", "abdT", "acdT", "abdT"}, nil},
		{"diamonds", []string{"abdfhT", "acdghT", "abefhT", "aceghT", "abdghT", "acefhT"}, func(r *icmplib.Route, _ *Labels) {
			r.Graph.Complete = false
			r.Graph.Edges[3].Unsure = true
			lose(r, 3, 9, 1)
		}},
		{"wide", wide, bare},
		{"wide-named", wide, nil},
		{"wide-first", []string{"aT", "bT", "cT", "dT", "eT", "fT", "gT", "hT"}, bare},
		{"long", []string{long, long, long}, nil},
		{"long-wide", []string{long, long[:9] + "XYZ" + long[12:], long[:9] + "UVW" + long[12:], long[:9] + "U*W" + long[12:], long[:9] + "RVS" + long[12:]}, nil},
		{"unequal", []string{"abdT", "acefT", "abdT", "acegT"}, nil},
		{"silent", []string{"a**dT", "a*cdT", "ab*dT", "a***T"}, nil},
		{"dead", []string{"***", "***", "***"}, func(r *icmplib.Route, l *Labels) { l.End = "gap: no more answers, up to distance 3" }},
		{"mesh", []string{"abfjT", "abgjT", "acfkT", "achkT", "adhlT", "adijT", "aeilT", "aefmT", "abimT"}, bare},
		{"hostile", []string{"abT", "acT"}, func(r *icmplib.Route, l *Labels) {
			r.Name = "<script>alert(1)</script>&amp;\x00\x1b[31m\xff"
			l.Name = func(netip.Addr) string {
				return "]]></title><svg onload=\"x\">\u202egnp.exe&#0;\x07日本語の長い名前のルーターです"
			}
			l.ASN = func(netip.Addr) string { return "<b>" }
			l.Mark = func(*icmplib.Responder, int) string { return "!<9>" }
			l.End = "</svg>"
		}},
	}
}

func (s *sample) picture(t *testing.T) []byte {
	t.Helper()
	r, l := s.route(), sampleLabels()
	if s.edit != nil {
		s.edit(r, &l)
	}
	var b bytes.Buffer
	if err := Write(&b, r, l); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestThePictures(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			got := s.picture(t)
			file := filepath.Join("testdata", s.name+".svg")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what go test -update writes", file)
			}
		})
	}
}

// rect is a frame or a text, as far as it reaches.
type rect struct{ x, y, width, height float64 }

func (r rect) overlaps(o rect) bool {
	return r.x < o.x+o.width && o.x < r.x+r.width && r.y < o.y+o.height && o.y < r.y+r.height
}

// number returns an attribute of an element.
func number(t *testing.T, e xml.StartElement, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(attribute(e, name), 64)
	if err != nil {
		t.Fatalf("%v: %v", e, err)
	}
	return v
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Whatever the graph, the picture is XML, all of it is within its bounds, and no two
// nodes are on each other.
func TestAPictureOfAnyGraph(t *testing.T) {
	all := samples()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		ways := make([]string, 1+random.IntN(40))
		for f := range ways {
			way := make([]byte, 1+random.IntN(12))
			for h := range way {
				way[h] = "*abcdefghijklmnop"[random.IntN(1+random.IntN(17))]
			}
			ways[f] = string(way)
		}
		all = append(all, &sample{name: fmt.Sprint("random ", i), ways: ways})
	}
	for _, s := range all {
		picture := s.picture(t)
		elements := wellFormed(t, picture)
		size := rect{width: number(t, elements["svg"][0], "width"), height: number(t, elements["svg"][0], "height")}
		var frames []rect
		for _, e := range elements["rect"][1:] {
			r := rect{number(t, e, "x"), number(t, e, "y"), number(t, e, "width"), number(t, e, "height")}
			if r.x < 0 || r.y < 0 || r.x+r.width > size.width || r.y+r.height > size.height {
				t.Fatalf("%s: a node at %v leaves the picture of %v\n%s", s.name, r, size, picture)
			}
			for _, other := range frames {
				if r.overlaps(other) {
					t.Fatalf("%s: nodes overlap: %v and %v\n%s", s.name, r, other, picture)
				}
			}
			frames = append(frames, r)
		}
		for _, e := range elements["text"] {
			if y := number(t, e, "y"); y < 0 || y > size.height {
				t.Fatalf("%s: a text leaves the picture of %v\n%s", s.name, size, picture)
			}
		}
		if got, want := len(elements["path"]), edgesOf(s); got != want {
			t.Fatalf("%s: %d lines, want %d", s.name, got, want)
		}
	}
}

// edgesOf counts the edges of a sample, and those that leave the sender.
func edgesOf(s *sample) int {
	g := s.route().Graph
	return len(g.Edges) + len(g.Hops[0].Nodes)
}

// What others have chosen is text, whatever it looks like.
func TestHostileNamesAreText(t *testing.T) {
	for _, s := range samples() {
		if s.name != "hostile" {
			continue
		}
		picture := s.picture(t)
		elements := wellFormed(t, picture)
		for name := range elements {
			if !strings.Contains(" svg title style rect path text g ", " "+name+" ") {
				t.Errorf("there is an element %s", name)
			}
		}
		for _, bad := range []string{"\x00", "\x1b", "\x07", "\u202e", "onload=\"x\""} {
			if bytes.Contains(picture, []byte(bad)) {
				t.Errorf("%q is in\n%s", bad, picture)
			}
		}
	}
}

// A node is in line with the only one before it, and in the middle between two.
func TestAWayIsStraightWhereItCanBe(t *testing.T) {
	for _, s := range samples() {
		if s.name != "diamond" && s.name != "plain" {
			continue
		}
		l := newLayout(s.route().Graph)
		middle := l.width() / 2
		for i, layer := range l.layers {
			if len(layer) == 1 && math.Abs(layer[0].at-middle) > 1e-9 {
				t.Errorf("%s: layer %d is at %v, the middle is %v", s.name, i, layer[0].at, middle)
			}
		}
	}
}

// The order of the nodes is one in which as few edges cross as can be.
func TestEdgesDoNotCrossWithoutNeed(t *testing.T) {
	for _, tt := range []struct {
		ways []string
		want int
	}{
		{[]string{"abeT", "acfT", "adgT"}, 0},
		{[]string{"agT", "bfT", "ceT", "dhT"}, 0},
		{[]string{"abgT", "acfT", "adeT", "abiT"}, 0},
		{[]string{"acT", "adT", "bcT", "bdT"}, 1}, // as in any order
	} {
		l := newLayout((&sample{ways: tt.ways}).route().Graph)
		if got := l.crossings(); got != tt.want {
			t.Errorf("%q: %d crossings, want %d", tt.ways, got, tt.want)
		}
	}
}

// Nodes that want to be on each other's places share the room, and no others move.
func TestSettle(t *testing.T) {
	for _, tt := range []struct{ wanted, want []float64 }{
		{[]float64{0, 1, 5}, []float64{0, 1, 5}},
		{[]float64{2, 2}, []float64{1.5, 2.5}},
		{[]float64{5, 0, 9}, []float64{2, 3, 9}},
		{[]float64{3, 3, 3, 3}, []float64{1.5, 2.5, 3.5, 4.5}},
	} {
		layer := make([]*node, len(tt.wanted))
		wants := map[*node]float64{}
		for i, w := range tt.wanted {
			layer[i] = &node{}
			wants[layer[i]] = w
		}
		settle(layer, 1, func(n *node) float64 { return wants[n] })
		for i, n := range layer {
			if math.Abs(n.at-tt.want[i]) > 1e-9 {
				t.Errorf("%v: node %d is at %v, want %v", tt.wanted, i, n.at, tt.want[i])
			}
		}
	}
}

func TestARouteWithoutAGraphHasNoPicture(t *testing.T) {
	if err := Write(io.Discard, &icmplib.Route{Name: "a"}, Labels{}); err == nil || !strings.Contains(err.Error(), "no graph of the route to a") {
		t.Error(err)
	}
	if err := Write(io.Discard, &icmplib.Route{Graph: &icmplib.Graph{}}, Labels{}); err != nil {
		t.Error(err)
	}
}

// wellFormed reads a picture as XML, and returns its elements' attributes by name.
func wellFormed(t *testing.T, picture []byte) map[string][]xml.StartElement {
	t.Helper()
	all := map[string][]xml.StartElement{}
	d := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, picture)
		}
		if e, ok := token.(xml.StartElement); ok {
			all[e.Name.Local] = append(all[e.Name.Local], e.Copy())
		}
	}
}
