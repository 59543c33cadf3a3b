package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// tracePlan is the strategy of a trace: which probe is to be sent when, and
// where the way ends. It neither sends nor looks at the clock.
//
// Hops are probed ahead of the answers. The window is how far ahead: it opens
// with each answer, and with time, so that a stretch of silent hops does not
// stop it; it never goes beyond a hop that is known to be the end.
type tracePlan struct {
	opts   *TracerouteOptions
	hops   []planHop // from FirstHop on, as far as the window has been
	window int       // hops that may be probed
	grow   time.Time // when it opens by itself
	last   int       // index of the last hop that matters: the end, or MaxHops
	end    RouteEnd  // what it is, as far as is known
	final  int       // hops whose fate is known, and were handed out
	taken  int       // probes that the system took
	refuse error     // why it did not take the last of those that it did not
	slow   time.Duration
	flying int // probes that have no fate yet
	care   traceCare

	// See postpone.
	alone bool      // probes follow one another
	took  time.Time // when the system last took one
	retry time.Time // when the next one may be tried again
}

// planHop is a hop that is being probed.
type planHop struct {
	hop  Hop
	sent int       // probes sent so far
	open int       // those of them that have no fate yet
	left time.Time // when the last one left

	// The first void probes are those whose answers may have come, but could not
	// be told apart; before is what was known of them. See traceCare.
	void   int
	before *Hop

	queued bool // a probe waits for its turn among those of other traces
}

// fastPatience is for how long a fast trace waits at the least before it asks a
// hop again: how long answers take is not known of those that are farther away.
const fastPatience = 250 * time.Millisecond

// traceAhead is how many hops are probed ahead of the farthest that answered.
const traceAhead = 8

func newTracePlan(opts *TracerouteOptions, now time.Time) *tracePlan {
	return newTracePlanIn(nil, opts, now)
}

// newTracePlanIn makes a plan that uses the memory of hops.
func newTracePlanIn(hops []planHop, opts *TracerouteOptions, now time.Time) *tracePlan {
	p := &tracePlan{opts: opts, hops: hops[:0], window: traceAhead, grow: now.Add(growAfter(opts))}
	p.findEnd()
	p.extend()
	return p
}

// extend makes the hops that the window has come to: a trace whose target is
// near needs few of them.
func (p *tracePlan) extend() {
	for i := len(p.hops); i < min(p.window, p.last+1); i++ {
		p.hops = append(p.hops, planHop{hop: Hop{Distance: p.opts.FirstHop + i, Status: StatusNoReply}})
		p.hops[i].hop.receiveEveryAnswer()
	}
}

// open returns how many hops there are to probe by now.
func (p *tracePlan) open() int { return min(len(p.hops), p.last+1) }

// leastGrowth keeps a trace without an interval from probing all hops at once.
const leastGrowth = 10 * time.Millisecond

// growAfter is for how long the window stays as it is without an answer.
func growAfter(o *TracerouteOptions) time.Duration { return max(o.Interval, leastGrowth) }

// next returns the hop to probe now, -1 if there is none, and when there may be
// one; the zero time if only an answer can tell.
func (p *tracePlan) next(now time.Time) (index int, at time.Time) {
	if at, wait := p.nextAlone(now); wait {
		return -1, at
	}
	if p.care.on {
		return p.nextWithCare(now)
	}
	if !now.Before(p.grow) && p.window <= p.last {
		p.window += traceAhead
		p.extend()
		p.grow = now.Add(growAfter(p.opts))
	}
	for i := range min(p.window, p.last+1) {
		h := &p.hops[i]
		due := p.due(h)
		switch {
		case !p.wants(h):
		case !due.After(now):
			return i, now
		case at.IsZero() || due.Before(at):
			at = due
		}
	}
	if p.window <= p.last && (at.IsZero() || p.grow.Before(at)) {
		at = p.grow
	}
	return -1, at
}

// wants tells whether a hop is to be probed again.
func (p *tracePlan) wants(h *planHop) bool {
	return h.sent-h.void < p.opts.Count && (!p.opts.Fast || h.hop.IsSilent())
}

// sent notes that a probe to a hop has left.
func (p *tracePlan) sent(index int, now time.Time) {
	h := &p.hops[index]
	h.sent++
	h.open++
	p.flying++
	h.left = now
}

// due is when the next probe to a hop may leave.
func (p *tracePlan) due(h *planHop) time.Time {
	if h.sent == 0 {
		return time.Time{}
	}
	pause := p.opts.Interval
	if p.opts.Fast {
		// Another attempt is for silence: not before an answer could have
		// come, also from farther away than the slowest so far.
		pause = max(pause, min(p.opts.Timeout, max(fastPatience, 2*p.slow)))
	}
	return h.left.Add(pause)
}

