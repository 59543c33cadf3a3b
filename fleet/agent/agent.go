// Package agent measures what a fleet asks for: questions, shards of jobs, and the mesh. It
// opens no port, and needs no privilege where datagram ICMP sockets are allowed.
package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// Config says how an agent works. Only Token is needed.
type Config struct {
	Token   *wire.Token   // with which it joins
	Policy  policy.Limits // of its owner; what is open is as in policy.Default
	Address netip.Addr    // at which others ping it; the default is the one from which it talks to NATS
	Program string        // the version of the program, for people

	// RingBytes bounds the rounds of the mesh that wait while the hub is away. The default is
	// 32 MiB. The oldest make room.
	RingBytes int

	// DrainWait is how long Run goes on with what it has begun when it is to end. The default
	// is 30 s. Shards that are not done by then are given back.
	DrainWait time.Duration

	Log       *slog.Logger                                   // the default is silence
	NewProber func(*icmplib.Config) (*icmplib.Prober, error) // the default is icmplib.NewProber
	Now       func() time.Time                               // the system's clock; the default is time.Now
}

// Agent is one agent. It is made by New, and works in Run.
type Agent struct {
	cfg     Config
	log     *slog.Logger
	name    string
	boot    string
	started time.Time

	nc   *nats.Conn
	js   jetstream.JetStream
	gate *gate
	ring *ring

	fleet    atomic.Pointer[wire.Fleet]
	revision uint64        // of the fleet's entry; of the housekeeping alone
	nudge    chan struct{} // there is a new fleet

	offset   atomic.Int64 // of the hub's clock from this one, in nanoseconds
	draining atomic.Bool

	asks, shards, refused, rounds atomic.Int64

	runningMu sync.Mutex
	running   map[string]context.CancelCauseFunc // by the subject that calls it off, a shard with /NUMBER behind
	ended     bool                               // nothing begins any more
	work      sync.WaitGroup                     // what is running
}

// New returns an agent.
func New(cfg Config) *Agent {
	cfg.RingBytes = cmp.Or(cfg.RingBytes, 32<<20)
	cfg.DrainWait = cmp.Or(cfg.DrainWait, 30*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.NewProber == nil {
		cfg.NewProber = icmplib.NewProber
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Agent{cfg: cfg, log: cfg.Log.With("agent", cfg.Token.Name), name: cfg.Token.Name, boot: wire.NewID(),
		started: cfg.Now(), nudge: make(chan struct{}, 1), ring: newRing(cfg.RingBytes),
		running: map[string]context.CancelCauseFunc{}}
}

// errEnding is why what runs is cut short at the end.
var errEnding = errors.New("the agent ends")

// Run works until ctx ends. Then it takes nothing new, completes what it can within
// DrainWait, gives back the rest, and returns nil. An error is one of the configuration; that the
// hub cannot be reached is none.
func (a *Agent) Run(ctx context.Context) error {
	var err error
	if a.gate, err = newGate(a.cfg.NewProber, policy.New(a.cfg.Policy, policy.Limits{})); err != nil {
		return err
	}
	defer a.gate.close()
	if a.nc, err = a.cfg.Token.Connect(nats.RetryOnFailedConnect(true), nats.ErrorHandler(a.natsError),
		nats.ConnectHandler(func(*nats.Conn) { a.log.Info("connected"); a.wake() }),
		nats.ReconnectHandler(func(*nats.Conn) { a.log.Info("connected again"); a.wake() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { a.log.Warn("disconnected", "error", err) })); err != nil {
		return err
	}
	defer a.nc.Close()
	if a.js, err = jetstream.New(a.nc); err != nil {
		return err
	}
	// What ends at once, and what is allowed to complete its work first.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var background sync.WaitGroup
	for _, f := range []func(context.Context){a.keepHouse, a.sendRounds} {
		background.Go(func() { f(life) })
	}
	if err := a.listen(life); err != nil {
		return err
	}
	var takers sync.WaitGroup
	takers.Go(func() { a.takeShards(ctx, life) })
	takers.Go(func() { a.meshRounds(ctx) })
	<-ctx.Done()
	a.draining.Store(true)
	a.log.Info("draining")
	a.present(life)
	takers.Wait()
	a.drain()
	a.leave(life)
	end()
	background.Wait()
	return nil
}

// drain waits for what runs, and cuts it short after DrainWait.
func (a *Agent) drain() {
	a.runningMu.Lock()
	a.ended = true // what is waited for does not grow any more
	a.runningMu.Unlock()
	done := make(chan struct{})
	go func() { a.work.Wait(); close(done) }()
	timer := time.NewTimer(a.cfg.DrainWait)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	}
	a.runningMu.Lock()
	for _, cancel := range a.running {
		cancel(errEnding)
	}
	a.runningMu.Unlock()
	<-done
}

// leave says goodbye: the agent is seen to be away at once, not after PresenceTTL.
func (a *Agent) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a.ring.waitEmpty(ctx)
	if bucket, err := a.js.KeyValue(ctx, wire.BucketAgents); err == nil {
		bucket.Delete(ctx, a.name) // if that fails, the presence ends by itself
	}
	a.nc.FlushWithContext(ctx)
}

func (a *Agent) natsError(_ *nats.Conn, sub *nats.Subscription, err error) {
	a.log.Warn("nats", "error", err) // a denied publish shows nowhere else
	if errors.Is(err, nats.ErrAuthorization) {
		a.gate.hear(time.Unix(0, 0)) // who is revoked stops at once
	}
}

// begin registers something that can be called off; the function that it returns ends it.
// At the end its context has ended already.
func (a *Agent) begin(ctx context.Context, id string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	a.runningMu.Lock()
	defer a.runningMu.Unlock()
	if a.ended {
		cancel(errEnding)
		return ctx, func() {}
	}
	a.work.Add(1)
	a.running[id] = cancel
	return ctx, func() {
		a.runningMu.Lock()
		delete(a.running, id)
		a.runningMu.Unlock()
		cancel(nil)
		a.work.Done()
	}
}

// now is the hub's time, as far as the agent knows it.
func (a *Agent) now() time.Time { return a.cfg.Now().Add(time.Duration(a.offset.Load())) }

func (a *Agent) wake() {
	select {
	case a.nudge <- struct{}{}:
	default:
	}
}

// keepHouse tells the hub that the agent is there, and asks what holds.
func (a *Agent) keepHouse(ctx context.Context) {
	for ctx.Err() == nil {
		a.refresh(ctx)
		a.present(ctx)
		wait := wire.PresenceEvery - rand.N(wire.PresenceEvery/5)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-a.nudge:
			wire.Sleep(ctx, rand.N(300*time.Millisecond)) // not all agents at once
		}
	}
}

