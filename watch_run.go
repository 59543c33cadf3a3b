package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan/cadence"
)

// watchTarget is a target with all defaults filled in, and what is known of it.
type watchTarget struct {
	WatchTarget
	probing WatchProbing
	literal netip.Addr // its Host is this address; the zero Addr: a name
	family  Family     // that it was resolved to first

	place    int         // in the schedule of look-ups; -1: none
	asking   bool        // a look-up runs
	gone     bool        // it is not watched any more
	watching []*watching // its addresses
}

// watching is an address that is watched.
type watching struct {
	target *watchTarget
	addr   netip.Addr
	op     *watchOp
	pool   *engine.Pool // nil: not known yet
	place  int          // in the schedule, and in watchRun.places
	born   uint8
	sent   int
	turn   uint8 // how often it was given another id
	pulse  cadence.Pulse
}

// watchOp is an operation of the engine for probes of one shape, and how many
// addresses it is for.
type watchOp struct {
	*engine.Op
	users int
}

// lookupResult is what a look-up found.
type lookupResult struct {
	target *watchTarget
	addrs  []netip.Addr
	err    error
}

// watchRun is the loop of a Watch: what is not guarded by setMu is its goroutine's.
type watchRun struct {
	w      *Watch
	p      *Prober
	epoch  time.Time
	moment time.Time     // of this round of the loop: what becomes known in it
	wake   chan struct{} // holds a token while there may be another set

	setMu  sync.Mutex
	wanted map[string]*watchTarget // the next set; nil: there is none

	targets   map[string]*watchTarget
	due       cadence.Schedule
	places    []*watching
	births    []uint8 // of each place
	ops       map[streamShape]*watchOp
	inbox     *engine.Inbox
	taken     []engine.Outcome
	collected time.Duration // when something was taken last
	batches   []watchBatch
	events    []WatchEvent

	lookups  cadence.Schedule
	asked    []*watchTarget // by place
	fresh    []*watchTarget // that were not looked up yet
	retries  []watchRetry   // in the order of their moments
	lookupAt chan struct{}  // one of few places for look-ups
	found    chan lookupResult
	asking   sync.WaitGroup

	refused map[socketKey]watchRefusal
}

// watchBatch is probes that leave together.
type watchBatch struct {
	pool   *engine.Pool
	op     *watchOp
	probes []engine.Probe
	of     []*watching
}

// watchRetry is when a name is looked up again.
type watchRetry struct {
	at     time.Duration
	target *watchTarget
}

// watchRefusal is why there is no socket, and until when that is taken to stay so.
type watchRefusal struct {
	err   error
	until time.Duration
}

const (
	// lookupsAtOnce is what a resolver can take from one client.
	lookupsAtOnce = 16
	lookupTimeout = 10 * time.Second

	// watchRetryAfter is after which time a look-up that failed is made again, and a
	// socket that could not be opened is tried again.
	watchRetryAfter = 10 * time.Second

	// watchGather is how long outcomes gather before they are told: a wake-up for
	// each costs more than it does.
	watchGather = 10 * time.Millisecond

	// watchTurns is how many ids there are for addresses that need another one.
	watchTurns = 8
)

func newWatchRun(w *Watch) *watchRun {
	return &watchRun{
		w: w, p: w.p, epoch: time.Now(), wake: make(chan struct{}, 1),
		targets: map[string]*watchTarget{}, ops: map[streamShape]*watchOp{}, inbox: engine.NewInboxWith(w.opts.Buffer),
		lookupAt: make(chan struct{}, lookupsAtOnce), found: make(chan lookupResult, lookupsAtOnce),
		refused: map[socketKey]watchRefusal{},
	}
}

