package icmplib

// ring is a queue of places.
type ring struct {
	items []int
	head  int
}

func (r *ring) len() int { return len(r.items) - r.head }

func (r *ring) push(place int) {
	if r.head > 1024 && r.head > len(r.items)/2 {
		r.items = r.items[:copy(r.items, r.items[r.head:])]
		r.head = 0
	}
	r.items = append(r.items, place)
}

func (r *ring) first() int { return r.items[r.head] }

func (r *ring) pop() int {
	place := r.items[r.head]
	r.head++
	if r.head == len(r.items) {
		r.items, r.head = r.items[:0], 0
	}
	return place
}
