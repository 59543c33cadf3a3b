package mda

import "sync"

// failure is how often the stopping rule may miss a next hop where load is spread
// evenly.
const failure = 0.05

// stoppingRule is how many flows have to be seen at the next hop before those next
// hops are taken for all: the k-th number, from 0, is n_k+1, for k+1 that were found.
// (Veitch, Augustin, Teixeira, Friedman: Failure Control in Multipath Route Tracing,
// INFOCOM 2009.)
type stoppingRule []int

// newStoppingRule returns the numbers up to a limit.
//
// How many of k+2 next hops were found after n flows is a Markov chain: a flow
// meets one that is known, or a further one. The number is the least n after
// which one is still missing with a probability of at most failure.
//
// To stop too early, with fewer found, comes on top of that. With 5 %, it makes
// 5.01 % of 8 next hops, 5.06 % of 9, and at most 5 % of any other number up
// to 16.
func newStoppingRule(failure float64, limit int) stoppingRule {
	var rule stoppingRule
	for {
		n := stopAfter(len(rule)+1, failure, limit)
		if n > limit {
			return rule
		}
		rule = append(rule, n)
	}
}

// stopAfter returns the number for so many next hops that were found, or one
// above the limit.
func stopAfter(found int, failure float64, limit int) int {
	branches := float64(found + 1) // one more than were found
	state := make([]float64, found+2)
	state[0] = 1 // no flow has met any
	for n := 1; n <= limit; n++ {
		for k := found; k >= 0; k-- {
			state[k+1] += state[k] * (branches - float64(k)) / branches
			state[k] *= float64(k) / branches
		}
		if missing := 1 - state[found+1]; missing <= failure {
			return n
		}
	}
	return limit + 1
}

// usualRule is the rule for as many flows as there may be.
var usualRule = sync.OnceValue(func() stoppingRule { return newStoppingRule(failure, MaxFlows) })

// required returns how many flows have to be seen where so many next hops are.
func (r stoppingRule) required(found int) int {
	if found > len(r) {
		return MaxFlows
	}
	return r[max(found, 1)-1]
}

// tally is what some flows met at a hop.
type tally struct{ nodes, silent, answered, pending int }

// outcomes is how many next hops they make, silence being one.
func (t tally) outcomes() int {
	if t.silent > 0 {
		return t.nodes + 1
	}
	return t.nodes
}

// missing returns how many more flows the rule demands, beside those that are asked
// for, where there are least next hops or more. Silence is a next hop of its own, but
// does not help to tell the others apart.
func (r stoppingRule) missing(t tally, least int) int {
	need := r.required(max(t.outcomes(), least))
	settled := t.answered + t.silent
	more := need - settled
	if t.nodes > 0 {
		more = max(more, min(r.required(max(t.nodes, least))-t.answered, 3*need-settled))
	}
	return more - t.pending
}

// holds reports whether the rule holds.
func (r stoppingRule) holds(t tally, least int) bool {
	return t.answered+t.silent >= r.required(max(t.outcomes(), least)) &&
		(t.nodes == 0 || t.answered >= r.required(max(t.nodes, least)))
}