// each probes until ctx ends or the Prober is closed, and returns why.
func (r *watchRun) each(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer r.asking.Wait()
	defer cancel()
	defer func() {
		for _, op := range r.ops {
			op.Close()
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		r.moment = time.Now()
		if err := r.send(ctx); err != nil {
			return net.ErrClosed
		}
		at := r.lookUp(ctx)
		r.collect()
		r.w.note(r.events)
		clear(r.events)
		r.events = r.events[:0]
		if due, any := r.due.First(); any && (at == 0 || due < at) {
			at = max(due, 1)
		}
		if err := r.wait(ctx, timer, at); err != nil {
			return net.ErrClosed // of the Watch, or of the Prober
		}
	}
}

// now is the moment on the scale of the schedules.
func (r *watchRun) now() time.Duration { return time.Since(r.epoch) }

// wait waits for the next thing to do.
func (r *watchRun) wait(ctx context.Context, timer *time.Timer, at time.Duration) error {
	var due <-chan time.Time
	ready := r.inbox.Ready()
	if gather := r.collected + watchGather; r.now() < gather {
		ready = nil // what comes until then is taken together
		if at == 0 || gather < at {
			at = gather
		}
	}
	if at > 0 {
		timer.Reset(at - r.now())
		due = timer.C
	}
	select {
	case <-due:
	case <-ready:
	case <-r.wake:
		r.moment = time.Now()
		r.exchange()
	case found := <-r.found:
		r.moment = time.Now()
		r.resolved(&found)
	case <-ctx.Done():
		return ctx.Err()
	case <-r.p.closed:
		return net.ErrClosed
	}
	return nil
}

// exchange takes another set of targets.
func (r *watchRun) exchange() {
	r.setMu.Lock()
	wanted := r.wanted
	r.wanted = nil
	r.setMu.Unlock()
	if wanted == nil {
		return
	}
	for id, t := range r.targets {
		next := wanted[id]
		if next != nil && next.same(t) {
			t.Value = next.Value
			continue
		}
		r.drop(t)
	}
	for id, t := range wanted {
		if r.targets[id] == nil {
			r.begin(t)
		}
	}
}

// begin begins to watch a target.
func (r *watchRun) begin(t *watchTarget) {
	r.targets[t.ID] = t
	t.place, t.family = -1, t.probing.Family
	if t.literal.IsValid() && r.w.opts.Lookup == nil {
		r.add(t, t.literal.Unmap())
		return
	}
	r.fresh = append(r.fresh, t)
	if t.probing.ResolveEvery > 0 {
		t.place = r.lookups.Add(r.now(), t.probing.ResolveEvery)
		r.asked = placed(r.asked, t.place, t)
	}
}

// placed puts v at a place of a slice, which grows to have it.
func placed[T any](all []T, place int, v T) []T {
	for len(all) <= place {
		var none T
		all = append(all, none)
	}
	all[place] = v
	return all
}

// drop ends the watching of a target.
func (r *watchRun) drop(t *watchTarget) {
	t.gone = true
	delete(r.targets, t.ID)
	if t.place >= 0 {
		r.lookups.Remove(t.place)
	}
	for _, a := range t.watching {
		r.end(a)
	}
	t.watching = nil
}

// add begins to watch an address of a target.
func (r *watchRun) add(t *watchTarget, addr netip.Addr) {
	a := &watching{target: t, addr: thisHost(addr)}
	o := ProbeOptions{Timeout: t.probing.Timeout, Packet: t.probing.Packet}
	shape := shapeOf(&o, a.addr)
	if a.op = r.ops[shape]; a.op == nil {
		cfg := r.p.opConfig(&o.Packet, o.Timeout, a.addr)
		cfg.Inbox, cfg.Patient, cfg.Drives = r.inbox, true, true
		a.op = &watchOp{Op: engine.NewOp(cfg)}
		r.ops[shape] = a.op
	}
	a.op.users++
	a.place = r.due.Add(r.now(), t.probing.Interval)
	r.places = placed(r.places, a.place, a)
	if a.place == len(r.births) {
		r.births = append(r.births, 0)
	}
	r.births[a.place]++
	a.born = r.births[a.place]
	t.watching = append(t.watching, a)
	r.tell(WatchEvent{Kind: WatchAdded}, a)
}

// end ends the watching of an address.
func (r *watchRun) end(a *watching) {
	r.due.Remove(a.place)
	r.places[a.place] = nil
	if a.op.users--; a.op.users == 0 {
		for shape, op := range r.ops {
			if op == a.op {
				op.Close()
				delete(r.ops, shape)
			}
		}
	}
	r.tell(WatchEvent{Kind: WatchGone}, a)
}

// tell queues an event about an address.
func (r *watchRun) tell(e WatchEvent, a *watching) {
	e.Address = a.addr
	r.tellOf(e, a.target)
}

// tellOf queues an event about a target.
func (r *watchRun) tellOf(e WatchEvent, t *watchTarget) {
	if e.Time.IsZero() {
		e.Time = r.moment
	}
	e.ID, e.Host, e.Value = t.ID, t.Host, t.Value
	r.events = append(r.events, e)
}

// send sends what is due. An error is the end of the Watch.
func (r *watchRun) send(ctx context.Context) error {
	now := r.now()
	r.batches = r.batches[:0]
	for {
		place, due, _ := r.due.Next(now)
		if !due {
			break
		}
		if err := r.batch(r.places[place], now); err != nil {
			return err
		}
	}
	for i := range r.batches {
		if err := r.flush(ctx, &r.batches[i]); err != nil {
			return err
		}
	}
	return nil
}

// batch puts a probe of an address into the batch that it leaves with.
func (r *watchRun) batch(a *watching, now time.Duration) error {
	pool, err := r.pool(a, now)
	if err != nil {
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		r.refuse(a, err)
		return nil
	}
	probe := a.target.probing.Packet.probe(a.addr, a.tag(), a.target.probing.Packet.ttl())
	a.sent++
	for i := range r.batches {
		if b := &r.batches[i]; b.pool == pool && b.op == a.op {
			b.probes, b.of = append(b.probes, probe), append(b.of, a)
			return nil
		}
	}
	if len(r.batches) < cap(r.batches) {
		r.batches = r.batches[:len(r.batches)+1] // with the room that it had
	} else {
		r.batches = append(r.batches, watchBatch{})
	}
	b := &r.batches[len(r.batches)-1]
	b.pool, b.op = pool, a.op
	b.probes, b.of = append(b.probes[:0], probe), append(b.of[:0], a)
	return nil
}

// pool returns the sockets for an address. That there are none is not asked about for
// each probe.
func (r *watchRun) pool(a *watching, now time.Duration) (*engine.Pool, error) {
	if a.pool != nil {
		return a.pool, nil
	}
	key, err := a.target.probing.Packet.key(&r.p.cfg, a.addr)
	if err != nil {
		return nil, err
	}
	key.turn = a.turn
	if refusal, ok := r.refused[key]; ok && now < refusal.until {
		return nil, refusal.err
	}
	delete(r.refused, key)
	a.pool, err = r.p.pool(key)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		r.refused[key] = watchRefusal{err, now + watchRetryAfter}
	}
	return a.pool, err
}

