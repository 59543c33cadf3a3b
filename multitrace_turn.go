package icmplib

import "time"

// turnPause is after how long a trace asks again for the turn that another has.
// It cannot wait for it, as that of a single trace does: others go on meanwhile.
const turnPause = 20 * time.Millisecond

// takeTurn takes the turn of a trace that has to be careful, if it can be had,
// and tells whether the trace may go on.
func (s *traceSweep) takeTurn(t *sweptTrace) bool {
	if !t.plan.care.on || t.turn != nil || t.plan.flying > 0 {
		return true
	}
	turn := s.p.turns.tryTake(turnKey{t.pool, t.route.Address})
	if turn == nil {
		return false
	}
	t.turn = turn
	t.plan.care.quiet = later(t.plan.care.quiet, turn.quiet)
	return true
}

// giveTurn gives the turn of a trace back, if it has one.
func (s *traceSweep) giveTurn(t *sweptTrace) {
	if t.turn == nil {
		return
	}
	s.p.turns.give(t.turn, t.plan.care.quiet, t.plan.flying, s.opts.Timeout)
	t.turn = nil
}

// giveTurns gives back all turns.
func (s *traceSweep) giveTurns() {
	for i := range s.traces.places {
		s.giveTurn(&s.traces.places[i])
	}
}
