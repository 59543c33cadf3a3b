package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// sendGate keeps the rate of a call and that of all calls together.
type sendGate struct {
	own, all *engine.Pacer
	at       time.Time // when the next batch may leave
	reserved int       // packets that may leave then
}

// reserve returns how many of n packets may leave now. The places of those
// that may not leave yet are kept for them.
func (g *sendGate) reserve(now time.Time, n int) int {
	if g.reserved == 0 {
		g.reserved = min(g.own.Batch(n), g.all.Batch(n))
		own, all := g.own.Reserve(now, g.reserved), g.all.Reserve(now, g.reserved)
		g.at = later(own, all)
	}
	if g.at.After(now) {
		return 0
	}
	n = min(n, g.reserved)
	g.reserved -= n
	return n
}

// end gives back to other calls what was kept for this one.
func (g *sendGate) end() { g.all.GiveBack(g.reserved) }
