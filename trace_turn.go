package icmplib

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

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