// unsent takes back what sent noted.
func (p *tracePlan) unsent(index int) {
	h := &p.hops[index]
	h.sent--
	h.open--
	p.flying--
}

// result notes what was heard of a probe to a hop; settles says that it is the
// probe's fate. A hop that was handed out does not change any more, and nor does
// the end of a trace that is done.
func (p *tracePlan) result(index int, r *Result, settles bool) {
	h := &p.hops[index]
	if settles {
		h.open--
		p.flying--
	}
	if h.takesBack(r) {
		p.care.wait(r, p.opts.Timeout)
		return
	}
	p.care.wait(r, p.opts.Timeout)
	if index < p.final || p.done() {
		return
	}
	p.care.note(h, r)
	h.hop.add(r)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	p.slow = max(p.slow, r.RTT)
	p.window = max(p.window, index+1+traceAhead)
	p.findEnd()
	p.extend()
}

// findEnd finds the nearest hop at which the path ends by what is known so far. A
// hop that seemed to be the end is none any more when another probe passes it.
func (p *tracePlan) findEnd() {
	for i := p.final; i < len(p.hops); i++ {
		if end := p.hops[i].hop.met.end(); end != EndUnknown {
			p.last, p.end = i, end
			return
		}
	}
	p.last, p.end = p.opts.MaxHops-p.opts.FirstHop, EndMaxHops
}

// endOf says which end of the way an answer stands for by itself.
func endOf(r *Result) RouteEnd { return answerOf(r).end() }

// finish returns the next hop that is final, in order of distance; nil if that
// has to be waited for. A hop that closes a circle, or a gap, becomes the last.
func (p *tracePlan) finish() *Hop {
	if p.done() || p.final >= len(p.hops) {
		return nil
	}
	h := &p.hops[p.final]
	if h.open > 0 || p.wants(h) {
		return nil
	}
	p.compare(p.final)
	switch {
	case p.final == p.last:
	case p.closesLoop(p.final):
		p.last, p.end = p.final, EndLoop
	case p.closesGap(p.final):
		p.last, p.end = p.final, EndGap
	}
	if p.final == p.last && p.taken > 0 {
		h.hop.End = p.end
	}
	p.final++
	return &h.hop
}

// verdict returns why a trace that is done ended. Where the system took none of
// its probes it has no end, but a reason for that.
func (p *tracePlan) verdict() (RouteEnd, error) {
	if p.taken == 0 {
		return EndUnknown, p.refuse
	}
	return p.end, nil
}

// done tells whether all hops up to the end are final.
func (p *tracePlan) done() bool { return p.final > p.last }

// rest yields the hops that are not final as they stand, up to the last that
// answered.
func (p *tracePlan) rest(yield func(*Hop) bool) {
	last := p.final - 1
	for i := p.final; i < p.open(); i++ {
		if !p.hops[i].hop.IsSilent() {
			last = i
		}
	}
	for i := p.final; i <= last; i++ {
		h := &p.hops[i]
		if h.sent == h.void {
			h.restore()
		}
		h.hop.abandon(h.open)
		p.compare(i)
		if !yield(&h.hop) {
			return
		}
	}
}

// Without privileges a TCP probe is a connection, and there cannot be two with
// the same ports and addresses. Where the caller chose the source port, probes
// therefore follow one another. That of a silent hop is in the way until the
// system gives it up, which is later than the probe's timeout may be.
const (
	connectionPause    = 100 * time.Millisecond // before it is tried again
	connectionPatience = 5 * time.Second        // before somebody else has the port
)

// postpone takes back the probes of the batch from first on where the first of
// them has to wait for a connection to end, and tells whether it has to.
func (r *traceRun) postpone(first int, err error) bool {
	now := time.Now()
	if r.plan.taken == 0 || !r.plan.postpones(err, len(r.indexes)-first, now) {
		return false
	}
	r.unsent(first)
	r.plan.alone, r.plan.retry = true, now.Add(connectionPause)
	return true
}

// postpones tells whether a probe that was refused has to wait for a connection
// to end; unsent is how many of those in flight have not left.
func (p *tracePlan) postpones(err error, unsent int, now time.Time) bool {
	if !p.opts.Packet.waitsForConnection(err) {
		return false
	}
	return p.flying > unsent || now.Sub(p.took) <= connectionPatience
}

// waitsForConnection tells whether a probe was refused because there is a
// connection with its ports, which the caller chose.
func (pk *Packet) waitsForConnection(err error) bool {
	inUse := errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)
	return inUse && pk.Protocol == TCP && pk.SourcePort != 0
}

