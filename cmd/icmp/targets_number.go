package main

import (
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
)

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
