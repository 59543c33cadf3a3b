package main

import (
	"errors"
	"iter"
	"sort"
)

// targets is what is to be pinged: spans, and the numbers that their targets
// have throughout. Its memory is that of the words that were given.
type targets struct {
	spans []span
	ends  []number // the number of the last target of each span
}

var errTooMany = errors.New("more than 2^128 targets in all: fewer are allowed")

// add appends a span.
func (t *targets) add(s span) error {
	end := s.last
	if n := len(t.ends); n > 0 {
		begin, over := t.ends[n-1].add(number{0, 1})
		sum, overflow := begin.add(s.last)
		if over || overflow {
			return errTooMany
		}
		end = sum
	}
	t.spans, t.ends = append(t.spans, s), append(t.ends, end)
	return nil
}

// at returns the target of a number.
func (t *targets) at(n number) string {
	i := sort.Search(len(t.ends), func(i int) bool { return n.cmp(t.ends[i]) <= 0 })
	if i > 0 {
		begin, _ := t.ends[i-1].add(number{0, 1})
		n = n.sub(begin)
	}
	return t.spans[i].at(n)
}

// order is which of the targets are drawn, and in which order.
type order struct {
	shard, shards uint64 // the numbers that leave this rest; shards is 1 or more
	shuffle       bool
	seed          uint64
}

// last returns which the last target of the share is, of those up to end; there
// may be none.
func (o order) last(end number) (last number, ok bool) {
	first := number{0, o.shard}
	if end.cmp(first) < 0 {
		return last, false
	}
	return end.sub(first).over(o.shards), true
}

// last returns which the last target of the share is; there may be none.
func (t *targets) last(o order) (last number, ok bool) {
	if len(t.ends) == 0 {
		return last, false
	}
	return o.last(t.ends[len(t.ends)-1])
}

// shuffled yields the targets of the share in a random order.
func (t *targets) shuffled(o order) iter.Seq[string] {
	return func(yield func(string) bool) {
		last, ok := t.last(o)
		if !ok {
			return
		}
		shuffle := newShuffle(last, o.seed)
		for n := (number{}); ; n, _ = n.add(number{0, 1}) {
			// It is no more than the number of the last target: no overflow.
			at, _ := shuffle.at(n).times(o.shards).add(number{0, o.shard})
			if !yield(t.at(at)) || n == last {
				return
			}
		}
	}
}
