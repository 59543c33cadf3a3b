package main

import (
	"math/big"
	"net/netip"
	"testing"
)

func toBig(n number) *big.Int {
	b := new(big.Int).SetUint64(n.hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(n.lo))
}

// FuzzNumber compares the arithmetic of 128 bits with that of package big.
func FuzzNumber(f *testing.F) {
	const most = 1<<64 - 1
	f.Add(uint64(0), uint64(0), uint64(0), uint64(1), uint64(1), uint8(0))
	f.Add(uint64(1), uint64(0), uint64(0), uint64(1), uint64(3), uint8(64))
	f.Add(uint64(most), uint64(most), uint64(0), uint64(1), uint64(most), uint8(127))
	f.Add(uint64(5), uint64(most), uint64(5), uint64(7), uint64(1)<<63, uint8(63))
	modulus := new(big.Int).Lsh(big.NewInt(1), 128)
	f.Fuzz(func(t *testing.T, ahi, alo, bhi, blo, n uint64, shift uint8) {
		a, b := number{ahi, alo}, number{bhi, blo}
		x, y, z := toBig(a), toBig(b), new(big.Int).SetUint64(n)
		check := func(what string, got number, want *big.Int) {
			if want = new(big.Int).Mod(want, modulus); toBig(got).Cmp(want) != 0 {
				t.Errorf("%s of %v, %v, %d, %d is %v, want %v", what, x, y, n, shift, toBig(got), want)
			}
		}
		sum, overflow := a.add(b)
		check("sum", sum, new(big.Int).Add(x, y))
		if want := new(big.Int).Add(x, y).Cmp(modulus) >= 0; overflow != want {
			t.Errorf("the overflow of %v+%v is %v", x, y, overflow)
		}
		if a.cmp(b) != x.Cmp(y) {
			t.Errorf("%v and %v compare as %d", x, y, a.cmp(b))
		}
		check("difference", a.sub(b), new(big.Int).Sub(x, y))
		check("product", a.times(n), new(big.Int).Mul(x, z))
		if n > 0 {
			check("quotient", a.over(n), new(big.Int).Div(x, z))
		}
		if shift < 128 {
			check("shift to the right", a.shiftRight(int(shift)), new(big.Int).Rsh(x, uint(shift)))
			check("shift to the left", a.shiftLeft(int(shift)), new(big.Int).Lsh(x, uint(shift)))
		}
		if a.len() != x.BitLen() {
			t.Errorf("%v has %d bits", x, a.len())
		}
	})
}

func TestAnAddressIsANumberInItsFamily(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first string
		n     number
		want  string
	}{
		{"the same", "10.0.0.1", number{}, "10.0.0.1"},
		{"over a byte of IPv4", "10.0.0.255", number{0, 1}, "10.0.1.0"},
		{"to the last of IPv4", "0.0.0.0", number{0, 1<<32 - 1}, "255.255.255.255"},
		{"over 64 bits of IPv6", "2001:db8::ffff:ffff:ffff:ffff", number{0, 1}, "2001:db8:0:1::"},
		{"to the last of IPv6", "::", ones(128), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, want := netip.MustParseAddr(tt.first), netip.MustParseAddr(tt.want)
			if got := addrAfter(first, tt.n); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
			if got := numberOf(want).sub(numberOf(first)); got != tt.n {
				t.Errorf("they are %v apart, want %v", got, tt.n)
			}
		})
	}
}
