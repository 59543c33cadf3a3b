package icmplib

import "sync"

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
