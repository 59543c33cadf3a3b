package icmplib

import (
	"net/netip"
	"sync"
)

// aliases remembers from which other addresses hosts have answered echo requests:
// addresses of those hosts, for such a reply has a nonce that only the host was sent.
// It remembers the newest maxAliases. The zero value is ready for use.
type aliases struct {
	mu    sync.Mutex
	known map[addressPair]struct{}
	order []addressPair // as they were learned; a ring when it is full
	next  int           // the oldest of a full ring
}

// addressPair is the address that was probed, and another one that answered.
type addressPair struct{ host, other netip.Addr }

const maxAliases = 4096

// add remembers a pair.
func (a *aliases) add(pair addressPair) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.known[pair]; ok {
		return
	}
	if a.known == nil {
		a.known = map[addressPair]struct{}{}
	}
	a.known[pair] = struct{}{}
	if len(a.order) < maxAliases {
		a.order = append(a.order, pair)
		return
	}
	delete(a.known, a.order[a.next])
	a.order[a.next] = pair
	a.next = (a.next + 1) % maxAliases
}

// has reports whether a pair is remembered.
func (a *aliases) has(pair addressPair) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.known[pair]
	return ok
}
