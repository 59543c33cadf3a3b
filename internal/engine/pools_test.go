package engine

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// There is one pool for each key, whose counts outlive it.
func TestPoolsAreSharedByTheirKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened, denied := 0, true
		pools := NewPools(func(string) (Medium, error) {
			if denied {
				return nil, syscall.EPERM
			}
			opened++
			return OverEcho(newScripted(mute)), nil
		}, slog.New(slog.DiscardHandler))
		if _, err := pools.Get("a", 0); !errors.Is(err, syscall.EPERM) {
			t.Errorf("a socket that is denied: %v", err)
		}
		denied = false
		for i, tt := range []struct {
			key          string
			most         int
			opened, room int // sockets
		}{
			{"a", 0, 1, maxEngines},
			{"a", 0, 1, maxEngines},
			{"b", 1, 2, 1},
			{"b", 0, 2, 1},
		} {
			pool, err := pools.Get(tt.key, tt.most)
			if err != nil || opened != tt.opened || pool.most != tt.room {
				t.Fatalf("%d: %v, %d sockets and room for %d, want %d and %d", i, err, opened, pool.most, tt.opened, tt.room)
			}
			op := NewOp(OpConfig{Timeout: time.Second, Size: 8})
			if n, err := pool.Send(t.Context(), op, burst(2)); n != 2 || err != nil {
				t.Fatal(n, err)
			}
			op.Close()
		}
		pools.Count(Counters{PacketsSent: 1, Silent: 1})
		if c := pools.Counters(); c.PacketsSent != 9 || c.Silent != 1 {
			t.Errorf("counted are %+v", c)
		}
		if err := pools.Close(); err != nil {
			t.Error(err)
		}
		if _, err := pools.Get("a", 0); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		if c := pools.Counters(); c.PacketsSent != 9 || opened != 2 {
			t.Errorf("after the end: %+v, %d sockets", c, opened)
		}
	})
}
