package drive

import (
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// Locks makes tasks of all operations that need stop-and-wait, and probe an address by the
// same sockets, take turns: otherwise each would disturb all others. The zero value is
// ready for use.
type Locks struct {
	mu    sync.Mutex
	locks map[lockKey]*lock
}

type lockKey struct {
	pool *engine.Pool
	dst  netip.Addr
}

// lock is a lock that tasks hold or wait for, in the order in which they came.
type lock struct {
	key     lockKey
	claims  []*claim  // the first has the lock
	holdoff time.Time // until then, an answer may belong to a probe of an earlier holder
}

// claim is a task that has a lock or waits for it.
type claim struct {
	locks *Locks
	lock  *lock
	freed chan<- struct{} // gets a token when the claim becomes the lock
}

// claim queues for a lock.
func (l *Locks) claim(key lockKey, freed chan<- struct{}) *claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locks == nil {
		l.locks = map[lockKey]*lock{}
	}
	k := l.locks[key]
	if k == nil {
		k = &lock{key: key}
		l.locks[key] = k
	}
	c := &claim{l, k, freed}
	k.claims = append(k.claims, c)
	return c
}

// holds reports whether the claim has the lock, and until when an answer may belong to a
// probe of another task.
func (c *claim) holds() (holdoff time.Time, held bool) {
	c.locks.mu.Lock()
	defer c.locks.mu.Unlock()
	return c.lock.holdoff, c.lock.claims[0] == c
}

// release passes the lock on to the next claim, or stops waiting for it.
func (c *claim) release(holdoff time.Time) {
	c.locks.mu.Lock()
	defer c.locks.mu.Unlock()
	k := c.lock
	if k.claims[0] == c {
		k.holdoff = holdoff
		k.claims = k.claims[1:]
		if len(k.claims) > 0 {
			signal(k.claims[0].freed)
		}
	} else {
		for i := range k.claims {
			if k.claims[i] == c {
				k.claims = append(k.claims[:i], k.claims[i+1:]...)
				break
			}
		}
	}
	if len(k.claims) == 0 {
		delete(c.locks.locks, k.key)
	}
}

// signal puts a token into a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
