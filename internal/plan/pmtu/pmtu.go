// Package pmtu is the strategy of finding the MTU of a path, the hops at which it falls,
// and the places where packets that are too big vanish. It is pure: see internal/plan.
//
// The rules:
//
//  1. Small packets, which pass everywhere, find the hops and the kind of answer that each
//     gives. The witness is the farthest hop that answers: the target, or a router.
//  2. The largest packet that this system sends is found by giving it packets. An error of
//     this system itself is no answer, because the packet did not leave. If the system
//     reports that a packet is too big, it also gives the largest size that it sends. Any
//     other refusal, such as that of a missing link, says nothing about a size.
//  3. A size is tried by Count packets, an Interval apart. It passes if one of them is
//     answered as small packets are, or by the target; it is refused if a node reports so.
//  4. A size vanishes if small packets, sent among those of the size in random order, are
//     answered while none of the size is, so often that the probability of chance is below
//     1 in 1000. A volley has 7 packets of each, and there are at most 12 volleys. Only
//     small packets of the same volley count.
//  5. Once packets have vanished, further sizes are tried by rule 4 at once.
//  6. If the target does not answer, packets go to the last hop that does, and to the last
//     hop of all, because a router behind the former may report that they are too big.
//  7. Between a size that passes and one that fails, the size that a router reports is
//     tried next, at most 8 times. Otherwise, it is the middle one of the common sizes
//     between them and, if none is left, the middle. After a reported size, and after a
//     common size if none is left, one byte more is tried.
//  8. The MTU is confirmed if a packet of exactly this size was answered, and exact if one
//     of a byte more is known to fail. If no size could be decided, the MTU is the largest
//     size that no evidence contradicts, unconfirmed; if this system sent none of that size
//     and did not report what it sends, the MTU is unknown.
//  9. Larger packets are followed from hop to hop. Where they end, the next link is a
//     bottleneck: a node refuses larger packets, or they vanish there. Hops that answered
//     small packets are tried one by one, because they may be slow.
//  10. The reporter of a bottleneck is taken for the hop before the packet's destination
//     hop, unless its address is that of another hop.
//  11. The reported size is the MTU of a bottleneck if that is possible: if it is not less
//     than the MTU of the path, and less than the packet. Otherwise the MTU is measured. If
//     a link is reported twice, the first report was wrong, and the MTU is measured.
//  12. Echo replies are as large as the requests. If large ones vanish before the target,
//     UDP datagrams show whether probes or replies vanish: if they pass, the replies do,
//     and the search continues with datagrams. If the target answers none of them, this
//     stays unknown, and the MTU is not exact.
package pmtu

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/trace"
)

// The least MTUs that every link has (RFC 791 section 3.2, RFC 8200 section 5), and the
// largest packet.
const (
	Least4  = 68
	Least6  = 1280
	Largest = 65535
)

// Least returns the size of packets that every link to an address passes.
func Least(dst netip.Addr) int {
	if dst.Is6() {
		return Least6
	}
	return Least4
}

// Payload returns the size of the payload with which an echo request, or a datagram, to an
// address makes a packet of a size.
func Payload(size int, dst netip.Addr) int {
	const header4, header6, header = 20, 40, 8
	if dst.Is6() {
		return size - header6 - header
	}
	return size - header4 - header
}

// Config is the configuration of a search.
type Config struct {
	Least    int // a size that passes everywhere
	Largest  int // that is tried
	MaxHops  int
	Count    int
	Interval time.Duration
	Timeout  time.Duration

	// TooBig reports whether the system refused a packet because it is too big for the
	// link.
	TooBig func(err error) bool

	// Guess returns the MTU of the interface that leads to the target, or 0 if it is
	// unknown.
	Guess func() int

	// Datagrams makes the probes of flow 1 datagrams, and reports whether it could. It is
	// nil if all probes are datagrams.
	Datagrams func() bool
}

// Report is the result of a search: see icmplib.MTUReport.
type Report struct {
	MTU       int
	Reached   bool
	Confirmed bool
	Exact     bool
	LocalMTU  int
	Hops      []Hop
	Holes     []Hole
}

// Hop is a router on the path, or the target.
type Hop struct {
	Distance   int
	Address    netip.Addr
	MTU        int
	Source     Source
	ReportedBy netip.Addr
}

// Source is how an MTU is known.
type Source uint8

// The sources of an MTU, in the order of icmplib.MTUSource.
const (
	Kept     Source = iota // it equals that of the hop before
	Reported               // a router reported it
	Measured               // probes found it
)

// Hole is a link that drops packets over a certain size, and whose router does not report
// it.
type Hole struct {
	After, Before   int // the hops between which it is
	Replies, Unsure bool
	Passes, Fails   int
}