// refresh reads the fleet, and the hub's clock. A fleet that the hub has not written again
// is not a new one: it does not show that the hub is there.
func (a *Agent) refresh(ctx context.Context) {
	if !a.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	bucket, err := a.js.KeyValue(ctx, wire.BucketConfig)
	if err != nil {
		a.log.Debug("no configuration", "error", err)
		return
	}
	entry, err := bucket.Get(ctx, wire.KeyFleet)
	if err != nil || entry.Revision() == a.revision {
		return
	}
	fleet := &wire.Fleet{}
	if err := json.Unmarshal(entry.Value(), fleet); err != nil {
		a.log.Error("the configuration cannot be read", "error", err)
		return
	}
	if err := a.syncClock(ctx); err != nil { // the entry may be of a hub that went away long ago
		a.log.Debug("no hub", "error", err)
		return
	}
	a.revision = entry.Revision()
	a.gate.hear(time.Now())
	a.fleet.Store(fleet)
	if err := a.gate.set(policy.New(a.cfg.Policy, fleet.Limits)); err != nil {
		a.log.Error("the limits cannot be applied", "error", err)
	}
}

// syncClock finds out how far the hub's clock is from this one: what an agent reports is in
// the hub's time, whatever its own clock shows.
func (a *Agent) syncClock(ctx context.Context) error {
	before := a.cfg.Now()
	reply, err := a.nc.RequestWithContext(ctx, wire.HubSubject(wire.VerbTime, a.name), nil)
	if err != nil {
		return err
	}
	after := a.cfg.Now()
	var hub time.Time
	if err := json.Unmarshal(reply.Data, &hub); err != nil {
		return err
	}
	a.offset.Store(int64(hub.Sub(before.Add(after.Sub(before) / 2))))
	return nil
}

// present puts the agent's presence.
func (a *Agent) present(ctx context.Context) {
	if !a.nc.IsConnected() {
		return
	}
	text, err := json.Marshal(a.Presence())
	if err != nil {
		a.log.Error("the presence cannot be written", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	bucket, err := a.js.KeyValue(ctx, wire.BucketAgents)
	if err == nil {
		_, err = bucket.Put(ctx, a.name, text)
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("the hub rejects the agent's presence message", "error", err)
	}
}

// Presence is what the agent says of itself.
func (a *Agent) Presence() wire.Presence {
	a.runningMu.Lock()
	running := len(a.running)
	a.runningMu.Unlock()
	p := wire.Presence{Version: wire.Version, Name: a.name, Program: a.cfg.Program, State: wire.StateReady,
		Started: a.started, Address: a.address(), Policy: a.cfg.Policy.Or(policy.Default()), Running: running,
		Asks: a.asks.Load(), Shards: a.shards.Load(), Refused: a.refused.Load(), Rounds: a.rounds.Load(),
		ClockError: policy.Duration(-a.offset.Load())}
	p.Waiting, p.Dropped = a.ring.counts()
	if a.gate != nil {
		p.Counters = a.gate.counters()
		if a.gate.stale() != nil {
			p.State = wire.StateStale
		}
	}
	switch {
	case a.draining.Load():
		p.State = wire.StateDraining
	case a.fleet.Load() == nil:
		p.State = wire.StateConnecting
	case running > 0 && p.State == wire.StateReady:
		p.State = wire.StateWorking
	}
	return p
}

// address is where others of the mesh ping this agent.
func (a *Agent) address() netip.Addr {
	if a.cfg.Address.IsValid() || a.nc == nil {
		return a.cfg.Address
	}
	at, _ := netip.ParseAddrPort(a.nc.LocalAddr()) // of no connection there is none
	return at.Addr().Unmap().WithZone("")
}
