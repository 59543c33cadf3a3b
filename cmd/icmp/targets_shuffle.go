package main

import "math/rand/v2"

// shuffleRounds is how often the halves are mixed: even, so that their widths
// come out as they went in.
const shuffleRounds = 10

// shuffle is a permutation of the numbers from 0 to last that looks random, in
// constant memory: a Feistel network over as many bits as last has, which is
// a permutation of up to twice as many numbers. One that is led out of bounds
// walks on along its cycle until it is back.
type shuffle struct {
	last        number
	left, right int // bits of the halves
	keys        [shuffleRounds]uint64
}

func newShuffle(last number, seed uint64) *shuffle {
	width := max(last.len(), 2)
	s := &shuffle{last: last, left: width / 2, right: width - width/2}
	source := rand.NewPCG(seed, 0)
	for i := range s.keys {
		s.keys[i] = source.Uint64()
	}
	return s
}

// at returns where n goes.
func (s *shuffle) at(n number) number {
	for {
		n = s.mix(n)
		if n.cmp(s.last) <= 0 {
			return n
		}
	}
}

// mix permutes the numbers of left+right bits. Each round is undone by itself:
// the half that chose the change is still there.
func (s *shuffle) mix(n number) number {
	a, b := s.left, s.right
	left, right := n.shiftRight(b).lo, n.lo&ones(b).lo
	for _, key := range s.keys {
		left, right = right, left^scramble(right^key)&ones(a).lo
		a, b = b, a
	}
	sum, _ := number{0, left}.shiftLeft(b).add(number{0, right})
	return sum
}

// scramble has every bit of x depend on every other: the finalizer of
// splitmix64.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
