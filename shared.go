package icmplib

import (
	"iter"
	"sync"
)

// shared is the Prober of the package's functions. The first call in flight
// opens it and the last one closes it, so that a program that is idle holds no
// sockets, and every burst of calls draws new ids.
var shared struct {
	mu    sync.Mutex
	users int
	p     *Prober
}

// acquireShared returns the shared Prober, and a function that gives it back.
func acquireShared() (p *Prober, release func(), err error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users == 0 {
		if shared.p, err = NewProber(nil); err != nil {
			return nil, nil, err
		}
	}
	shared.users++
	return shared.p, releaseShared, nil
}

func releaseShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.users--
	if shared.users > 0 {
		return
	}
	// Nobody waits for the outcome, and nothing was lost that could be kept.
	_ = shared.p.Close()
	shared.p = nil
}

// overShared is what over makes of the shared Prober, which is held while a
// loop runs.
func overShared[T any](over func(*Prober) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p, release, err := acquireShared()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		defer release()
		over(p)(yield)
	}
}
