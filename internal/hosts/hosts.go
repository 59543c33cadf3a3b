// Package hosts finds the addresses that belong to one host: to this host, or to another one
// whose answers have shown it.
package hosts

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Target returns the address to probe for an address from a caller or a resolver. For an
// IPv4-mapped address, it returns the IPv4 address. For the unspecified address, which means
// this host on Linux, it returns the loopback address, from which this host answers.
func Target(addr netip.Addr) netip.Addr {
	switch addr = addr.Unmap(); addr {
	case netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	}
	return addr
}

// Targets returns the targets of addresses, each once, in their order.
func Targets(found []netip.Addr) []netip.Addr {
	targets := make([]netip.Addr, 0, len(found))
	for _, addr := range found {
		if addr = Target(addr); !slices.Contains(targets, addr) {
			targets = append(targets, addr)
		}
	}
	return targets
}

// Chosen returns the targets of addresses to probe: all, or only one, which is the first
// unless another one is in use.
func Chosen(found []netip.Addr, all bool, inUse func(netip.Addr) bool) []netip.Addr {
	targets := Targets(found)
	if all || len(targets) == 0 {
		return targets
	}
	i := max(0, slices.IndexFunc(targets, inUse))
	return targets[i : i+1]
}

// Moved reports whether the address in use, from, is no longer among the addresses of a name.
// It then returns the target of the first address, and otherwise from.
func Moved(addrs []netip.Addr, from netip.Addr) (to netip.Addr, moved bool) {
	if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return Target(a) == from }) {
		return from, false
	}
	return Target(addrs[0]), true
}

// Moves holds the last addresses that a target had before the one in use, each with the
// ordinal of the first probe that went elsewhere.
type Moves []move

type move struct {
	from  netip.Addr
	until int
}

// maxMoves limits Moves: no answers come any more to probes to older addresses.
const maxMoves = 8

// Add notes that probes from the ordinal until on go elsewhere than to from.
func (m *Moves) Add(from netip.Addr, until int) {
	if len(*m) == maxMoves {
		*m = slices.Delete(*m, 0, 1)
	}
	*m = append(*m, move{from, until})
}

// Target returns the address to which the probe with an ordinal was sent; now is the one in
// use.
func (m Moves) Target(ordinal int, now netip.Addr) netip.Addr {
	for _, f := range m {
		if ordinal < f.until {
			return f.from
		}
	}
	return now
}

// Alias is an address that was probed, and another one from which the same host answered.
type Alias struct{ Host, Other netip.Addr }

// Aliases remembers the newest [MaxAliases] aliases. The zero value is ready for use, by any
// number of goroutines.
type Aliases struct {
	mu    sync.Mutex
	known map[Alias]struct{}
	order []Alias // as they were learned; a ring when it is full
	next  int     // the oldest of a full ring
}

// MaxAliases is the largest number of aliases that Aliases remembers.
const MaxAliases = 4096

// Add remembers an alias.
func (a *Aliases) Add(alias Alias) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.known[alias]; ok {
		return
	}
	if a.known == nil {
		a.known = map[Alias]struct{}{}
	}
	a.known[alias] = struct{}{}
	if len(a.order) < MaxAliases {
		a.order = append(a.order, alias)
		return
	}
	delete(a.known, a.order[a.next])
	a.order[a.next] = alias
	a.next = (a.next + 1) % MaxAliases
}

// Has reports whether an alias is remembered.
func (a *Aliases) Has(alias Alias) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.known[alias]
	return ok
}

// Own caches the addresses of this host for a second. The zero value is ready for use, by any
// number of goroutines.
type Own struct {
	mu     sync.Mutex
	known  map[netip.Addr]struct{}
	looked time.Time
}

// ownFor is how long Own keeps the addresses: there may be thousands of errors in a second,
// each of which needs them.
const ownFor = time.Second

// Has reports whether an address is one of this host's.
func (o *Own) Has(addr netip.Addr, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || now.Sub(o.looked) > ownFor {
		o.look()
		o.looked = now
	}
	_, ok := o.known[addr.WithZone("").Unmap()]
	return ok
}

// look looks up the addresses. If that fails, it keeps the known ones.
func (o *Own) look() {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return
	}
	o.known = make(map[netip.Addr]struct{}, len(all))
	for _, a := range all {
		if addr, ok := addrOf(a); ok {
			o.known[addr] = struct{}{}
		}
	}
}

// LinkMTU returns the MTU in bytes of the interface of this host that has an address, or 0 if
// none has it.
func LinkMTU(addr netip.Addr) int {
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		all, _ := i.Addrs()
		for _, a := range all {
			if has, ok := addrOf(a); ok && has == addr.WithZone("").Unmap() {
				return i.MTU
			}
		}
	}
	return 0
}

// addrOf returns the address of an interface as a netip.Addr.
func addrOf(a net.Addr) (netip.Addr, bool) {
	n, ok := a.(*net.IPNet)
	if !ok {
		return netip.Addr{}, false
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	return addr.Unmap(), ok
}
