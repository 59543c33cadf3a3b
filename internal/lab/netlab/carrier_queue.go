package netlab

import (
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// queue holds packets until their time comes: a heap, of which the first is the
// next. Those of the same time keep the order in which they were added.
type queue struct {
	heap  []waiting
	added uint64
}

// waiting is a packet and when it is to be delivered.
type waiting struct {
	at     time.Time
	number uint64
	packet []byte
}

func (w *waiting) before(o *waiting) bool {
	if c := w.at.Compare(o.at); c != 0 {
		return c < 0
	}
	return w.number < o.number
}

func (q *queue) push(d *netsim.Delivery) {
	q.added++
	q.heap = append(q.heap, waiting{d.At, q.added, d.Packet})
	for i := len(q.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.heap[i].before(&q.heap[parent]) {
			return
		}
		q.heap[i], q.heap[parent] = q.heap[parent], q.heap[i]
		i = parent
	}
}

// next is the time of the first packet; ok is whether there is one.
func (q *queue) next() (at time.Time, ok bool) {
	if len(q.heap) == 0 {
		return time.Time{}, false
	}
	return q.heap[0].at, true
}

// pop takes the first packet if its time is not after now, and nil otherwise.
func (q *queue) pop(now time.Time) []byte {
	if len(q.heap) == 0 || q.heap[0].at.After(now) {
		return nil
	}
	packet, last := q.heap[0].packet, len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap[last] = waiting{}
	q.heap = q.heap[:last]
	q.sink()
	return packet
}

// sink moves the first packet to its place.
func (q *queue) sink() {
	for i := 0; ; {
		first := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.heap); child++ {
			if q.heap[child].before(&q.heap[first]) {
				first = child
			}
		}
		if first == i {
			return
		}
		q.heap[i], q.heap[first] = q.heap[first], q.heap[i]
		i = first
	}
}
