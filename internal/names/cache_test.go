package names

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/zone"
)

func TestANameCacheAsksOnceForEachFamily(t *testing.T) {
	z := &zone.Zone{Hosts: map[string][]string{"host.test.": {"192.0.2.1", "2001:db8::1"}}}
	var c Cache
	want := map[Family]string{IPv4: "192.0.2.1", IPv6: "2001:db8::1"}
	for range 3 {
		for family, addr := range want {
			got, err := c.Resolve(t.Context(), z.Resolver(), "host.test.", family, 0)
			if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr(addr)}) {
				t.Fatalf("%v: %v, %v", family, got, err)
			}
			got[0] = netip.Addr{} // it is the caller's own
		}
	}
	if n := len(z.Queries()); n != 2 {
		t.Errorf("%d queries, want one for each family", n)
	}
	c.Clear()
	if _, err := c.Resolve(t.Context(), z.Resolver(), "host.test.", IPv4, 0); err != nil || len(z.Queries()) != 3 {
		t.Errorf("after Clear: %d queries, %v", len(z.Queries()), err)
	}
}

// counting answers each lookup with another address.
type counting struct{ lookups byte }

func (c *counting) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	c.lookups++
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, c.lookups})}, nil
}

func TestANameCacheRemembersForItsLifetime(t *testing.T) {
	for _, tt := range []struct {
		name     string
		lifetime time.Duration
		want     []byte // the lookups after 0 s, 59 s, 60 s, 119 s and 120 s
	}{
		{"a minute", time.Minute, []byte{1, 1, 2, 2, 3}},
		{"by default for ever", 0, []byte{1, 1, 1, 1, 1}},
		{"a negative one is for ever", -1, []byte{1, 1, 1, 1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, r, start := &Cache{}, &counting{}, time.Now()
				for i, at := range []time.Duration{0, 59 * time.Second, time.Minute, 119 * time.Second, 2 * time.Minute} {
					time.Sleep(time.Until(start.Add(at))) // of virtual time
					got, err := c.Resolve(t.Context(), r, "host.test", IPv4, tt.lifetime)
					if err != nil || got[0] != netip.AddrFrom4([4]byte{192, 0, 2, tt.want[i]}) || r.lookups != tt.want[i] {
						t.Errorf("after %v: %v, %v, %d lookups", at, got, err, r.lookups)
					}
				}
			})
		})
	}
}

func TestANameCacheSharesOneLookup(t *testing.T) {
	z := &zone.Zone{Hosts: map[string][]string{"host.test.": {"192.0.2.1"}}}
	var c Cache
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if addrs, err := c.Resolve(t.Context(), z.Resolver(), "host.test.", IPv4, 0); err != nil || len(addrs) != 1 {
				t.Errorf("%v, %v", addrs, err)
			}
		})
	}
	all.Wait()
	if n := len(z.Queries()); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestANameCacheRemembersNoFailure(t *testing.T) {
	z := &zone.Zone{Hosts: map[string][]string{}}
	var c Cache
	if _, err := c.Resolve(t.Context(), z.Resolver(), "host.test.", IPv4, 0); !errors.Is(err, ErrLookup) {
		t.Fatalf("a name that there is not: %v", err)
	}
	z.Set("host.test.", "192.0.2.1")
	if _, err := c.Resolve(t.Context(), z.Resolver(), "host.test.", IPv4, 0); err != nil {
		t.Errorf("when there is: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Resolve(ended, z.Resolver(), "other.test.", IPv4, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// A look-up that fails does not forget the one that was begun after [Cache.Clear].
func TestANameCacheForgetsTheFailureOnly(t *testing.T) {
	var c Cache
	key := nameKey{"a.test.", IPv4}
	old, _ := c.entry(key, 0)
	c.Clear()
	other, ours := c.entry(key, time.Nanosecond)
	if !ours || other == old {
		t.Fatal("a look-up is shared that was to be forgotten")
	}
	if again, ours := c.entry(key, time.Nanosecond); ours || again != other {
		t.Error("a look-up that runs is not shared, as if it were old")
	}
	old.err = ErrLookup
	if c.settle(key, old); c.found[key] != other {
		t.Error("the new look-up is forgotten")
	}
}

func TestFamilyIncludes(t *testing.T) {
	v4 := netip.MustParseAddr("192.0.2.1")
	v6 := netip.MustParseAddr("2001:db8::1")
	mapped := netip.AddrFrom16(v4.As16())
	tests := []struct {
		name   string
		family Family
		addr   netip.Addr
		want   bool
	}{
		{"any family includes an IPv4 address", Any, v4, true},
		{"any family includes an IPv6 address", Any, v6, true},
		{"no family includes the zero address", Any, netip.Addr{}, false},
		{"IPv4 includes an IPv4 address", IPv4, v4, true},
		{"IPv4 includes an IPv4-mapped address, which travels as IPv4", IPv4, mapped, true},
		{"IPv4 excludes an IPv6 address", IPv4, v6, false},
		{"IPv6 includes an IPv6 address", IPv6, v6, true},
		{"IPv6 includes a link-local address with its zone", IPv6, netip.MustParseAddr("fe80::1%lo"), true},
		{"IPv6 excludes an IPv4-mapped address", IPv6, mapped, false},
		{"an unknown family includes nothing", Family(5), v4, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.family.Includes(tt.addr); got != tt.want {
				t.Errorf("%v.Includes(%v) = %v, want %v", tt.family, tt.addr, got, tt.want)
			}
		})
	}
}

func TestFamilyOf(t *testing.T) {
	for text, want := range map[string]Family{"": Any, "192.0.2.1": IPv4, "::ffff:192.0.2.1": IPv4, "2001:db8::1": IPv6} {
		addr, _ := netip.ParseAddr(text)
		if got := FamilyOf(addr); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
