package engine

import "testing"

func TestAProbeAndItsReplyAllocateNothing(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56})
	seq := b.launch(target, 0)
	r := b.reply(seq)
	payload := r.Payload
	round := func() {
		p := Probe{Dst: target, TTL: 64}
		seq, n, ok := b.core.launch(b.op, b.ref, &p, b.now)
		if !ok {
			t.Fatal("no sequence number was free")
		}
		b.core.commit(seq, b.now)
		r.Sequence, r.Payload = seq, b.op.payload.appendTo(payload[:0], n, seq)
		b.core.receive(r, b.now)
		if o := b.op.outcomes; len(o) != 1 || o[0].Fate != Replied {
			t.Fatalf("heard %+v", o)
		}
		b.op.outcomes = b.op.outcomes[:0]
		b.now += testTimeout / 8
		b.core.expire(b.now)
	}
	b.core.receive(r, b.now)
	b.op.outcomes = b.op.outcomes[:0]
	for range 1000 {
		round() // the table grows to its size
	}
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
