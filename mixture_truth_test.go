package icmplib

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// groundTruth is what a network did, by what reports of it have to agree with.
type groundTruth struct {
	*mixture
	mu      sync.Mutex
	packets map[sentPacket][]netsim.Record
	times   map[tookTime]bool
	nodes   map[place][]string // that answered there
	links   map[[2]string]bool // from node to node, on which a packet went
	sizes   map[place]bool     // the bytes of a packet, in place of the TTL, that the target answered
}

type place struct {
	dst netip.Addr
	ttl int
}

type sentPacket struct {
	place
	at time.Time
}

type tookTime struct {
	place
	rtt time.Duration
}

func newGroundTruth(m *mixture) *groundTruth {
	return &groundTruth{
		mixture: m, packets: map[sentPacket][]netsim.Record{}, times: map[tookTime]bool{},
		nodes: map[place][]string{}, links: map[[2]string]bool{}, sizes: map[place]bool{},
	}
}

// see takes the record of a packet.
func (g *groundTruth) see(r *netsim.Record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := place{r.Destination, int(r.TTL)}
	sent := sentPacket{at, r.Time}
	g.packets[sent] = append(g.packets[sent], *r)
	for i, e := range r.Events {
		if i > 0 && r.Events[i-1].What == netsim.Forwarded {
			g.links[[2]string{r.Events[i-1].Node, e.Node}] = true
		}
		if isAnswer(&e) {
			g.times[tookTime{at, e.After}] = true
			g.nodes[at] = append(g.nodes[at], e.Node)
			if g.owns(e.Node, r.Destination) {
				g.sizes[place{r.Destination, r.Length}] = true
			}
		}
	}
}

// isAnswer reports whether a packet of the network itself reaches the client.
func isAnswer(e *netsim.Event) bool { return e.What == netsim.Delivered && e.Why != "spoofed" }

// result holds a result against the truth.
func (g *groundTruth) result(r *Result, timeout time.Duration) error {
	if r.informs() || r.Status == StatusUnsettled || r.Sent.IsZero() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	records := g.packets[sentPacket{place{r.Dst, r.TTL}, r.Sent}]
	for i := range records {
		for _, e := range records[i].Events {
			switch {
			case !isAnswer(&e) || strings.Contains(e.Why, "redirect"):
			case r.Responder.IsValid() && e.After == r.RTT && g.owns(e.Node, r.Responder):
				return nil
			case r.Status == StatusNoReply && e.After <= timeout && g.mustBeSeen(r, e.Node) && len(records) == 1:
				return fmt.Errorf("TTL %d: %v, and %v", r.TTL, r, e)
			}
		}
	}
	if len(records) == 0 || r.Responder.IsValid() {
		return fmt.Errorf("TTL %d: %v, sent at %v: nothing of the kind was delivered", r.TTL, r, r.Sent)
	}
	return nil
}

// mustBeSeen reports whether an answer of a node says for certain which probe it is
// to: its quote is not short, and as a target's it comes from the right address.
func (g *groundTruth) mustBeSeen(r *Result, node string) bool {
	return !g.short && (!g.owns(node, r.Dst) || len(g.owners[node]) == 4)
}

// route holds hops against the truth.
func (g *groundTruth) route(t *testing.T, what string, dst netip.Addr, hops []Hop) {
	for i := range hops {
		h := &hops[i]
		checkInvariants(t, &h.Stats)
		received := 0
		for _, e := range h.Responders {
			received += e.PacketsReceived
			if !g.answered(place{dst, h.Distance}, e.Address) {
				t.Errorf("%s: %v did not answer at hop %d", what, e.Address, h.Distance)
			}
		}
		if received > h.PacketsReceived {
			t.Errorf("%s: at hop %d %d answers are of %d", what, h.Distance, received, h.PacketsReceived)
		}
		for _, rtt := range h.RTTs() {
			if !g.took(place{dst, h.Distance}, rtt) {
				t.Errorf("%s: at hop %d nothing took %v", what, h.Distance, rtt)
			}
		}
	}
}

func (g *groundTruth) answered(at place, responder netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, node := range g.nodes[at] {
		if g.owns(node, responder) {
			return true
		}
	}
	return false
}

func (g *groundTruth) took(at place, rtt time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.times[tookTime{at, rtt}]
}

// passes reports whether the target answered a packet of a size.
func (g *groundTruth) passes(dst netip.Addr, size int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sizes[place{dst, size}]
}

// graph holds the edges of a graph against the truth. Where packets of one flow
// go different ways, two of them may tell of an edge that no packet took, and who
// refuses to forward answers for the hops behind, too.
func (g *groundTruth) graph(t *testing.T, what string, graph *Graph) {
	for _, word := range []string{"random(", "turn(", "time:", "refuse="} {
		if graph == nil || strings.Contains(g.text, word) {
			return
		}
	}
	for _, e := range graph.Edges {
		a, b := graph.Node(e.From), graph.Node(e.To)
		if a == nil || b == nil {
			t.Errorf("%s: the edge %+v has an end that is no node", what, e)
			continue
		}
		from, to := a.Address, b.Address
		if from.IsValid() && to.IsValid() && !e.Unsure && !g.linked(from, to) {
			t.Errorf("%s: no packet went from %v to %v", what, from, to)
		}
	}
}

func (g *groundTruth) linked(from, to netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for link := range g.links {
		if g.owns(link[0], from) && g.owns(link[1], to) {
			return true
		}
	}
	return false
}
