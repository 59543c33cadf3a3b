package main

import (
	"context"
	"runtime"
	"slices"
	"testing"
)

func TestAShuffleIsAPermutation(t *testing.T) {
	sizes := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 64, 100, 127, 128, 129, 254, 1000, 4095, 4097, 65_537, 100_003}
	for _, size := range sizes {
		for _, seed := range []uint64{1, 42} {
			s := newShuffle(number{0, size - 1}, seed)
			seen := make([]bool, size)
			for n := range size {
				at := s.at(number{0, n})
				if at.hi != 0 || at.lo >= size || seen[at.lo] {
					t.Fatalf("size %d, seed %d: %d goes to %v, which is out of bounds or taken", size, seed, n, at)
				}
				seen[at.lo] = true
			}
		}
	}
}

func TestAShuffleOfNumbersThatNobodyCanCountStaysWithinThem(t *testing.T) {
	for _, last := range []number{{0, 1<<64 - 1}, {1, 0}, {1, 5}, {1 << 40, 12345}, ones(127), ones(128)} {
		s := newShuffle(last, 7)
		seen := map[number]bool{}
		for n := range uint64(2000) {
			for _, n := range []number{{0, n}, last.sub(number{0, n})} {
				at := s.at(n)
				if at.cmp(last) > 0 || seen[at] {
					t.Fatalf("of %v: %v goes to %v, which is out of bounds or taken", last, n, at)
				}
				seen[at] = true
			}
		}
	}
}

func FuzzShuffle(f *testing.F) {
	f.Add(uint64(0), uint64(4), uint64(1))
	f.Add(uint64(1)<<63, uint64(0), uint64(3))
	f.Fuzz(func(t *testing.T, hi, lo, seed uint64) {
		s := newShuffle(number{hi, lo}, seed)
		seen := map[number]bool{}
		for n := range min(lo, 100) {
			at := s.at(number{0, n})
			if at.cmp(s.last) > 0 || seen[at] {
				t.Fatalf("%d goes to %v, which is out of bounds or taken", n, at)
			}
			seen[at] = true
		}
	})
}

func TestTheSeedDecidesTheOrder(t *testing.T) {
	run := func(seed uint64) (numbers []uint64) {
		s := newShuffle(number{0, 999}, seed)
		for n := range uint64(1000) {
			numbers = append(numbers, s.at(number{0, n}).lo)
		}
		return numbers
	}
	if !slices.Equal(run(1), run(1)) {
		t.Error("the same seed gives another order")
	}
	if slices.Equal(run(1), run(2)) {
		t.Error("another seed gives the same order")
	}
	if slices.IsSorted(run(1)) {
		t.Error("nothing was shuffled")
	}
}

// Of 16 /24 networks, any 64 targets in a row are to meet each about 4 times.
func TestAShuffleGivesNoSubnetABurst(t *testing.T) {
	const networks, each, row = 16, 256, 64
	for seed := range uint64(20) {
		s := newShuffle(number{0, networks*each - 1}, seed)
		for begin := uint64(0); begin < networks*each; begin += row {
			var hits [networks]int
			for n := begin; n < begin+row; n++ {
				hits[s.at(number{0, n}).lo/each]++
			}
			// By chance alone it is once in a billion windows.
			if most := slices.Max(hits[:]); most > 20 {
				t.Errorf("seed %d: %d of %d targets in a row are in one network", seed, most, row)
			}
		}
	}
}

// Only the text of each target is allocated, whatever the number of targets.
func TestTheOrderOfTargetsTakesConstantMemory(t *testing.T) {
	for _, tt := range []struct {
		name string
		word string
		o    order
	}{
		{"in order", "10.0.0.0/8", order{shards: 1}},
		{"shuffled", "10.0.0.0/8", order{shards: 1, shuffle: true, seed: 1}},
		{"all of IPv6, shuffled", "::/0", order{shards: 1, shuffle: true, seed: 1}},
		{"a share, shuffled", "10.0.0.0/8", order{shard: 2, shards: 5, shuffle: true, seed: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := targetsOf(t, tt.o, tt.word)
			const draws, perTarget = 20_000, 48 // the longest IPv6 address, and some
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n := 0
			for range list.seq(context.Background()) {
				if n++; n == draws {
					break
				}
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > draws*perTarget+64<<10 {
				t.Errorf("%d bytes were allocated for %d targets", got, draws)
			}
			if got := after.Mallocs - before.Mallocs; got > draws*11/10+1000 {
				t.Errorf("%d allocations for %d targets, want one each", got, draws)
			}
		})
	}
}

func BenchmarkTargets(b *testing.B) {
	for _, tt := range []struct {
		name string
		o    order
	}{
		{"ordered", order{shards: 1}},
		{"shuffled", order{shards: 1, shuffle: true, seed: 1}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			list := targetsOf(b, tt.o, "::/0")
			b.ReportAllocs()
			n := 0
			for range list.seq(context.Background()) {
				if n++; n >= b.N {
					break
				}
			}
		})
	}
}
