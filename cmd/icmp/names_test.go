package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
)

func TestANameShowsOnceItIsKnown(t *testing.T) {
	router := netip.MustParseAddr("fe80::1%eth0")
	for _, tt := range []struct {
		name  string
		names []string
		err   error
		want  string
	}{
		{"the first name, without the dot of the root", []string{"router.example.", "other.example."}, nil, "router.example"},
		{"an address that has no name", nil, nil, ""},
		{"a lookup that fails", nil, errors.New("no server"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				cache := newNameCache()
				cache.lookup = func(_ context.Context, addr string) ([]string, error) {
					asked++
					if addr != "fe80::1" {
						t.Errorf("looked up %q", addr)
					}
					return tt.names, tt.err
				}
				if got := cache.get(router); got != "" {
					t.Errorf("before the lookup the name is %q", got)
				}
				synctest.Wait()
				if got := cache.get(router); got != tt.want {
					t.Errorf("the name is %q, want %q", got, tt.want)
				}
				synctest.Wait()
				if asked != 1 {
					t.Errorf("asked %d times, want once", asked)
				}
			})
		})
	}
}

func TestALookupThatHangsKeepsNobodyWaitingAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		cache := newNameCache()
		cache.lookup = func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}
		for range 3 {
			if got := cache.get(netip.IPv6Loopback()); got != "" {
				t.Errorf("the name is %q", got)
			}
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the lookup ended with %v, want its deadline", err)
		}
	})
}
