package netlab

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

func TestPacketsWaitInOrderOfTheirTimesAndThenOfTheirComing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Now()
	var q queue
	var want []waiting
	for i := range 1000 {
		d := netsim.Delivery{At: start.Add(time.Duration(random.IntN(100))), Packet: []byte{byte(i >> 8), byte(i)}}
		q.push(&d)
		want = append(want, waiting{at: d.At, number: uint64(i), packet: d.Packet})
	}
	slices.SortStableFunc(want, func(a, b waiting) int { return a.at.Compare(b.at) })
	for _, w := range want {
		if early := q.pop(w.at.Add(-1)); early != nil {
			t.Fatalf("packet %v left before its time", early)
		}
		if next, ok := q.next(); !ok || !next.Equal(w.at) {
			t.Fatalf("the next is at %v, want %v", next, w.at)
		}
		if got := q.pop(w.at); !slices.Equal(got, w.packet) {
			t.Fatalf("packet %v left, want %v", got, w.packet)
		}
	}
	if _, ok := q.next(); ok || q.pop(start.Add(time.Hour)) != nil {
		t.Error("there are packets left")
	}
}

func TestAQueueThatHasGrownAllocatesNothing(t *testing.T) {
	var q queue
	d := netsim.Delivery{At: time.Now(), Packet: []byte{1}}
	q.push(&d)
	q.pop(d.At)
	if n := testing.AllocsPerRun(100, func() { q.push(&d); q.pop(d.At) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
