package engine

import "time"

// Probes with the same timeout expire in the order in which they were sent. So
// each timeout in use has a queue, to whose end a probe is added and out of
// which it is taken, both at once; the next probe to expire stands at the head
// of one of them. The links are sequence numbers inside the slots.
type queue struct {
	timeout    time.Duration
	head, tail uint16
	len        int
}

// enqueue adds the slot of seq to the queue of its timeout.
func (t *table) enqueue(seq uint16, timeout time.Duration) {
	i := t.queueFor(timeout)
	q, s := &t.queues[i], t.slot(seq)
	s.queue = uint16(i)
	if q.len == 0 {
		q.head = seq
	} else {
		t.slot(q.tail).next = seq
		s.prev = q.tail
	}
	q.tail = seq
	q.len++
}

// dequeue takes the slot of seq out of its queue.
func (t *table) dequeue(seq uint16) {
	s := t.slot(seq)
	q := &t.queues[s.queue]
	if seq == q.head {
		q.head = s.next
	} else {
		t.slot(s.prev).next = s.next
	}
	if seq == q.tail {
		q.tail = s.prev
	} else {
		t.slot(s.next).prev = s.prev
	}
	q.len--
}

// queueFor finds the queue of a timeout, or an empty one to take.
func (t *table) queueFor(timeout time.Duration) int {
	empty := -1
	for i := range t.queues {
		switch q := &t.queues[i]; {
		case q.len == 0:
			empty = i
		case q.timeout == timeout:
			return i
		}
	}
	if empty < 0 {
		empty = len(t.queues)
		t.queues = append(t.queues, queue{})
	}
	t.queues[empty] = queue{timeout: timeout}
	return empty
}

// nextDeadline returns when the next probe in flight is overdue.
func (t *table) nextDeadline() (time.Duration, bool) {
	var next time.Duration
	found := false
	for i := range t.queues {
		q := &t.queues[i]
		if q.len == 0 {
			continue
		}
		if d := t.slot(q.head).deadline; !found || d < next {
			next, found = d, true
		}
	}
	return next, found
}

// overdue calls settle, which dequeues it, for each probe that was due by the
// horizon. Those that are departing are the last of their queue.
func (t *table) overdue(horizon time.Duration, departing func(seq uint16) bool, settle func(seq uint16, s *slot)) {
	for i := range t.queues {
		for q := &t.queues[i]; q.len > 0; {
			seq := q.head
			s := t.slot(seq)
			if s.deadline > horizon || departing(seq) {
				break
			}
			settle(seq, s)
		}
	}
}
