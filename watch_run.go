package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/cadence"
)

// watchRun is the part of a Watch that runs in the loop of its Prober. Only the goroutine
// of that loop uses it.
type watchRun struct {
	w       *Watch
	p       *Prober
	d       *drive.Driver
	targets []*watchTarget // in the order in which they came
	phases  cadence.Phases // of addresses
	names   cadence.Phases // of names
	events  []WatchEvent   // of this turn of the loop
	noted   bool           // they will be handed over at its end
	refused map[socketKey]watchRefusal

	asking  int           // look-ups that run or wait for removed targets
	closing bool          // no other targets will come
	idle    chan struct{} // closed when closing is set and asking is 0
}

// watchRefusal is why a socket could not be opened, and when it may be tried again.
type watchRefusal struct {
	err   error
	until time.Time
}

// watchRetryAfter is the time after which a failed look-up is repeated, and a socket that
// could not be opened is tried again.
const watchRetryAfter = 10 * time.Second

// watchTurns is the number of ids for addresses that need another one.
const watchTurns = 8

func newWatchRun(w *Watch, d *drive.Driver) *watchRun {
	now := time.Now()
	return &watchRun{
		w: w, p: w.p, d: d, refused: map[socketKey]watchRefusal{},
		phases: cadence.Phases{Epoch: now}, names: cadence.Phases{Epoch: now}, idle: make(chan struct{}),
	}
}

// exchange replaces the set of targets. Removed targets leave in the order in which they
// came, and new ones come in the order given, so tests are repeatable.
func (r *watchRun) exchange(wanted []*watchTarget) {
	if r.closing {
		return
	}
	leave := make(map[string]*watchTarget, len(r.targets))
	for _, t := range r.targets {
		leave[t.ID] = t
	}
	var come []*watchTarget
	for _, next := range wanted {
		if t := leave[next.ID]; t != nil && next.same(t) {
			t.Value = next.Value
			delete(leave, t.ID)
		} else {
			come = append(come, next)
		}
	}
	r.targets = slices.DeleteFunc(r.targets, func(t *watchTarget) bool {
		if leave[t.ID] == nil {
			return false
		}
		r.drop(t, nil)
		return true
	})
	r.targets = append(r.targets, come...)
	for _, t := range come {
		r.begin(t)
	}
}

// end ends the watching of all targets.
func (r *watchRun) end() {
	r.closing = true
	for _, t := range r.targets {
		r.drop(t, net.ErrClosed)
	}
	r.targets = nil
	if r.asking == 0 {
		close(r.idle)
	}
}

// begin begins to watch a target.
func (r *watchRun) begin(t *watchTarget) {
	t.run, t.family = r, t.probing.Family
	t.rules = drive.Rules{Timeout: t.probing.Timeout, OnePort: t.probing.Packet.isOnePort()}
	if t.literal.IsValid() && r.w.opts.Lookup == nil {
		r.add(t, t.literal.Unmap())
		return
	}
	if r.d.Full() {
		r.tell(WatchLookupFailed, time.Now(), t).Err = errTooMany
		return
	}
	place, beat := r.names.Take(max(t.probing.ResolveEvery, 0))
	t.place = place
	t.name = &drive.Name{
		Renewal: cadence.NewRenewal(beat, watchRetryAfter, false, time.Now()), Until: r.w.closed,
		Find:  func(ctx context.Context) ([]netip.Addr, error) { return r.find(ctx, t) },
		Found: func(addrs []netip.Addr, err error) { r.resolved(t, addrs, err) },
	}
	r.d.Renew(t.name)
}

// drop ends the watching of a target. Its addresses report that they are gone unless why is
// set.
func (r *watchRun) drop(t *watchTarget, why error) {
	t.gone = true
	if t.name != nil {
		if t.name.Asking() {
			r.asking++
		}
		t.name.Stop()
		r.names.GiveBack(t.place)
	}
	for _, a := range t.watching {
		r.d.Cut(a.ref, why)
	}
	t.watching = nil
}

// errTooMany is the error of an address for which the driver has no room.
var errTooMany = errors.New("more than a million hosts are watched by this Prober: share them out among several")

