package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// errStale is why an agent that has lost its hub probes nothing.
var errStale = errors.New("the agent has lost its hub for too long, or is revoked: it probes nothing until the hub is back")

// gate lets work through as the policy allows: it has the Prober, whose rate is that of all
// that the agent does, and the places of what runs at a time.
type gate struct {
	make func(*icmplib.Config) (*icmplib.Prober, error)

	mu     sync.Mutex
	free   *sync.Cond // a place may be free
	policy policy.Policy
	prober *icmplib.Prober
	rate   int
	past   icmplib.Counters // of Probers that were replaced
	taken  int
	heard  time.Time // when the hub was heard of last
}

func newGate(make func(*icmplib.Config) (*icmplib.Prober, error), p policy.Policy) (*gate, error) {
	g := &gate{make: make}
	g.free = sync.NewCond(&g.mu)
	return g, g.set(p)
}

// set makes a policy the one that holds. Another rate takes another Prober: what runs on the
// one before is cut short, because it would keep to the old rate.
func (g *gate) set(p policy.Policy) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.policy = p
	g.free.Broadcast()
	if g.prober != nil && g.rate == p.PacketsPerSecond() {
		return nil
	}
	fresh, err := g.make(&icmplib.Config{Rate: p.PacketsPerSecond()})
	if err != nil {
		return err
	}
	if g.prober != nil {
		g.prober.Close()
		g.past = add(g.past, g.prober.Counters())
	}
	g.prober, g.rate = fresh, p.PacketsPerSecond()
	return nil
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.prober.Close()
}

// current returns the Prober and the policy for something that begins now.
func (g *gate) current() (*icmplib.Prober, policy.Policy) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.prober, g.policy
}

func (g *gate) counters() icmplib.Counters {
	g.mu.Lock()
	defer g.mu.Unlock()
	return add(g.past, g.prober.Counters())
}

// hear notes when the hub was there.
func (g *gate) hear(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heard = at
}

// stale returns errStale where the hub has been away for too long.
func (g *gate) stale() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.heard.IsZero() || time.Since(g.heard) > wire.ConfigTTL {
		return errStale
	}
	return nil
}

// enter waits for a place, and leave gives it back.
func (g *gate) enter(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.taken >= g.policy.Concurrency() && ctx.Err() == nil {
		g.free.Wait()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	g.taken++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken--
	g.free.Broadcast()
}

// watch ends a context when the hub has been away for too long.
func (g *gate) watch(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		for ok := true; ok; ok = wire.Sleep(ctx, time.Second) {
			if err := g.stale(); err != nil {
				cancel(err)
			}
		}
	}()
	return ctx, cancel
}

func add(a, b icmplib.Counters) icmplib.Counters {
	a.PacketsSent += b.PacketsSent
	a.PacketsReceived += b.PacketsReceived
	a.ICMPErrors += b.ICMPErrors
	a.Silent += b.Silent
	a.Late += b.Late
	a.Duplicates += b.Duplicates
	a.Altered += b.Altered
	a.Advised += b.Advised
	a.Foreign += b.Foreign
	a.Malformed += b.Malformed
	a.Dropped += b.Dropped
	a.Busy += b.Busy
	return a
}