// flush sends a batch.
func (r *watchRun) flush(ctx context.Context, b *watchBatch) error {
	_, err := r.p.sendPaced(ctx, b.pool, b.op.Op, b.probes, func(i int, err error) {
		b.of[i].sent-- // refuse counts it
		r.refuse(b.of[i], err)
	})
	if err == nil {
		b.op.Rest()
	}
	return err
}

// refuse tells of a probe that was not sent.
func (r *watchRun) refuse(a *watching, err error) {
	result := refusedResult(a.addr, a.sent, a.target.probing.Packet.ttl(), err)
	a.sent++
	r.result(a, &result)
}

// A tag has the place of an address in its upper 24 bits, then in 8 bits which of
// those who had the place it is, and the number of the probe in the lower 32.
const (
	watchPlaceShift = 40
	watchBornShift  = 32
)

func (a *watching) tag() uint64 {
	return uint64(a.place)<<watchPlaceShift | uint64(a.born)<<watchBornShift | uint64(uint32(a.sent))
}

// number returns the number of a probe, of which a tag has the lower 32 bits.
func (a *watching) number(tag uint64) int { return a.sent - 1 - int(uint32(a.sent-1)-uint32(tag)) }

// collect tells what became known.
func (r *watchRun) collect() {
	r.taken = r.inbox.Take(r.taken)
	if len(r.taken) > 0 {
		r.collected = r.now()
	}
	for i := range r.taken {
		o := &r.taken[i]
		a := r.places[o.Tag>>watchPlaceShift]
		if a == nil || a.born != uint8(o.Tag>>watchBornShift) {
			continue // it is gone
		}
		result := r.p.outcome(o, a.addr, a.target.probing.Packet.Protocol)
		result.Seq = a.number(o.Tag)
		r.result(a, &result)
	}
}