// add begins to watch an address of a target.
func (r *watchRun) add(t *watchTarget, addr netip.Addr) {
	now := time.Now()
	if r.d.Full() {
		r.tell(WatchLookupFailed, now, t).Err = errTooMany
		return
	}
	pk := &t.probing.Packet
	a := &watching{target: t}
	a.line = drive.Line{Dst: hosts.Target(addr), TTL: pk.ttl(), Flow: pk.flow()}
	cfg := r.p.opConfig(pk, t.probing.Timeout, a.line.Dst)
	cfg.Patient = true
	a.line.Op = r.d.Borrow(cfg)
	place, beat := r.phases.Take(t.probing.Interval)
	a.place, a.Plan = place, cadence.New(beat, now)
	t.watching = append(t.watching, a)
	r.tell(WatchAdded, now, t).Address = a.line.Dst
	a.ref = r.d.AddBy(a, &t.rules, a.line.Dst)
}

// tell queues an event about a target. The caller completes the event at once.
func (r *watchRun) tell(kind WatchKind, now time.Time, t *watchTarget) *WatchEvent {
	if !r.noted {
		r.noted = true
		r.d.Later(r.note)
	}
	r.events = append(r.events, WatchEvent{Kind: kind, Time: now, ID: t.ID, Host: t.Host, Value: t.Value})
	return &r.events[len(r.events)-1]
}

// note hands the events of this turn of the loop to the Watch.
func (r *watchRun) note() {
	r.noted = false
	r.events = r.w.events.PutAll(r.events, func(e *WatchEvent) bool { return e.Kind != WatchResult })
}

// pool returns the sockets for a key. It remembers an error for a while, so that not every
// probe tries to open a socket again.
func (r *watchRun) pool(key socketKey, now time.Time) (*engine.Pool, error) {
	if refusal, ok := r.refused[key]; ok && now.Before(refusal.until) {
		return nil, refusal.err
	}
	delete(r.refused, key)
	pool, err := r.p.pool(key)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		r.refused[key] = watchRefusal{err, now.Add(watchRetryAfter)}
	}
	return pool, err
}

// find looks the name of a target up.
func (r *watchRun) find(ctx context.Context, t *watchTarget) ([]netip.Addr, error) {
	if r.w.opts.Lookup == nil {
		return r.p.resolveFor(ctx, t.Host, t.family, &t.probing.Packet)
	}
	addrs, err := r.w.opts.Lookup(ctx, t.Host, t.family)
	if err != nil {
		return nil, err
	}
	return names.Usable(t.Host, names.Family(t.family), addrs)
}

// resolved takes the result of a look-up, and watches the addresses that the name has now.
func (r *watchRun) resolved(t *watchTarget, addrs []netip.Addr, err error) {
	if t.gone {
		if r.asking--; r.closing && r.asking == 0 {
			close(r.idle)
		}
		return
	}
	now := time.Now()
	if err != nil {
		r.tell(WatchLookupFailed, now, t).Err = err
		if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
			return // the known addresses stay
		}
	}
	if len(addrs) > 0 && t.family == AnyFamily {
		t.family = familyOf(addrs[0])
	}
	wanted := hosts.Chosen(addrs, t.probing.AllAddresses, t.watches)
	t.watching = slices.DeleteFunc(t.watching, func(a *watching) bool {
		gone := !slices.Contains(wanted, a.line.Dst)
		if gone {
			r.d.Cut(a.ref, nil)
		}
		return gone
	})
	for _, addr := range wanted {
		if !t.watches(addr) {
			r.add(t, addr)
		}
	}
}

// watchTarget is a target with all defaults filled in, and its state.
type watchTarget struct {
	WatchTarget
	probing WatchProbing
	literal netip.Addr // the address that Host is; the zero Addr: Host is a name
	rules   drive.Rules

	run      *watchRun
	family   Family      // of the first resolved address; unchanged while a look-up runs
	gone     bool        // it is not watched any more
	watching []*watching // its addresses

	name  *drive.Name // the name to look up; nil: Host is an address
	place int         // among the names
}

