package icmplib

import "sync"

// multipathFailure is how often the stopping rule may miss a next hop of a
// router whose load balancing is even.
const multipathFailure = 0.05

// stoppingRule returns how many flows through a router have to be seen at the
// next hop before those next hops are taken for all: the k-th number, from 0, is
// n_k+1, for k+1 that were found. (Veitch, Augustin, Teixeira, Friedman: Failure
// Control in Multipath Route Tracing, INFOCOM 2009.)
//
// How many of k+2 next hops were found after n flows is a Markov chain: a flow
// meets one that is known, or a further one. The number is the least n after
// which one is still missing with a probability of at most failure.
//
// To stop too early, with fewer found, comes on top of that. With 5 %, it makes
// 5.01 % of 8 next hops, 5.06 % of 9, and at most 5 % of any other number up
// to 16.
func stoppingRule(failure float64, limit int) []int {
	rule := make([]int, 0, 64)
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

// multipathRule is the rule for as many flows as there may be.
var multipathRule = sync.OnceValue(func() []int { return stoppingRule(multipathFailure, MaxFlows) })
