package icmplib

import (
	"context"

	"github.com/goicmp/icmplib/internal/engine"
)

// sweepBatchSize is how many probes are sent together.
const sweepBatchSize = 16

// sweepBatch is probes that one pool sends together.
type sweepBatch struct {
	pool   *engine.Pool
	probes []engine.Probe
}

// sweepBatches is a batch for each pool. There are as many as families and zones
// in use, which is few.
type sweepBatches []sweepBatch

// clear empties the batches.
func (b sweepBatches) clear() {
	for i := range b {
		b[i].probes = b[i].probes[:0]
	}
}

// add puts a probe into the batch of its pool.
func (b *sweepBatches) add(pool *engine.Pool, p engine.Probe) {
	for i := range *b {
		if batch := &(*b)[i]; batch.pool == pool {
			batch.probes = append(batch.probes, p)
			return
		}
	}
	*b = append(*b, sweepBatch{pool, []engine.Probe{p}})
}

// batchOwner is told what becomes of each probe of a batch.
type batchOwner interface {
	sent(p *engine.Probe)
	refused(p *engine.Probe, err error) // by the system
}

// flush sends a batch. What the system says against a probe is for its owner; an
// error is the end of the operation.
func (b *sweepBatch) flush(ctx context.Context, op *engine.Op, owner batchOwner) error {
	for first := 0; first < len(b.probes); {
		n, err := b.pool.Send(ctx, op, b.probes[first:])
		for i := first; i < first+n; i++ {
			owner.sent(&b.probes[i])
		}
		first += n
		if err == nil {
			continue
		}
		if wasStopped(ctx, err) {
			return err
		}
		if first < len(b.probes) {
			owner.refused(&b.probes[first], err)
			first++
		}
	}
	return nil
}