// Plan is a search at work. Each of its steps sends a volley of packets or a trace, and
// names the next step for when that is answered.
type Plan struct {
	Report
	cfg       Config
	witness   int               // the distance of the farthest hop that answers; 0: none does
	vanishing bool              // packets of some size have vanished
	answers   map[int]plan.Kind // with what small packets are answered, by distance
	order     *rand.Rand        // the order of packets that are sent together
	flow      int               // 1: datagrams

	volley  *volley // the current step is one of these two
	route   *route
	probes  []asked // by number
	left    int     // the size of the largest packet that left this host for an answer
	refusal error   // why this system last refused a packet for a reason other than its size
	failed  error
	done    bool
}

// asked is the purpose of a probe.
type asked struct {
	volley *volley
	route  *route
	key    plan.Key // within the route; of a volley, its place
	flow   int
}

// volley is packets that are sent an Interval apart.
type volley struct {
	packets []packet
	left    int // that left
	settled int
	due     time.Time

	// take takes an observation of a packet, and reports whether that is enough. If first
	// is set, it is also called when the system accepts a packet.
	take  func(p packet, o *plan.Observation) (enough bool)
	first bool
	then  func()
}

// packet is a packet of a volley.
type packet struct{ size, ttl int }

// route is a trace by packets of a size.
type route struct {
	trace.Plan
	size, first int
	hops        []seen
	refusal     error // why the system refused a packet
	then        func(*route)
}

// seen holds what a trace saw of a hop.
type seen struct {
	address netip.Addr // the address that answered first
	kind    plan.Kind
	refuser netip.Addr // the address that first refused the packet
	refusal plan.Kind
	mtu     int
}

// New begins a search.
func New(cfg Config) *Plan {
	p := &Plan{cfg: cfg, answers: map[int]plan.Kind{}, order: rand.New(rand.NewPCG(1, 2))} // the same each time: there is no adversary
	p.survey(func() { p.findLocal(p.find) })
	return p
}

// Err returns why the search found nothing, or ended early: the system accepted no packet.
func (p *Plan) Err() error { return p.failed }

// Done reports whether the search is over.
func (p *Plan) Done() bool { return p.done }

// Alone reports whether a trace needs stop-and-wait.
func (p *Plan) Alone() bool { return p.route != nil && p.route.Alone() }

// Next returns the packet that may leave now: see [plan.Plan].
func (p *Plan) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	for p.route != nil {
		r := p.route
		if probe, ok, wake = r.Next(now); ok {
			return p.ask(asked{route: r, key: probe.Key}, packet{r.size, probe.TTL}), true, now
		}
		if !p.endRoute() {
			return probe, false, wake
		}
	}
	v := p.volley
	switch {
	case v == nil || v.left == len(v.packets):
		return probe, false, wake
	case now.Before(v.due):
		return probe, false, v.due
	}
	v.left++
	v.due = now.Add(p.cfg.Interval)
	return p.ask(asked{volley: v, key: plan.Key(v.left - 1)}, v.packets[v.left-1]), true, now
}

// ask numbers a probe and notes its purpose.
func (p *Plan) ask(a asked, pk packet) plan.Probe {
	a.flow = p.flow
	p.probes = append(p.probes, a)
	return plan.Probe{Key: plan.MakeKey(pk.ttl, len(p.probes)-1), TTL: pk.ttl, Size: pk.size, Flow: p.flow}
}

// IsDatagram reports whether a probe was of flow 1.
func (p *Plan) IsDatagram(k plan.Key) bool { return p.probes[k.Number()].flow == 1 }

// asked returns the purpose of a probe, and whether its step is still current.
func (p *Plan) asked(k plan.Key) (a asked, current bool) {
	a = p.probes[k.Number()]
	return a, !p.done && (a.route != nil && a.route == p.route || a.volley != nil && a.volley == p.volley)
}

// Wants reports whether a waiting probe should still leave.
func (p *Plan) Wants(k plan.Key) bool {
	a, current := p.asked(k)
	return current && (a.route == nil || a.route.Wants(a.key))
}

// Recall notes that a probe does not leave.
func (p *Plan) Recall(k plan.Key) {
	if a, current := p.asked(k); current && a.route != nil {
		a.route.Recall(a.key)
		p.endRoute()
	}
}

// Sent notes that the system accepted a probe.
func (p *Plan) Sent(k plan.Key, at time.Time) {
	switch a, current := p.asked(k); {
	case !current:
	case a.route != nil:
		a.route.Sent(a.key, at)
	default:
		a.volley.due = at.Add(p.cfg.Interval)
		if a.volley.first {
			p.take(a, &plan.Observation{Kind: plan.Advice})
		}
	}
}

// Refused notes that the system refused a probe, and why.
func (p *Plan) Refused(k plan.Key, err error, now time.Time) {
	switch a, current := p.asked(k); {
	case !current:
	case a.route != nil:
		a.route.refusal = err
		a.route.Refused(a.key, err, now)
		p.endRoute()
	default:
		o := plan.Observation{Kind: plan.Silent, Settles: true, Err: err}
		if p.cfg.TooBig(err) {
			o.Kind = plan.TooBig
		} else {
			p.refusal = err
		}
		p.take(a, &o)
	}
}

