package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
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
				begin := make(chan struct{})
				cache := newNameCache()
				cache.lookup = func(_ context.Context, addr string) ([]string, error) {
					<-begin
					asked++
					if addr != "fe80::1" {
						t.Errorf("looked up %q", addr)
					}
					return tt.names, tt.err
				}
				if got := cache.get(router); got != "" {
					t.Errorf("before the lookup the name is %q", got)
				}
				close(begin)
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

func TestALineWaitsForItsNameOnlySoLong(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration // the lookup
		after time.Duration // that the line is printed
		want  string
		waits time.Duration
	}{
		{"for one that comes", 300 * time.Millisecond, 0, "router.example", 300 * time.Millisecond},
		{"the less, the earlier it was asked for", 300 * time.Millisecond, 200 * time.Millisecond, "router.example", 100 * time.Millisecond},
		{"not at all for one that is known", 300 * time.Millisecond, 400 * time.Millisecond, "router.example", 0},
		{"not for one that is late", 2 * time.Second, 0, "", namePatience},
		{"not for one that has been late", 2 * time.Second, namePatience, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache := newNameCache()
				cache.lookup = func(context.Context, string) ([]string, error) {
					time.Sleep(tt.takes)
					return []string{"router.example."}, nil
				}
				cache.ask(router4)
				time.Sleep(tt.after)
				began := time.Now()
				if got := cache.await(router4); got != tt.want {
					t.Errorf("the name is %q, want %q", got, tt.want)
				}
				if waited := time.Since(began); waited != tt.waits {
					t.Errorf("it waited %v, want %v", waited, tt.waits)
				}
				time.Sleep(tt.takes) // for the lookup to end
			})
		})
	}
}
