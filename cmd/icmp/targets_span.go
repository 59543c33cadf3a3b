package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// span is one word of the command line or line of a list: a target as it was
// given, or the addresses that a prefix or a range stands for.
type span struct {
	name  string     // of a single target; "" for addresses
	first netip.Addr // of the addresses
	last  number     // which the last one is, from 0
}

// at returns the target of a number up to last.
func (s *span) at(n number) string {
	if s.name != "" {
		return s.name
	}
	return addrAfter(s.first, n).String()
}

// share yields the targets of a share; before is how many there are before the
// span, modulo the shares. It reports whether more are wanted.
func (s *span) share(o order, before uint64, yield func(string) bool) bool {
	n, step := number{0, addModulo(o.shard, (o.shards-before)%o.shards, o.shards)}, number{0, o.shards}
	for n.cmp(s.last) <= 0 {
		if !yield(s.at(n)) {
			return false
		}
		next, overflow := n.add(step)
		if overflow {
			break
		}
		n = next
	}
	return true
}

var (
	errRange  = errors.New("a range such as 10.0.0.1-10.0.0.20 or 10.0.0.1-20, of one family and from low to high, is allowed")
	errMapped = errors.New("for IPv4-mapped addresses, a prefix such as ::ffff:10.0.0.0/120, with 96 to 128 bits, is allowed")
	errPrefix = errors.New("a prefix such as 10.0.0.0/24, with 0 to 32 bits, or 2001:db8::/64, with 0 to 128 bits, is allowed")
	errWord   = errors.New("one name, address, prefix or range is allowed")
)

// parseSpan reads a target. With all the network and broadcast addresses of
// IPv4 prefixes are taken in.
func parseSpan(word string, all bool) (span, error) {
	switch {
	case word == "" || strings.ContainsAny(word, " \t"):
		return span{}, fmt.Errorf("%q: %w", word, errWord)
	case strings.Contains(word, "/"):
		return parsePrefix(word, all)
	}
	// The zone of an address, which may have a hyphen, makes no range.
	if from, to, ok := strings.Cut(word, "-"); ok && !strings.Contains(from, "%") && isRange(from, to) {
		return parseRange(word, from, to)
	}
	return span{name: printable(word)}, nil
}

// isRange tells a range from a name with a hyphen, such as www-1.example. What
// begins with an address is a name all the same if it ends as names do:
// 10.0.0.1-dsl.example.
func isRange(from, to string) bool {
	last := to[strings.LastIndexByte(to, '.')+1:]
	if last != to && len(last) > 1 && !strings.ContainsAny(last, "0123456789:") {
		return false
	}
	numeric := strings.Trim(from, "0123456789.") == "" && strings.Contains(from, ".")
	return numeric || strings.Contains(from, ":")
}

func parsePrefix(word string, all bool) (span, error) {
	prefix, err := netip.ParsePrefix(word)
	if err != nil {
		return span{}, fmt.Errorf("%q: %w", word, errPrefix)
	}
	addr, bits := prefix.Addr(), prefix.Bits()
	if addr.Is4In6() {
		if bits < 96 {
			return span{}, fmt.Errorf("%q: %w", word, errMapped)
		}
		addr, bits = addr.Unmap(), bits-96
	}
	free := addr.BitLen() - bits
	s := span{first: netip.PrefixFrom(addr, bits).Masked().Addr(), last: ones(free)}
	if addr.Is4() && free >= 2 && !all {
		s.first = s.first.Next()
		s.last = s.last.sub(number{0, 2})
	}
	return s, nil
}

func parseRange(word, from, to string) (span, error) {
	refused := fmt.Errorf("%q: %w", word, errRange)
	first, err := netip.ParseAddr(from)
	if err != nil {
		return span{}, refused
	}
	if first.Is4() && !strings.Contains(to, ".") {
		to = from[:strings.LastIndexByte(from, '.')+1] + to // 10.0.0.1-20
	}
	last, err := netip.ParseAddr(to)
	if err != nil || last.Zone() != "" {
		return span{}, refused
	}
	first, last = first.Unmap(), last.Unmap()
	if first.BitLen() != last.BitLen() || last.Less(first) {
		return span{}, refused
	}
	return span{first: first, last: numberOf(last).sub(numberOf(first))}, nil
}

// number counts addresses: 128 bits, as an IPv6 address has. How many there are
// of something is told by the number of the last, from 0, for ::/0 has one more
// than a number can say.
type number struct{ hi, lo uint64 }

func (a number) cmp(b number) int {
	switch {
	case a.hi < b.hi, a.hi == b.hi && a.lo < b.lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// add returns a+b, and whether the sum is too big.
func (a number) add(b number) (sum number, overflow bool) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, carry := bits.Add64(a.hi, b.hi, carry)
	return number{hi, lo}, carry != 0
}

// sub returns a-b for b <= a.
func (a number) sub(b number) number {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return number{hi, lo}
}

// times returns n*a for a product that a number can hold.
func (a number) times(n uint64) number {
	hi, lo := bits.Mul64(a.lo, n)
	return number{hi + a.hi*n, lo}
}

// over returns a/n, rounded down.
func (a number) over(n uint64) number {
	hi, rest := bits.Div64(0, a.hi, n)
	lo, _ := bits.Div64(rest, a.lo, n)
	return number{hi, lo}
}

// mod returns the rest of a/n.
func (a number) mod(n uint64) uint64 {
	_, rest := bits.Div64(a.hi%n, a.lo, n)
	return rest
}

func (a number) shiftRight(n int) number {
	if n >= 64 {
		return number{0, a.hi >> (n - 64)}
	}
	return number{a.hi >> n, a.hi<<(64-n) | a.lo>>n}
}

func (a number) shiftLeft(n int) number {
	if n >= 64 {
		return number{a.lo << (n - 64), 0}
	}
	return number{a.hi<<n | a.lo>>(64-n), a.lo << n}
}

// len returns how many bits a has.
func (a number) len() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// ones returns the number of n bits that are all 1.
func ones(n int) number {
	return number{math.MaxUint64, math.MaxUint64}.shiftRight(128 - n)
}

// count returns a+1, of which a is the last, or -1 if that is beyond an int64.
func (a number) count() int64 {
	if a.hi != 0 || a.lo >= math.MaxInt64 {
		return -1
	}
	return int64(a.lo) + 1
}

// numberOf returns an address as a number, an IPv4 one as one of 32 bits.
func numberOf(addr netip.Addr) number {
	if addr.Is4() {
		b := addr.As4()
		return number{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := addr.As16()
	return number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// addrAfter returns the address that is n behind addr, in its family.
func addrAfter(addr netip.Addr, n number) netip.Addr {
	sum, _ := numberOf(addr).add(n)
	if addr.Is4() {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(sum.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], sum.hi)
	binary.BigEndian.PutUint64(b[8:], sum.lo)
	return netip.AddrFrom16(b)
}

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
