package netsim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Spoof is somebody off the path who sends echo replies that nobody asked for,
// in the hope that the client believes one. It goes by the client's echo
// requests, counted from 1: it knows when they are sent and how large they are,
// but has to guess ids and sequence numbers, and sees no payload.
type Spoof struct {
	When    When
	From    []netip.Addr // its forged source; none of the family: the request's destination
	Delay   time.Duration
	Guesses int  // forged replies for each request; 0: 1
	Spread  int  // ids and sequences are this far off at the most
	Blind   bool // they are any numbers at all
	TTL     int  // 0: 64
}

// spoofer is a Spoof at work.
type spoofer struct {
	Spoof
	node     node // whose packets they look like
	random   *rand.Rand
	requests int
}

func (n *Network) addSpoofs(c *compiler, spoofs []Spoof) {
	for i, s := range spoofs {
		name := fmt.Sprintf("spoofer %d", i+1)
		n.spoofs = append(n.spoofs, &spoofer{
			Spoof: s, node: node{Node: Node{Name: name, Answer: Answer{TTL: s.TTL}}}, random: c.stream(name),
		})
	}
}

// spoof lets the spoofers do their work while p is under way.
func (w *walk) spoof(p *packet) {
	if len(w.n.spoofs) == 0 || !p.isICMP() {
		return
	}
	t := p.transport()
	if len(t) < icmpHeader || t[0] != echoRequest4 && !p.v6 || t[0] != echoRequest6 && p.v6 {
		return
	}
	for _, s := range w.n.spoofs {
		s.requests++
		if !s.When.covers(p, s.requests, s.random) {
			continue
		}
		for range max(1, s.Guesses) {
			w.forge(s, p)
		}
	}
}

// forge sends one forged reply to the client.
func (w *walk) forge(s *spoofer, request *packet) {
	from := pick(s.From, request.v6)
	if !from.IsValid() {
		from = request.destination()
	}
	t := request.transport()
	p := w.datagram(from, request.source(), request.proto, len(t), &s.node)
	r := p.transport()
	copy(r, t[:min(len(t), icmpHeader)])
	for i := icmpHeader; i < len(r); i++ {
		r[i] = byte(s.random.Uint32()) // what is in the request it does not see
	}
	r[0], r[1] = echoReply4, 0
	if p.v6 {
		r[0] = echoReply6
	}
	put16(r[4:], s.guess(get16(t[4:])))
	put16(r[6:], s.guess(get16(t[6:])))
	p.seal()
	w.note(&s.node, Forged, "spoofed", s.Delay)
	w.deliver(answer{flight: flight{p: p, at: s.Delay}, by: &s.node, cause: "spoofed"})
}

func (s *spoofer) guess(truth uint16) uint16 {
	if s.Blind {
		return uint16(s.random.Uint32())
	}
	return truth + uint16(s.random.IntN(2*s.Spread+1)-s.Spread)
}
