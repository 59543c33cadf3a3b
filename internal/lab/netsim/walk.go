package netsim

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// maxTrail is more nodes than any TTL lets a packet pass, but for those
	// that do not count it down.
	maxTrail = 512

	// maxCrossings bounds what one packet and its copies cross, for
	// networks in which everything doubles everything.
	maxCrossings = 1 << 14
)

// walk follows one packet, its copies and the answers to them to their ends.
type walk struct {
	n     *Network
	now   time.Time
	out   []Delivery
	rec   *Record // nil: nobody wants to know
	trail []crossing
	steps int
	own   []byte     // the packet, to be changed on its way
	from  netip.Addr // whom it came from
	kept  Record     // where rec points
}

// flight is a packet from the client on its way.
type flight struct {
	p      packet
	at     time.Duration // since it was sent
	to     netip.Addr
	toward *node // the node that it has to reach, as far as it is known
	group  bool  // it is for a group of hosts
}

// crossing is a link that was crossed, which answers cross again.
type crossing struct {
	node    *node
	ordinal int  // the packet's number there
	undo    undo // what the node changed in the packet when it forwarded it
}

func (w *walk) start(out []Delivery, now time.Time) {
	w.out, w.now, w.steps, w.trail = out, now, 0, w.trail[:0]
	w.rec = nil
	if !w.n.quiet {
		w.kept = Record{Time: now}
		w.rec = &w.kept
	}
}

// send follows a packet that the client sent.
func (w *walk) send(b []byte) {
	w.own = append(w.own[:0], b...)
	p, ok := parsePacket(w.own)
	w.describe(&p, ok)
	if !ok {
		w.note(nil, Dropped, "malformed", 0)
		return
	}
	if p.part {
		if p, ok = w.n.parts.add(w.now, p); !ok {
			w.note(nil, Held, "fragment", 0)
			return
		}
	}
	w.from = p.source()
	w.spoof(&p)
	f := flight{p: p, to: p.destination()}
	f.group = isGroup(f.to)
	r := w.n.routes.find(f.to)
	if r == nil {
		w.note(nil, Dropped, "no route", 0)
		return
	}
	f.toward = r.toward
	w.forward(f, r.first)
}

func isGroup(a netip.Addr) bool {
	return a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// forward follows a packet from a step on.
func (w *walk) forward(f flight, s *step) {
	for s != nil {
		switch {
		case w.tooFar(&f):
			return
		case s.split != nil && s.split.balance == All && s.split.leadingTo(f.toward) == nil:
			f.group = true
			for i := range s.split.branches {
				w.branchOff(&f, s.split.branches[i].first)
			}
			return
		case s.split != nil:
			s = s.split.choose(&f, w.now.Sub(w.n.epoch)+f.at).first
		case s.node == nil:
			s = s.next
		default:
			if s = w.visit(&f, s); s == nil {
				return
			}
		}
	}
	w.note(nil, Dropped, "the path ends in an empty branch", f.at)
}

// tooFar ends what would not end by itself.
func (w *walk) tooFar(f *flight) bool {
	w.steps++
	if w.steps <= maxCrossings && len(w.trail) < maxTrail {
		return false
	}
	w.note(nil, Dropped, "went too far", f.at)
	return true
}

// branchOff follows a copy of a packet from a step on.
func (w *walk) branchOff(f *flight, s *step) {
	c := *f
	c.p.b = slices.Clone(f.p.b)
	depth := len(w.trail)
	w.forward(c, s)
	w.trail = w.trail[:depth]
}

// visit takes a packet over the link to the node at s and lets the node do
// with it what it does. It returns where the packet goes then, if anywhere.
func (w *walk) visit(f *flight, s *step) *step {
	n := s.node
	n.arrivals++
	ordinal := n.arrivals
	f.at += n.delay(n.Delay, ordinal)
	copies, lost := w.suffer(n, &n.Forward, f, ordinal)
	if lost {
		return nil
	}
	w.trail = append(w.trail, crossing{node: n, ordinal: ordinal})
	depth := len(w.trail)
	for range copies {
		c := *f
		c.p.b = slices.Clone(f.p.b)
		if w.arrive(&c, s, ordinal) && !w.tooFar(f) {
			w.forward(c, s.next)
		}
		w.trail = w.trail[:depth]
	}
	if w.arrive(f, s, ordinal) {
		return s.next
	}
	return nil
}

// arrive lets a node deal with a packet, and tells whether it goes on.
func (w *walk) arrive(f *flight, s *step, ordinal int) bool {
	n := s.node
	mine := n.owns(f.to)
	atEnd := s.next == nil
	if mine && !atEnd {
		w.host(n, f, ordinal)
		return false
	}
	if !atEnd && !w.countDown(n, f, ordinal) {
		return false
	}
	if w.refuse(n, f, ordinal) {
		return false
	}
	if atEnd {
		w.host(n, f, ordinal)
		return false
	}
	w.rewrite(n, f)
	return w.fits(n, f, ordinal)
}

// owns reports whether an address is one of the node's.
func (n *node) owns(a netip.Addr) bool { return slices.Contains(n.Addresses, a) }
