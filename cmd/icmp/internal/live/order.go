package live

import (
	"cmp"
	"slices"
)

// order is how several targets are sorted.
type order uint8

const (
	asGiven order = iota
	byName
	byLoss // the worst first
	byRTT  // the slowest first, those without an answer before them
	orders
)

func (o order) String() string {
	return [...]string{"as given", "by name", "by loss", "by round-trip time"}[o]
}

// sorted returns the targets in that order. Equals stay as they were given.
func (o order) sorted(tracks []*track) []*track {
	all := slices.Clone(tracks)
	slices.SortStableFunc(all, func(a, b *track) int {
		switch o {
		case byName:
			return cmp.Compare(a.Name, b.Name)
		case byLoss:
			return cmp.Compare(b.loss(), a.loss())
		case byRTT:
			return compareRTT(a, b)
		}
		return 0
	})
	return all
}

func compareRTT(a, b *track) int {
	rttA, hasA := a.rtt()
	rttB, hasB := b.rtt()
	switch {
	case hasA && hasB:
		return cmp.Compare(rttB, rttA)
	case hasA:
		return 1
	case hasB:
		return -1
	}
	return 0
}
