package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// turnPause is after how long a trace asks again for the turn that another has.
// It cannot wait for it, as that of a single trace does: others go on meanwhile.
const turnPause = 20 * time.Millisecond

// takeTurn takes the turn of a trace that has to be careful, if it can be had,
// and tells whether the trace may go on.
func (s *traceSweep) takeTurn(t *sweptTrace) bool {
	if !t.plan.care.on || t.turn != nil || t.plan.flying > 0 {
		return true
	}
	turn := s.p.turns.join(turnKey{t.pool, t.route.Address})
	select {
	case turn.token <- struct{}{}:
		t.turn = turn
		if turn.quiet.After(t.plan.care.quiet) {
			t.plan.care.quiet = turn.quiet
		}
		return true
	default:
		s.p.turns.leave(turn)
		return false
	}
}

// giveTurn gives the turn of a trace back, if it has one.
func (s *traceSweep) giveTurn(t *sweptTrace) {
	if t.turn == nil {
		return
	}
	t.turn.quiet = t.plan.care.quiet
	if t.plan.flying > 0 { // the trace was cut short
		t.turn.quiet = time.Now().Add(engine.ForgottenAfter(s.opts.Timeout))
	}
	<-t.turn.token
	s.p.turns.leave(t.turn)
	t.turn = nil
}

// giveTurns gives back all turns.
func (s *traceSweep) giveTurns() {
	for i := range s.traces.places {
		s.giveTurn(&s.traces.places[i])
	}
}
