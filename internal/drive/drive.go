// Package drive is the one loop of all operations: it asks tasks which probes may
// leave, sends them, and hands out what becomes known of them.
//
// A [Task] is one target: a strategy of internal/plan, and what the operation keeps for its
// caller. A [Driver] has one task or very many. It does not know what answers mean, and a
// task does not know sockets, rates and other tasks.
//
// One goroutine does everything: the caller's. While it sends, it also reads the sockets
// (see internal/engine). Whenever code of the caller runs, it gives the sockets back to
// their readers, so that a loop body that sleeps delays no other operation's answers.
package drive

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/sys"
)

// Config is the configuration of a Driver. Closed, All and Locks are required.
type Config struct {
	Rules // of tasks that have none of their own

	Closed <-chan struct{} // ends the run with net.ErrClosed
	All    *engine.Pacer   // the rate of all operations together
	Own    *engine.Pacer   // the rate of this operation; nil: no limit
	Locks  *Locks          // see Task.Alone

	// Endless makes the run continue when all tasks are done: see Shared.
	Endless bool

	// MaxInFlight limits the probes in flight; 0: no limit.
	MaxInFlight int

	// Routers, if not nil, makes probes wait for the routers at which their TTL ends, and
	// leave in an order that its seed determines.
	Routers *Routers

	// Targets, if not nil, yields the targets for which the Driver begins tasks. Up to
	// Parallel tasks are in flight at a time, of which up to Ahead (0: any number) wait to
	// send their first probe. Begin sets the Err of a target to which nothing can be sent:
	// its task then ends at once, with that error. An error that Begin returns ends the
	// run.
	Targets  *Feed
	Parallel int
	Ahead    int
	Begin    func(t *Target) (Task, error)

	// Progress, if not nil, is called with the number of Targets drawn so far: at most ten
	// times a second, and at the end.
	Progress func(targets int)
}

// Driver runs one operation, or many. Only one goroutine may use it, except for Do and
// Ended.
type Driver struct {
	cfg     Config
	epoch   time.Time
	inbox   *engine.Inbox
	ops     []*engine.Op
	lent    map[engine.OpConfig]*lentOp // see Borrow
	slots   slots
	ready   ready
	timers  timers
	rate    rate
	targets queue

	inFlight int // probes that are not settled
	taken    int // probes that the system accepted
	closed   bool
	freed    chan struct{} // holds a token when a claim may have become a lock
	blocked  []Ref         // tasks that wait for their lock

	batches   []batch
	outcomes  []engine.Outcome
	looked    time.Duration    // when outcomes were last taken
	attention [WhenDue + 1]int // how many tasks want each
	timer     *time.Timer
	reported  time.Time // when Progress was last called

	calls   calls
	later   []func() // at the end of this turn of the loop
	lookups *lookups
	names   []lookup // to be looked up
}

// unclearRoom is how many unclear answers (those without a mark) may wait to be examined.
const unclearRoom = 1 << 12

// New returns a Driver. It must be closed.
func New(cfg Config) *Driver {
	d := &Driver{
		cfg:   cfg,
		epoch: time.Now(),
		inbox: engine.NewInboxWith(unclearRoom),
		rate:  rate{own: cfg.Own, all: cfg.All},
		freed: make(chan struct{}, 1),
	}
	if cfg.Routers != nil {
		d.ready.routers = newRouters(cfg.Routers)
	}
	if cfg.Targets != nil {
		d.targets = newQueue(cfg.Targets, &d.slots)
	}
	return d
}

// NewOp starts an operation of the engine, whose outcomes the Driver takes.
func (d *Driver) NewOp(cfg engine.OpConfig) *engine.Op {
	cfg.Inbox, cfg.Drives = d.inbox, true
	op := engine.NewOp(cfg)
	d.ops = append(d.ops, op)
	return op
}

