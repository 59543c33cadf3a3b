package icmplib

import (
	"context"
	"net"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// joinTurn waits for the turn of a trace that has to be careful, which keeps it:
// see traceTurns. Nothing of it is in flight meanwhile.
func (m *multipathRun) joinTurn(ctx context.Context) error {
	if !m.plan.careful.on || m.turn != nil || m.plan.flying > 0 {
		return nil
	}
	turn := m.p.turns.join(turnKey{m.pool, m.dst})
	var err error
	select {
	case turn.token <- struct{}{}:
		m.turn = turn
		m.plan.careful.wait(turn.quiet)
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-m.pool.Done():
		err = net.ErrClosed
	}
	m.p.turns.leave(turn)
	return err
}

// leaveTurn gives the turn back.
func (m *multipathRun) leaveTurn() {
	if m.turn == nil {
		return
	}
	m.turn.quiet = m.plan.careful.quiet
	if m.plan.flying > 0 { // the trace was cut short
		m.turn.quiet = time.Now().Add(engine.ForgottenAfter(m.opts.Timeout))
	}
	<-m.turn.token
	m.p.turns.leave(m.turn)
	m.turn = nil
}