// nextAlone tells whether the next probe has to wait for the one before it, and
// until when; the zero time if only its fate can tell.
func (p *tracePlan) nextAlone(now time.Time) (at time.Time, wait bool) {
	switch {
	case !p.alone:
		return at, false
	case p.flying > 0:
		return at, true
	}
	return p.retry, now.Before(p.retry)
}

// traceCare is how a trace gets along where answers do not say which probe they
// are to. A UDP probe without privileges, or one with the caller's payload, and
// an INIT, are not recognised in a quote of 8 bytes, and nor is what a UDP
// service answers.
//
// Where such answers come, the hops that nobody is known to have answered for
// are probed again, one probe at a time: then there is but one that can be
// meant. What was sent to them before is not counted, for it is not known who
// answered. When as many answers are accounted for as came, or no such hop is
// left, hops are probed ahead again.
type traceCare struct {
	on      bool
	unclear int       // answers that could not be credited
	found   int       // those of them that are those of hops that are known by now
	quiet   time.Time // until then an answer may be to an earlier probe
}

// unclear notes an answer that could be to any of several probes.
func (p *tracePlan) unclear() {
	switch {
	case !p.care.on:
		p.care.on, p.care.unclear, p.care.found = true, 1, 0
	case p.flying > 1:
		p.care.unclear++ // to one of those that left before
		return
	default:
		return // somebody else probes the same host
	}
	for i := p.final; i < p.open(); i++ {
		if h := &p.hops[i]; h.hop.IsSilent() && h.sent > 0 {
			h.setAside()
		}
	}
}

// nextWithCare is next, where probes leave one by one.
func (p *tracePlan) nextWithCare(now time.Time) (index int, at time.Time) {
	if p.flying > 0 {
		return -1, at
	}
	if now.Before(p.care.quiet) {
		return -1, p.care.quiet
	}
	explained := p.care.found >= p.care.unclear
	for i := p.final; i < p.open(); i++ {
		h := &p.hops[i]
		switch {
		case !p.wants(h), h.hop.IsSilent() && (explained || h.void == 0):
		case p.due(h).After(now):
			return -1, p.due(h)
		default:
			return i, now
		}
	}
	p.care.on = false
	for i := range p.hops {
		if h := &p.hops[i]; h.hop.IsSilent() && h.sent == h.void {
			h.restore()
		}
	}
	return p.next(now)
}

// note takes account of an answer with which a hop becomes known.
func (c *traceCare) note(h *planHop, r *Result) {
	if c.on && h.void > 0 && h.hop.IsSilent() && r.Responder.IsValid() {
		c.found += h.void
	}
}

// wait notes until when another answer may come.
func (c *traceCare) wait(r *Result, timeout time.Duration) {
	c.quiet = later(c.quiet, quietAfter(r, timeout))
}

// quietAfter is until when another answer to a probe may come, which would be
// taken for one to the next probe where answers do not say which one they are to:
// that to a silent probe may be late, and any other may come twice.
func quietAfter(r *Result, timeout time.Duration) time.Time {
	switch {
	case r.Status == StatusNoReply:
		return r.Sent.Add(engine.ForgottenAfter(timeout))
	case r.Responder.IsValid():
		return r.Sent.Add(r.RTT + engine.RepeatedWithin)
	}
	return time.Time{}
}

// setAside leaves the probes to a hop out of account.
func (h *planHop) setAside() {
	before := h.hop
	h.void, h.before = h.sent, &before
	h.hop = Hop{Distance: h.before.Distance, Status: StatusNoReply}
	h.hop.receiveEveryAnswer()
}

// restore takes them into account again.
func (h *planHop) restore() {
	if h.void > 0 {
		h.void, h.hop, h.before = 0, *h.before, nil
	}
}

// takesBack takes a result of a probe that was left out of account, and tells
// whether there is nothing more to it. If it turns out to have been answered
// recognisably, so may all of them have been.
func (h *planHop) takesBack(r *Result) bool {
	if r.Seq >= h.void {
		return false
	}
	if r.Responder.IsValid() && h.sent == h.void {
		h.restore()
		return false
	}
	h.before.add(r)
	return !r.Responder.IsValid()
}

// closesLoop tells whether the hops up to index end with the same circle twice:
// two or more routers in turn, or one that answered three times.
func (p *tracePlan) closesLoop(index int) bool {
	return closesLoop(index, func(i, j int) bool { return sameAddress(p.hops[i].hop.Address, p.hops[j].hop.Address) })
}

// sameAddress tells whether two hops answer with one address.
func sameAddress(a, b netip.Addr) bool { return a.IsValid() && a == b }

