package main

import (
	"errors"
	"fmt"
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
	errRange  = errors.New("a range such as 10.0.0.1-10.0.0.20 or 10.0.0.1-20, of one family and from the lower address to the higher, is allowed")
	errMapped = errors.New("of IPv4-mapped addresses a prefix such as ::ffff:10.0.0.0/120, with 96 to 128 bits, is allowed")
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
