// Package plantest is shared by the tests of plans. It provides virtual time, in which
// answers are in flight, and addresses with readable names.
package plantest

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Flight holds the observations to come, each at its time: that of the answer or, for
// silence, the end of the timeout.
type Flight struct {
	Timeout time.Duration
	flying  []plan.Observation
}

// Add adds an observation to come.
func (f *Flight) Add(o plan.Observation) { f.flying = append(f.flying, o) }

// IsEmpty reports whether no observation is to come.
func (f *Flight) IsEmpty() bool { return len(f.flying) == 0 }

// at returns the time of an observation.
func (f *Flight) at(o *plan.Observation) time.Time {
	if o.Kind == plan.Silent {
		return o.Sent.Add(f.Timeout)
	}
	return o.Answered()
}

// Next returns the next time: that of an observation, which it also returns and takes out
// of the flight, or wake if that is sooner and not zero. It reports false if there is
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