// closesLoop tells the same of hops of which it is known which are alike.
func closesLoop(index int, alike func(i, j int) bool) bool {
	for size := 1; size <= (index+1)/2; size++ {
		rounds := 2
		if size == 1 {
			rounds = 3 // a router that forwards with a TTL of 0 is seen twice
		}
		same := size*rounds <= index+1
		for i := index; same && i > index-size*(rounds-1); i-- {
			same = alike(i, i-size)
		}
		if same {
			return true
		}
	}
	return false
}

// closesGap tells whether the hops up to index end with a gap of the limit.
func (p *tracePlan) closesGap(index int) bool {
	if p.opts.GapLimit == 0 || index+1 < p.opts.GapLimit {
		return false
	}
	for i := index; i > index-p.opts.GapLimit; i-- {
		if !p.hops[i].hop.IsSilent() {
			return false
		}
	}
	return true
}

// compare holds how a hop saw the probe against how the hop before it did, and
// the first one against what was sent.
func (p *tracePlan) compare(index int) {
	compareQuotes(&p.opts.Packet, index, func(i int) *Hop { return &p.hops[i].hop })
}

// compareQuotes does the same with any hops.
func compareQuotes(packet *Packet, index int, hop func(int) *Hop) {
	h := hop(index)
	seen := seenIn(h)
	if seen == nil {
		return // the target's answer quotes nothing
	}
	for i := index - 1; i >= 0; i-- {
		if before := hop(i); seenIn(before) != nil {
			h.sent = before.sent
			h.Rewritten = differences(seenIn(before), seen) & h.sent.telling()
			return
		}
	}
	h.sent = sentAs(packet, seen)
	h.Rewritten = differences(&h.sent, seen) & h.sent.telling()
}

// traceTurns lets traces take turns that can have but one probe to an address in
// flight (see traceCare), and go there by the same sockets: otherwise each would
// be in the way of all others. The zero value is ready for use.
type traceTurns struct {
	mu    sync.Mutex
	turns map[turnKey]*traceTurn
}

type turnKey struct {
	pool *engine.Pool
	dst  netip.Addr
}

type traceTurn struct {
	key   turnKey
	token chan struct{} // full while somebody has the turn
	users int           // who have it or wait for it
	quiet time.Time     // as in traceCare, of those who had it
}

func (t *traceTurns) join(key turnKey) *traceTurn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.turns == nil {
		t.turns = map[turnKey]*traceTurn{}
	}
	turn := t.turns[key]
	if turn == nil {
		turn = &traceTurn{key: key, token: make(chan struct{}, 1)}
		t.turns[key] = turn
	}
	turn.users++
	return turn
}

// take waits for the turn of a key, until ctx or the Prober ends.
func (t *traceTurns) take(ctx context.Context, key turnKey) (*traceTurn, error) {
	turn := t.join(key)
	var err error
	select {
	case turn.token <- struct{}{}:
		return turn, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-key.pool.Done():
		err = net.ErrClosed
	}
	t.leave(turn)
	return nil, err
}

// tryTake takes the turn of a key if nobody has it, and is nil if somebody has.
func (t *traceTurns) tryTake(key turnKey) *traceTurn {
	turn := t.join(key)
	select {
	case turn.token <- struct{}{}:
		return turn
	default:
		t.leave(turn)
		return nil
	}
}

// give gives a turn back. Until quiet the answer to a silent probe may be late,
// and so may be those to the probes that an operation leaves in flight.
func (t *traceTurns) give(turn *traceTurn, quiet time.Time, inFlight int, timeout time.Duration) {
	turn.quiet = quiet
	if inFlight > 0 { // the operation was cut short
		turn.quiet = time.Now().Add(engine.ForgottenAfter(timeout))
	}
	<-turn.token
	t.leave(turn)
}

func (t *traceTurns) leave(turn *traceTurn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn.users--; turn.users == 0 {
		delete(t.turns, turn.key)
	}
}

// takeTurn waits for the turn of a trace that has to be careful, and gives back
// that of one that has not. Nothing of it is in flight meanwhile.
func (r *traceRun) takeTurn(ctx context.Context) error {
	switch {
	case !r.plan.care.on:
		r.giveTurn()
		return nil
	case r.turn != nil || r.plan.flying > 0 || r.plan.done():
		return nil
	}
	turn, err := r.p.turns.take(ctx, turnKey{r.pool, r.dst})
	if err != nil {
		return err
	}
	r.turn = turn
	r.plan.care.quiet = later(r.plan.care.quiet, turn.quiet)
	return nil
}

// giveTurn gives the turn back, also before the caller is given a hop: what the
// caller does with it may take any time.
func (r *traceRun) giveTurn() {
	if r.turn == nil {
		return
	}
	r.p.turns.give(r.turn, r.plan.care.quiet, r.plan.flying, r.opts.Timeout)
	r.turn = nil
}