// result tells of a result, and of what it changes.
func (r *watchRun) result(a *watching, result *Result) {
	r.tell(WatchEvent{Kind: WatchResult, Result: *result}, a)
	fate := cadence.Failed
	switch {
	case result.Settles() && result.Status == StatusReply, result.Corrects && !result.Late:
		fate = cadence.Answered
	case !result.Settles():
		return
	case result.Status == StatusNoReply && result.Cause == nil:
		fate = cadence.Silent
	}
	p := &a.target.probing
	change, also := a.pulse.Observe(result.Seq, fate, p.DownAfter, p.NewIDAfter)
	switch change {
	case cadence.Up:
		r.tell(WatchEvent{Kind: WatchUp, Result: *result}, a)
	case cadence.Down:
		r.tell(WatchEvent{Kind: WatchDown, Result: *result}, a)
	}
	if also == cadence.Stuck && r.p.cfg.ID == 0 {
		a.turn, a.pool = (a.turn+1)%watchTurns, nil
		r.tell(WatchEvent{Kind: WatchNewID}, a)
	}
}

// lookUp has the names resolved whose time has come, and returns when the next is due.
func (r *watchRun) lookUp(ctx context.Context) (next time.Duration) {
	now := r.now()
	for _, t := range r.fresh {
		r.ask(ctx, t)
	}
	clear(r.fresh)
	r.fresh = r.fresh[:0]
	for len(r.retries) > 0 && r.retries[0].at <= now {
		r.ask(ctx, r.retries[0].target)
		r.retries = r.retries[1:]
	}
	for {
		place, due, wake := r.lookups.Next(now)
		if !due {
			next = wake
			break
		}
		r.ask(ctx, r.asked[place])
	}
	if len(r.retries) > 0 && (next == 0 || r.retries[0].at < next) {
		next = r.retries[0].at
	}
	return next
}

// ask has a name resolved. Few look-ups run at a time.
func (r *watchRun) ask(ctx context.Context, t *watchTarget) {
	if t.gone || t.asking {
		return
	}
	t.asking = true
	family, packet := t.family, t.probing.Packet
	r.asking.Go(func() {
		found := lookupResult{target: t}
		select {
		case r.lookupAt <- struct{}{}:
		case <-ctx.Done():
			return
		}
		limited, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		if r.w.opts.Lookup != nil {
			found.addrs, found.err = r.w.opts.Lookup(limited, t.Host, family)
		} else {
			found.addrs, found.err = r.p.resolveFor(limited, t.Host, family, &packet)
		}
		<-r.lookupAt
		select {
		case r.found <- found:
		case <-ctx.Done():
		}
	})
}

// resolved takes what a look-up found: other addresses than before are watched.
func (r *watchRun) resolved(f *lookupResult) {
	t := f.target
	t.asking = false
	if t.gone {
		return
	}
	if f.err != nil {
		r.tellOf(WatchEvent{Kind: WatchLookupFailed, Err: f.err}, t)
		if wait := watchRetryAfter; t.probing.ResolveEvery == 0 || wait < t.probing.ResolveEvery {
			r.retries = append(r.retries, watchRetry{r.now() + wait, t})
		}
		if dns, ok := errors.AsType[*net.DNSError](f.err); !ok || !dns.IsNotFound {
			return // which says nothing about the addresses that are known
		}
	}
	if len(f.addrs) > 0 && t.family == AnyFamily {
		t.family = familyOf(f.addrs[0])
	}
	wanted := t.choose(f.addrs)
	t.watching = slices.DeleteFunc(t.watching, func(a *watching) bool {
		gone := !slices.Contains(wanted, a.addr)
		if gone {
			r.end(a)
		}
		return gone
	})
	for _, addr := range wanted {
		if !t.watches(addr) {
			r.add(t, addr)
		}
	}
}

func (t *watchTarget) watches(addr netip.Addr) bool {
	return slices.ContainsFunc(t.watching, func(a *watching) bool { return a.addr == addr })
}

// choose returns which of the addresses found are to be watched.
func (t *watchTarget) choose(found []netip.Addr) []netip.Addr {
	addrs := make([]netip.Addr, 0, len(found))
	for _, addr := range found {
		if addr = thisHost(addr.Unmap()); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if t.probing.AllAddresses || len(addrs) == 0 {
		return addrs
	}
	if i := slices.IndexFunc(addrs, t.watches); i >= 0 {
		return addrs[i : i+1]
	}
	return addrs[:1]
}
