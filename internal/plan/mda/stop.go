package mda

import "sync"

// failure is the probability with which the stopping rule may miss a next hop if load is
// spread evenly.
const failure = 0.05

// stoppingRule is the number of flows that must be seen at the next hop before the next
// hops that were found are taken for all: the k-th number, from 0, is n_k+1, for k+1 next
// hops. (Veitch, Augustin, Teixeira, Friedman: Failure Control in Multipath Route Tracing,
// INFOCOM 2009.)
type stoppingRule []int

// newStoppingRule returns the numbers up to a limit.
//
// How many of k+2 next hops are found after n flows is a Markov chain: each flow meets a
// known next hop or a new one. The number is the least n after which one is still missing
// with a probability of at most failure.
//
// The probability of stopping even earlier, with fewer found, comes on top. With 5 %, the
// sum is 5.01 % for 8 next hops, 5.06 % for 9, and at most 5 % for any other number up to
// 16.
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

// stopAfter returns the number of flows for found next hops, or a number above the limit.
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

// usualRule is the rule for up to MaxFlows flows.
var usualRule = sync.OnceValue(func() stoppingRule { return newStoppingRule(failure, MaxFlows) })

// required returns how many flows must be seen if that many next hops were found.
func (r stoppingRule) required(found int) int {
	if found > len(r) {
		return MaxFlows
	}
	return r[max(found, 1)-1]
}

// tally counts what some flows met at a hop.
type tally struct{ nodes, silent, answered, pending int }

// outcomes returns the number of next hops, counting silence as one.
func (t tally) outcomes() int {
	if t.silent > 0 {
		return t.nodes + 1
	}
	return t.nodes
}

// missing returns how many more flows the rule demands, beside those that are asked for, if
// there are at least least next hops. Silence counts as a next hop, but does not help to
// distinguish the others.
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