// Close ends the operations of the engine, releases the reserved places of probes that were
// not sent to other operations, and ends the drawing of targets.
func (d *Driver) Close() {
	for i := range d.slots.all {
		d.unlock(&d.slots.all[i])
	}
	d.rate.end()
	for _, op := range d.ops {
		op.Close()
	}
	for _, l := range d.lent {
		l.op.Close()
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	d.lookups.end()
	if d.cfg.Targets != nil {
		d.cfg.Targets.end()
	}
}

// Add begins a task.
func (d *Driver) Add(t Task) Ref { return d.add(slot{task: t, rules: &d.cfg.Rules}, time.Now()) }

// AddBy is Add for a task with its own rules and one address. There must be room: see Full.
func (d *Driver) AddBy(t Task, rules *Rules, addr netip.Addr) Ref {
	return d.add(slot{task: t, rules: rules, addr: addr}, time.Now())
}

// Full reports whether there is no room for another task.
func (d *Driver) Full() bool { return d.slots.len() == maxSlots }

func (d *Driver) add(s slot, now time.Time) Ref {
	s.took = d.since(now)
	s.attentive, _ = s.task.(Attentive)
	r := d.slots.add(s)
	d.attention[AtOnce]++
	d.steer(r, &d.slots.all[r.place], now)
	return r
}

// Look makes the Driver look at a task that has changed.
func (d *Driver) Look(r Ref) {
	if s := d.slots.find(r); s != nil && !d.closed {
		d.steer(r, s, time.Now())
	}
}

// Cut ends a task as it is, with the reason; a nil err means that it is done.
func (d *Driver) Cut(r Ref, err error) {
	d.collect()
	if s := d.slots.find(r); s != nil {
		d.finish(r, s, err)
	}
}

// Run drives the tasks until all are done, the caller wants no more, or ctx ends.
func (d *Driver) Run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return d.abandon(context.Cause(ctx))
		}
		d.collect()
		d.call()
		d.wake(time.Now())
		if err := d.admit(); err != nil {
			return d.abandon(err)
		}
		sent, err := d.send(ctx)
		d.runLater()
		if err == nil && !sent && !d.finished() {
			err = d.wait(ctx)
		}
		if err != nil {
			return d.abandon(err)
		}
		over := d.finished()
		d.report(over)
		if over {
			return nil
		}
	}
}

// finished reports whether all tasks are done, or the caller wants no more.
func (d *Driver) finished() bool {
	return d.closed || !d.cfg.Endless && d.slots.len() == 0 && d.targets.ended()
}

// reportEvery limits how often Progress is called.
const reportEvery = 100 * time.Millisecond

func (d *Driver) report(last bool) {
	if d.cfg.Progress == nil {
		return
	}
	if now := time.Now(); last || now.Sub(d.reported) >= reportEvery {
		d.reported = now
		d.cfg.Progress(d.cfg.Targets.Count())
	}
}

// abandon ends the tasks as they are, and returns err.
func (d *Driver) abandon(err error) error {
	d.collect()
	d.endCalls()
	for i := range d.slots.all {
		s := &d.slots.all[i]
		if s.task == nil || d.closed {
			continue
		}
		d.unlock(s)
		d.closed = !s.task.End(err)
	}
	d.runLater()
	d.report(true)
	return err
}

// since returns the time from the Driver's epoch to t, which must not be the zero time.
func (d *Driver) since(t time.Time) time.Duration { return t.Sub(d.epoch) }

// maxWaiting is how many targets may wait for others of the same address.
const maxWaiting = 1 << 16

// wants reports whether there is room and need for another target.
func (d *Driver) wants() bool {
	return d.slots.len() < d.cfg.Parallel && d.targets.waiting < maxWaiting &&
		(d.cfg.Ahead == 0 || d.ready.fresh.len() < d.cfg.Ahead)
}