// Observe notes an observation of a probe.
func (p *Plan) Observe(now time.Time, o *plan.Observation) {
	switch a, current := p.asked(o.Key); {
	case !current:
	case a.route != nil:
		own := *o
		own.Key = a.key
		a.route.note(&own)
		a.route.Observe(now, &own)
		p.endRoute()
	case o.Kind != plan.Unclear:
		p.take(a, o)
	}
}

// note keeps what a trace sees of a hop.
func (r *route) note(o *plan.Observation) {
	if !o.IsAnswer() || o.Local {
		return
	}
	hop := o.Key.Hop()
	for len(r.hops) <= hop {
		r.hops = append(r.hops, seen{})
	}
	h := &r.hops[hop]
	if !h.address.IsValid() {
		h.address = o.Responder
	}
	if h.kind == plan.Silent || o.Kind == plan.Reply {
		h.kind = o.Kind
	}
	if o.Answer()&(plan.Refuses|plan.Closes) != 0 && !h.refuser.IsValid() {
		h.refuser, h.refusal, h.mtu = o.Responder, o.Kind, o.MTU
	}
}

// follow traces the path by packets of a size, from a hop on.
func (p *Plan) follow(size, first int, then func(*route)) {
	opts := &trace.Options{
		FirstHop: first, Hops: p.cfg.MaxHops - first + 1, Count: p.cfg.Count, Interval: p.cfg.Interval, Timeout: p.cfg.Timeout, Fast: true,
	}
	p.volley, p.route = nil, &route{Plan: trace.New(opts, nil), size: size, first: first, then: then}
}

// endRoute goes on if the trace is done, and reports whether it is.
func (p *Plan) endRoute() bool {
	r := p.route
	if r == nil || !r.Done() {
		return false
	}
	p.route = nil
	if r.Taken() == 0 {
		p.failed, p.done = r.refusal, true
		return true
	}
	for len(r.hops) < r.Final() {
		r.hops = append(r.hops, seen{})
	}
	r.hops = r.hops[:r.Final()]
	r.then(r)
	return true
}

// reached reports whether the target answered.
func (r *route) reached() bool { return r.End(len(r.hops)-1) == plan.EndReached }

// fire sends packets, and goes on when all are settled or take reports that they are
// enough.
func (p *Plan) fire(v *volley) { p.volley, p.route = v, nil }

// take passes an observation of a packet to its volley.
func (p *Plan) take(a asked, o *plan.Observation) {
	v := a.volley
	if o.Settles {
		v.settled++
		if o.Err == nil && !o.Local && !v.first {
			p.left = max(p.left, v.packets[a.key].size)
		}
	}
	if v.take(v.packets[a.key], o) || v.settled == len(v.packets) {
		p.volley = nil
		v.then()
	}
}

// survey finds the hops by small packets.
func (p *Plan) survey(then func()) {
	p.follow(p.cfg.Least, 1, func(r *route) {
		p.Reached = r.reached()
		for i := range r.hops {
			h := &r.hops[i]
			p.Hops = append(p.Hops, Hop{Distance: i + 1, Address: h.address})
			if h.address.IsValid() && h.kind != plan.TooBig {
				p.witness, p.answers[i+1] = i+1, h.kind
			}
		}
		if p.witness > 0 {
			p.Hops = slices.DeleteFunc(p.Hops, func(h Hop) bool { return h.Distance > p.witness })
		}
		then()
	})
}

// findLocal finds the largest packet that can be tried. It hands packets to the system,
// because only the system knows the interface by which they leave. They have a TTL of 1,
// and their answers are ignored.
func (p *Plan) findLocal(then func(largest int)) {
	p.isSent(p.cfg.Largest, func(f fit) {
		if f != tooBig {
			then(p.cfg.Largest)
			return
		}
		p.halve(p.cfg.Least, p.cfg.Largest, p.cfg.Guess(), then)
	})
}

// halve finds the largest packet that the system sends between one that it sends and one
// that it does not, by a guess first.
func (p *Plan) halve(low, high, guess int, then func(largest int)) {
	if high-low <= 1 {
		p.LocalMTU = low
		then(low)
		return
	}
	size := low + (high-low)/2
	switch {
	case guess > low && guess < high:
		size = guess
	case guess == low && guess != p.cfg.Least:
		size, guess = guess+1, 0
	}
	p.isSent(size, func(f fit) {
		switch f {
		case fits:
			p.halve(size, high, guess, then)
		case tooBig:
			p.halve(low, size, guess, then)
		default:
			then(high - 1) // no evidence contradicts it
		}
	})
}

// fit is whether the system sends a packet of a given size in one piece.
type fit uint8

const (
	notKnown fit = iota // the system refused the packet for another reason
	fits
	tooBig
)

// isSent finds out whether the system sends a packet of a size.
func (p *Plan) isSent(size int, then func(fit)) {
	var f fit
	p.fire(&volley{
		packets: []packet{{size, 1}}, first: true,
		take: func(_ packet, o *plan.Observation) bool {
			switch {
			case o.Kind == plan.TooBig && !o.Responder.IsValid():
				f = tooBig
			case o.Err == nil:
				f = fits
			}
			return true
		},
		then: func() { then(f) },
	})
}
