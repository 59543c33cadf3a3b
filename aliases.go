package icmplib

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// aliases remembers other addresses from which hosts have answered echo requests. They
// belong to those hosts, because such a reply has a nonce that only the host received. It
// remembers the newest maxAliases. The zero value is ready for use.
type aliases struct {
	mu    sync.Mutex
	known map[addressPair]struct{}
	order []addressPair // as they were learned; a ring when it is full
	next  int           // the oldest of a full ring
}

// addressPair is an address that was probed, and another one that answered.
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

// ownAddresses are those of this host, looked up anew when they were asked for and are
// older than ownFor. The zero value is ready for use.
type ownAddresses struct {
	mu     sync.Mutex
	known  map[netip.Addr]struct{}
	looked time.Time
}

// ownFor is how long the addresses are taken to stay: they are asked for with each of
// what may be thousands of errors in a second.
const ownFor = time.Second

// has reports whether an address is one of this host's.
func (o *ownAddresses) has(addr netip.Addr, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || now.Sub(o.looked) > ownFor {
		o.look()
		o.looked = now
	}
	_, ok := o.known[addr.WithZone("").Unmap()]
	return ok
}

// look looks them up. Where the system does not say, what was known stays.
func (o *ownAddresses) look() {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	o.known = make(map[netip.Addr]struct{}, len(all))
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, ok := netip.AddrFromSlice(n.IP); ok {
			o.known[addr.Unmap()] = struct{}{}
		}
	}
}

// isOwnError reports whether this host itself refuses a probe to another one: the ICMP
// error is from one of its own addresses. None of its time exceeded is, for what a host
// sends it does not forward.
func (p *Prober) isOwnError(r *Result) bool {
	switch r.Status {
	case StatusUnreachable, StatusRefused, StatusPacketTooBig, StatusParameterProblem:
	default:
		return false
	}
	if r.Type == 0 || p.other != nil { // what stands in for the system is another host
		return false
	}
	now := time.Now()
	return p.own.has(r.Responder, now) && !p.own.has(r.Dst, now)
}