// admit begins tasks while there is room.
func (d *Driver) admit() error {
	now := time.Now()
	for d.cfg.Targets != nil && !d.closed {
		t, ok := d.targets.take(d.wants)
		if !ok {
			return nil
		}
		resolved := t.Err == nil
		task, err := d.cfg.Begin(&t)
		switch {
		case err != nil:
			return err
		case t.Err == nil:
			d.add(slot{task: task, rules: &d.cfg.Rules, addr: t.Addr}, now)
			continue
		case resolved:
			d.targets.release(t.Addr)
		}
		d.closed = !task.End(t.Err)
		now = time.Now() // the caller's code ran, and may have taken any time
	}
	return nil
}

// steer acts on the news of a task.
func (d *Driver) steer(r Ref, s *slot, now time.Time) {
	defer d.attend(s)
	for {
		if s.task.HasNews() && (s.claim == nil || s.inFlight == 0) {
			d.unlock(s) // the caller's code may take any time
			if !s.task.Hand() {
				d.closed = true
				return
			}
		}
		if s.task.Done() {
			d.finish(r, s, nil)
			return
		}
		again := d.ask(r, s, now)
		if s.task == nil || !again && !s.task.Done() {
			return
		}
	}
}

// finish ends a task and frees its slot.
func (d *Driver) finish(r Ref, s *slot, err error) {
	d.unlock(s)
	task, addr := s.task, s.addr
	d.attention[s.attention]--
	d.slots.remove(r)
	d.targets.release(addr)
	if !d.closed && !task.End(err) {
		d.closed = true
	}
}

// attend notes how soon a task wants its outcomes.
func (d *Driver) attend(s *slot) {
	if s.attentive == nil {
		return
	}
	if a := s.attentive.Attention(); a != s.attention {
		d.attention[s.attention]--
		d.attention[a]++
		s.attention = a
	}
}

// ask asks a task which probes may leave. It reports whether the task must be looked at
// again, because its probes no longer leave one by one.
func (d *Driver) ask(r Ref, s *slot, now time.Time) (again bool) {
	for {
		alone := s.task.Alone()
		if alone || s.oneByOne {
			if at, hold := d.hold(r, s, alone, now); hold {
				d.wakeAt(r, s, at)
				return false
			}
			if len(s.postponed) > 0 {
				p := s.postponed[0]
				s.postponed = s.postponed[1:]
				d.queue(r, s, p)
				return false
			}
		}
		p, ok, wake := s.task.Next(now)
		if alone && !s.task.Alone() {
			d.unlock(s)
			again = !ok
		}
		if !ok {
			d.wakeAt(r, s, wake)
			return again
		}
		d.queue(r, s, p)
	}
}

// queue makes a probe wait for its turn.
func (d *Driver) queue(r Ref, s *slot, p plan.Probe) {
	s.queued++
	d.ready.push(waiting{r, p}, s.begun)
}

// connectionPause is the time after which a connection whose port is in use is tried again,
// and connectionPatience the time after which another program is assumed to hold the port.
const (
	connectionPause    = 100 * time.Millisecond
	connectionPatience = 5 * time.Second
)

// postpones reports whether a refused probe must wait for a connection to end, because two
// connections cannot have the same ports and addresses. The connection of a silent probe
// blocks others until the system gives it up, which may be after the probe's timeout.
func (d *Driver) postpones(s *slot, err error, now time.Time) bool {
	inUse := errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)
	return inUse && s.rules.OnePort && d.taken > 0 &&
		(s.inFlight > 0 || d.since(now)-s.took <= connectionPatience)
}

// hold reports whether the next probe of a task whose probes leave one by one must wait,
// and until when; at is the zero time if it waits for another probe to settle. Alone means
// that it must also wait for other operations.
func (d *Driver) hold(r Ref, s *slot, alone bool, now time.Time) (at time.Time, hold bool) {
	if s.inFlight+s.queued > 0 {
		return at, true
	}
	if at = d.epoch.Add(s.retry); now.Before(at) {
		return at, true
	}
	if !alone {
		return at, false
	}
	if !d.lock(r, s) {
		return time.Time{}, true
	}
	at = d.epoch.Add(s.holdoff)
	return at, now.Before(at)
}

