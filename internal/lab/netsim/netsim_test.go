package netsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

// clients begins most of the networks below.
const clients = "client 192.0.2.1 2001:db8::1\n"

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// scenario is a network, what is sent into it, and what has to come back.
type scenario struct {
	name  string // a sentence
	net   string
	every time.Duration // between the packets; 0: 1 s
	send  [][]byte
	want  []string // one for each delivery: see show
	truth []string // parts of lines of the ground truth, in order
	check func(t *testing.T, ds []Delivery)
}

func (s *scenario) run(t *testing.T) {
	n := MustParse(clients + s.net)
	every := s.every
	if every == 0 {
		every = time.Second
	}
	var ds []Delivery
	var got []string
	for i, packet := range s.send {
		now := start.Add(time.Duration(i) * every)
		before := slices.Clone(packet)
		for _, d := range n.Send(now, packet) {
			ds = append(ds, d)
			got = append(got, show(now, d))
		}
		if !slices.Equal(before, packet) {
			t.Errorf("packet %d was changed", i)
		}
	}
	if !slices.Equal(got, s.want) {
		t.Errorf("deliveries:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(s.want, "\n"))
	}
	lines := events(n)
	for _, want := range s.truth {
		i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, want) })
		if i < 0 {
			t.Fatalf("the ground truth lacks %q in order:\n%s", want, strings.Join(events(n), "\n"))
		}
		lines = lines[i+1:]
	}
	if s.check != nil && len(got) == len(s.want) {
		s.check(t, ds)
	}
}

func runAll(t *testing.T, scenarios []scenario) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { s.run(t) })
	}
}

func events(n *Network) (lines []string) {
	for _, r := range n.Log() {
		for _, e := range r.Events {
			lines = append(lines, e.String())
		}
	}
	return lines
}

// show says in short what a delivery is: when it comes, after the packet that
// caused it, from where, and what it is.
func show(sent time.Time, d Delivery) string {
	p, ok := parsePacket(d.Packet)
	if !ok {
		return "no IP packet"
	}
	s := fmt.Sprintf("+%v %v %s", d.At.Sub(sent), p.source(), p.show())
	if !p.verify() {
		s += " BAD"
	}
	return s
}

func (p *packet) show() string {
	t := p.transport()
	switch {
	case p.isICMP() && len(t) >= icmpHeader && isError(p.v6, t[0]), p.v6 && t[0] == redirect6:
		s := fmt.Sprintf("%d/%d", t[0], t[1])
		if rest := get32(t[4:]); rest != 0 {
			s += fmt.Sprintf(" %#x", rest)
		}
		return s
	case p.isICMP() && len(t) >= icmpHeader:
		return fmt.Sprintf("echo %d.%d", get16(t[4:]), get16(t[6:]))
	case p.proto == wire.ProtocolTCP:
		return fmt.Sprintf("tcp %d flags %#x", get16(t), t[13])
	case p.proto == wire.ProtocolSCTP:
		return fmt.Sprintf("sctp %d chunk %d", get16(t), t[12])
	case p.proto == wire.ProtocolUDP:
		return fmt.Sprintf("udp %d", get16(t))
	}
	return fmt.Sprintf("protocol %d, %d bytes", p.proto, len(t))
}