// same reports whether two targets are watched in the same way.
func (t *watchTarget) same(as *watchTarget) bool {
	return t.Host == as.Host && reflect.DeepEqual(&t.probing, &as.probing)
}

func (t *watchTarget) watches(addr netip.Addr) bool {
	return slices.ContainsFunc(t.watching, func(a *watching) bool { return a.line.Dst == addr })
}

// watching is the watching of one address: a task of the driver.
type watching struct {
	cadence.Plan
	cadence.Pulse
	target *watchTarget
	line   drive.Line // has no Pool until one is needed
	ref    drive.Ref
	place  int   // among the phases
	turn   uint8 // which of watchTurns ids it has
}

// Attention returns [drive.Soon], because waking up for each answer costs more than
// handling it.
func (a *watching) Attention() drive.Attention { return drive.Soon }

// Line returns the line that all probes use.
func (a *watching) Line(*plan.Probe) (*drive.Line, error) { return &a.line, nil }

// Next returns the probe that may leave now. Without a socket for it, the probe is refused.
func (a *watching) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	for {
		probe, ok, wake = a.Plan.Next(now)
		if !ok || a.line.Pool != nil {
			return probe, ok, wake
		}
		key, err := a.target.probing.Packet.key(&a.target.run.p.cfg, a.line.Dst)
		if err == nil {
			key.turn = a.turn
			a.line.Pool, err = a.target.run.pool(key, now)
		}
		switch {
		case err == nil:
			return probe, ok, wake
		case errors.Is(err, net.ErrClosed):
			return probe, false, wake // the task is about to end
		}
		a.Refused(probe.Key, err, now)
	}
}

// Refused reports a probe that was not sent.
func (a *watching) Refused(k plan.Key, err error, now time.Time) {
	a.Plan.Refused(k, err, now)
	result := refusedResult(a.line.Dst, k.Ordinal(a.Asked()), a.line.TTL, err)
	a.result(&result, now)
}

// Heard reports a result of a probe.
func (a *watching) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	var result Result
	a.target.run.p.outcome(&result, o, a.line.Dst, a.target.probing.Packet.Protocol)
	result.Seq = k.Ordinal(a.Asked())
	a.result(&result, now)
}

// result reports a result, and the changes that it causes.
func (a *watching) result(result *Result, now time.Time) {
	a.tell(WatchResult, now).Result = *result
	fate, ok := pulseFate(result)
	if !ok {
		return
	}
	p := &a.target.probing
	change, also := a.Pulse.Observe(result.Seq, fate, p.DownAfter, p.NewIDAfter)
	switch change {
	case cadence.Up:
		a.tell(WatchUp, now).Result = *result
	case cadence.Down:
		a.tell(WatchDown, now).Result = *result
	}
	if also == cadence.Stuck && a.target.run.p.cfg.ID == 0 {
		a.turn, a.line.Pool = (a.turn+1)%watchTurns, nil
		a.tell(WatchNewID, now)
	}
}

// pulseFate translates a result for the pulse of a host. It is not ok if the result has no
// meaning there.
func pulseFate(r *Result) (fate cadence.Fate, ok bool) {
	switch {
	case r.Settles() && r.Status == StatusReply, r.Corrects && !r.Late:
		return cadence.Answered, true
	case !r.Settles():
		return fate, false
	case r.Status == StatusNoReply && r.Cause == nil:
		return cadence.Silent, true
	}
	return cadence.Failed, true
}

// tell queues an event about the address.
func (a *watching) tell(kind WatchKind, now time.Time) *WatchEvent {
	e := a.target.run.tell(kind, now, a.target)
	e.Address = a.line.Dst
	return e
}

// HasNews reports false: events are reported at the end of the turn.
func (a *watching) HasNews() bool { return false }

// Hand is not called.
func (a *watching) Hand() (goOn bool) { return true }

// End gives back what the address used, and reports that it is gone unless why is set.
func (a *watching) End(why error) (goOn bool) {
	r := a.target.run
	r.phases.GiveBack(a.place)
	r.d.GiveBack(a.line.Op)
	if why == nil {
		a.tell(WatchGone, time.Now())
	}
	return true
}