// lock takes the lock for the target of a task, and reports whether it has it.
func (d *Driver) lock(r Ref, s *slot) bool {
	if s.claim == nil {
		line, err := s.task.Line(&plan.Probe{})
		if err != nil {
			d.finish(r, s, err)
			return false
		}
		s.claim = d.cfg.Locks.claim(lockKey{line.Pool, line.Dst}, d.freed)
	}
	holdoff, has := s.claim.holds()
	if !has {
		d.blocked = append(d.blocked, r)
		return false
	}
	s.holdoff = max(s.holdoff, d.since(holdoff))
	return true
}

// unlock gives back a lock, or the claim to it. Until its holdoff has passed, answers to
// earlier probes and to those in flight may still arrive.
func (d *Driver) unlock(s *slot) {
	if s.claim == nil {
		return
	}
	holdoff := d.epoch.Add(s.holdoff)
	if s.inFlight > 0 {
		holdoff = later(holdoff, time.Now().Add(engine.ForgottenAfter(s.rules.Timeout)))
	}
	s.claim.release(holdoff)
	s.claim = nil
}

// unblock looks at the tasks that wait for a lock.
func (d *Driver) unblock(now time.Time) {
	blocked := d.blocked
	d.blocked = nil
	for _, r := range blocked {
		if s := d.slots.find(r); s != nil && !d.closed {
			d.steer(r, s, now)
		}
	}
}

// wakeAt makes the Driver look at a task again at a time; the zero time means never.
func (d *Driver) wakeAt(r Ref, s *slot, at time.Time) {
	if at.IsZero() {
		return
	}
	due := max(d.since(at), 1)
	if s.timer != 0 && s.timer <= due {
		return
	}
	s.timer = due
	d.timers.push(timer{due, r})
}

// wake looks at the tasks that are due.
func (d *Driver) wake(now time.Time) {
	select {
	case <-d.freed:
		d.unblock(now)
	default:
	}
	for !d.closed {
		t, ok := d.timers.pop(d.since(now))
		if !ok {
			return
		}
		if s := d.slots.find(t.Ref); s != nil && s.timer == t.at {
			s.timer = 0
			d.steer(t.Ref, s, now)
		}
	}
}

const (
	// restFrom is the shortest wait during which the readers of the sockets read them. If
	// very many targets are probed without end, packets that arrive between two ticks are
	// read at the next tick, because waking the reader for each answer costs more than
	// handling it.
	restFrom        = 2 * time.Millisecond
	restFromEndless = 6 * time.Millisecond

	// When many probes are in flight to routers, outcomes are frequent. Handling each alone
	// would cost more than all other work, so they gather for gatherFor or longer: until a
	// probe may leave, up to restFrom. Round-trip times do not include that time.
	gatherAbove = 64 // probes in flight
	gatherFor   = time.Millisecond

	// gatherSoon is how long outcomes gather if tasks want them Soon.
	gatherSoon = 10 * time.Millisecond
)

// fineWait is the longest wait for the next probe to an only target that the Driver sleeps.
// In an idle program, Go's timers are no finer than a millisecond (epoll_wait), but the
// interval that a caller asked for must be kept.
const fineWait = time.Millisecond

// wait waits until there is something to do. An error ends the run.
func (d *Driver) wait(ctx context.Context) error {
	now := time.Now()
	at, outcomes := d.nextDue(now), d.inbox.Ready()
	if d.cfg.Routers != nil && d.inFlight > gatherAbove {
		at, outcomes = later(now.Add(gatherFor), plan.Earlier(at, now.Add(restFrom))), nil
	}
	at, deaf := d.gathers(at, now)
	if deaf {
		outcomes = nil
	}
	quiet := restFrom
	if d.cfg.Endless {
		quiet = restFromEndless
	}
	if at.IsZero() || at.Sub(now) > quiet {
		d.rest()
	}
	var news <-chan struct{}
	if d.cfg.Targets != nil {
		news = d.targets.news(d.wants)
	}
	var due <-chan time.Time
	if !at.IsZero() {
		if after := at.Sub(now); d.slots.len() == 1 && after < fineWait {
			sys.Nap(after)
			now = time.Now()
		}
		due = d.setTimer(at.Sub(now))
	}
	select {
	case <-outcomes:
		d.take()
	case <-news:
	case <-d.freed:
		d.unblock(time.Now())
	case <-d.calls.made: // they are made at the beginning of the next turn
	case <-due:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-d.cfg.Closed:
		return net.ErrClosed
	}
	return nil
}

