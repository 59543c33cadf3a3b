package icmplib

import "context"

// joinTurn waits for the turn of a trace that has to be careful, which keeps it:
// see traceTurns. Nothing of it is in flight meanwhile.
func (m *multipathRun) joinTurn(ctx context.Context) error {
	if !m.plan.careful.on || m.turn != nil || m.plan.flying > 0 {
		return nil
	}
	turn, err := m.p.turns.take(ctx, turnKey{m.pool, m.dst})
	if err != nil {
		return err
	}
	m.turn = turn
	m.plan.careful.wait(turn.quiet)
	return nil
}

// leaveTurn gives the turn back.
func (m *multipathRun) leaveTurn() {
	if m.turn == nil {
		return
	}
	m.p.turns.give(m.turn, m.plan.careful.quiet, m.plan.flying, m.opts.Timeout)
	m.turn = nil
}
