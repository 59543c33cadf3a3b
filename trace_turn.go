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
	turn := r.p.turns.join(turnKey{r.pool, r.dst})
	var err error
	select {
	case turn.token <- struct{}{}:
		r.turn = turn
		if turn.quiet.After(r.plan.care.quiet) {
			r.plan.care.quiet = turn.quiet
		}
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-r.pool.Done():
		err = net.ErrClosed
	}
	r.p.turns.leave(turn)
	return err
}

// giveTurn gives the turn back, also before the caller is given a hop: what the
// caller does with it may take any time.
func (r *traceRun) giveTurn() {
	if r.turn == nil {
		return
	}
	r.turn.quiet = r.plan.care.quiet
	if r.plan.flying > 0 { // the trace was cut short
		r.turn.quiet = time.Now().Add(engine.ForgottenAfter(r.opts.Timeout))
	}
	<-r.turn.token
	r.p.turns.leave(r.turn)
	r.turn = nil
}
