// Package plantest is what tests of plans share: virtual time, in which answers are in
// flight, and addresses that are names.
package plantest

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Flight is the observations that are to come, of which each has its moment: that of the
// answer or, for silence, the end of the timeout.
type Flight struct {
	Timeout time.Duration
	flying  []plan.Observation
}

// Add has an observation come.
func (f *Flight) Add(o plan.Observation) { f.flying = append(f.flying, o) }

// IsEmpty reports whether nothing is to come.
func (f *Flight) IsEmpty() bool { return len(f.flying) == 0 }

// at returns the moment of an observation.
func (f *Flight) at(o *plan.Observation) time.Time {
	if o.Kind == plan.Silent {
		return o.Sent.Add(f.Timeout)
	}
	return o.Answered()
}

// Next returns the moment that comes next: that of an observation, which is returned and in
// flight no longer, or wake if that is sooner and not zero. It reports false if there is
// neither.
func (f *Flight) Next(wake time.Time) (now time.Time, o *plan.Observation, ok bool) {
	first := -1
	for i := range f.flying {
		if first < 0 || f.at(&f.flying[i]).Before(f.at(&f.flying[first])) {
			first = i
		}
	}
	if first < 0 || !wake.IsZero() && f.at(&f.flying[first]).After(wake) {
		return wake, nil, !wake.IsZero()
	}
	found := f.flying[first]
	f.flying = slices.Delete(f.flying, first, first+1)
	return f.at(&found), &found, true
}

// Address returns the address of a router that has a name of up to 8 letters.
func Address(name string) netip.Addr {
	var b [16]byte
	b[0] = 0x20
	copy(b[8:], name)
	return netip.AddrFrom16(b)
}

// NameOf is the inverse of [Address]; * for the zero Addr.
func NameOf(a netip.Addr) string {
	if !a.IsValid() {
		return "*"
	}
	b := a.As16()
	return strings.TrimRight(string(b[8:]), "\x00")
}
