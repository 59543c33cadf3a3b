package icmplib

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
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
