package icmplib

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func (z *zone) asked() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return len(z.queries)
}

func TestANameCacheAsksOnceForEachFamily(t *testing.T) {
	z := &zone{hosts: map[string][]string{"host.test.": {"192.0.2.1", "2001:db8::1"}}}
	c := &NameCache{Resolver: z.resolver()}
	want := map[Family]string{IPv4: "192.0.2.1", IPv6: "2001:db8::1"}
	for range 3 {
		for family, addr := range want {
			got, err := c.Resolve(t.Context(), "host.test.", family)
			if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr(addr)}) {
				t.Fatalf("%v: %v, %v", family, got, err)
			}
			got[0] = netip.Addr{} // it is the caller's own
		}
	}
	if n := z.asked(); n != 2 {
		t.Errorf("%d queries, want one for each family", n)
	}
	c.Clear()
	if _, err := c.Resolve(t.Context(), "host.test.", IPv4); err != nil || z.asked() != 3 {
		t.Errorf("after Clear: %d queries, %v", z.asked(), err)
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
				c, r, start := &NameCache{Lifetime: tt.lifetime}, &counting{}, time.Now()
				for i, at := range []time.Duration{0, 59 * time.Second, time.Minute, 119 * time.Second, 2 * time.Minute} {
					time.Sleep(time.Until(start.Add(at))) // of virtual time
					got, err := c.resolve(t.Context(), r, "host.test", IPv4)
					if err != nil || got[0] != netip.AddrFrom4([4]byte{192, 0, 2, tt.want[i]}) || r.lookups != tt.want[i] {
						t.Errorf("after %v: %v, %v, %d lookups", at, got, err, r.lookups)
					}
				}
			})
		})
	}
}

func TestANameCacheSharesOneLookup(t *testing.T) {
	z := &zone{hosts: map[string][]string{"host.test.": {"192.0.2.1"}}}
	c := &NameCache{Resolver: z.resolver()}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if addrs, err := c.Resolve(t.Context(), "host.test.", IPv4); err != nil || len(addrs) != 1 {
				t.Errorf("%v, %v", addrs, err)
			}
		})
	}
	all.Wait()
	if n := z.asked(); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestANameCacheRemembersNoFailure(t *testing.T) {
	z := &zone{hosts: map[string][]string{}}
	c := &NameCache{Resolver: z.resolver()}
	if _, err := c.Resolve(t.Context(), "host.test.", IPv4); !errors.Is(err, ErrNameLookup) {
		t.Fatalf("a name that there is not: %v", err)
	}
	z.mu.Lock()
	z.hosts["host.test."] = []string{"192.0.2.1"}
	z.mu.Unlock()
	if _, err := c.Resolve(t.Context(), "host.test.", IPv4); err != nil {
		t.Errorf("when there is: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Resolve(ended, "other.test.", IPv4); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestAProberUsesItsNameCache(t *testing.T) {
	z := &zone{hosts: map[string][]string{"host.test.": {"10.0.9.9"}}}
	p := simProber(t, simNetwork(""), false)
	defer p.Close()
	p.cfg.Names = &NameCache{Resolver: z.resolver()}
	for range 2 {
		if h, err := p.Ping(t.Context(), "host.test.", &PingOptions{Count: 1}); err != nil || !h.IsAlive() {
			t.Fatalf("%v, %v", h, err)
		}
		if hosts, err := p.MultiPing(t.Context(), []string{"host.test."}, &MultiPingOptions{Count: 1}); err != nil || !hosts[0].IsAlive() {
			t.Fatalf("%v, %v", hosts, err)
		}
	}
	if n := z.asked(); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}