// gathers reports whether outcomes are left to gather for now, and until when at most.
func (d *Driver) gathers(at, now time.Time) (until time.Time, deaf bool) {
	if d.slots.len() == 0 || d.attention[AtOnce] > 0 {
		return at, false
	}
	if d.attention[Soon] == 0 {
		return at, !at.IsZero()
	}
	soon := d.epoch.Add(d.looked + gatherSoon)
	if !now.Before(soon) {
		return at, false
	}
	return plan.Earlier(at, soon), true
}

// rest gives the sockets back to their readers.
func (d *Driver) rest() {
	for _, op := range d.ops {
		op.Rest()
	}
	for _, l := range d.lent {
		l.op.Rest()
	}
}

func (d *Driver) setTimer(after time.Duration) <-chan time.Time {
	if d.timer == nil {
		d.timer = time.NewTimer(after)
	} else {
		d.timer.Reset(after)
	}
	return d.timer.C
}

// nextDue returns when there is something to do if nothing arrives, now at the earliest;
// the zero time if there is nothing to do.
func (d *Driver) nextDue(now time.Time) (at time.Time) {
	if d.mayFly() > 0 {
		if next, ok := d.ready.next(now); ok {
			at = later(next, d.rate.at)
		}
	}
	if due, ok := d.timers.first(); ok {
		at = plan.Earlier(at, d.epoch.Add(due))
	}
	if at.IsZero() {
		return at
	}
	return later(now, at)
}

// collect takes the outcomes, if there are any.
func (d *Driver) collect() {
	select {
	case <-d.inbox.Ready():
		d.take()
	default:
	}
}

// take takes the outcomes.
func (d *Driver) take() {
	d.outcomes = d.inbox.Take(d.outcomes)
	now := time.Now()
	d.looked = d.since(now)
	for i := range d.outcomes {
		d.heard(&d.outcomes[i], now)
	}
}

func (d *Driver) heard(o *engine.Outcome, now time.Time) {
	settles := o.Fate.Settles()
	if settles {
		d.inFlight--
	}
	r, key := splitTag(o.Tag)
	s := d.slots.find(r)
	if s == nil || d.closed {
		return // it is only counted
	}
	if settles {
		s.inFlight--
	}
	switch {
	case o.Fate == engine.Silent:
		s.holdoff = max(s.holdoff, d.since(o.Sent)+engine.ForgottenAfter(s.rules.Timeout))
	case o.Fate != engine.Unclear && o.Responder.IsValid():
		s.holdoff = max(s.holdoff, d.since(o.Sent)+o.RTT+engine.RepeatedWithin)
	}
	s.task.Heard(key, o, now)
	if o.Fate == engine.Unclear && d.cfg.Endless {
		d.spread(s, key, o, now)
	}
	if settles && o.Responder.IsValid() {
		d.ready.heard(o.TTL, o.Responder)
	}
	d.steer(r, s, now)
}

// spread passes an unclear answer to all other tasks whose probe it may belong to: those
// that probe the address by the same operation of the engine, which reports the answer only
// once.
func (d *Driver) spread(from *slot, key plan.Key, o *engine.Outcome, now time.Time) {
	line, _ := from.task.Line(&plan.Probe{})
	for i := range d.slots.all {
		s := &d.slots.all[i]
		if s.task == nil || s == from || s.addr != from.addr {
			continue
		}
		if l, _ := s.task.Line(&plan.Probe{}); l.Op == line.Op && l.Pool == line.Pool {
			s.task.Heard(key, o, now)
			d.steer(Ref{uint32(i), s.generation}, s, now)
		}
	}
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
