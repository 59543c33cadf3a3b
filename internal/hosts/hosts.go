// Package hosts knows which addresses belong to one host: to this one, or to another that
// has shown it.
package hosts

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Target returns the address to probe for an address as a caller or a resolver gave it: an
// IPv4-mapped address is its IPv4 address, and the unspecified address, which Linux takes
// for this host, is the loopback address, from which this host answers.
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

// Chosen returns which targets of addresses are to be probed: all, or only one, which is the
// first unless another is in use.
func Chosen(found []netip.Addr, all bool, inUse func(netip.Addr) bool) []netip.Addr {
	targets := Targets(found)
	if all || len(targets) == 0 {
		return targets
	}
	i := max(0, slices.IndexFunc(targets, inUse))
	return targets[i : i+1]
}

// Moved returns the target of the first of the addresses that a name has, and reports
// whether the one in use is not among them.
func Moved(addrs []netip.Addr, from netip.Addr) (to netip.Addr, moved bool) {
	if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return Target(a) == from }) {
		return from, false
	}
	return Target(addrs[0]), true
}

// Moves is the last addresses that a target had before the one in use, and until which of
// its probes.
type Moves []move

type move struct {
	from  netip.Addr
	until int
}

// maxMoves limits Moves: probes to addresses before those are not answered any more.
const maxMoves = 8

// Add notes that probes from an ordinal on go elsewhere.
func (m *Moves) Add(from netip.Addr, until int) {
	if len(*m) == maxMoves {
		*m = slices.Delete(*m, 0, 1)
	}
	*m = append(*m, move{from, until})
}

// Target returns the address that the probe with an ordinal was sent to; now is the one in
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

// Aliases remembers the newest [MaxAliases] that it was told of. The zero value is ready
// for use, by any number of goroutines.
type Aliases struct {
	mu    sync.Mutex
	known map[Alias]struct{}
	order []Alias // as they were learned; a ring when it is full
	next  int     // the oldest of a full ring
}

// MaxAliases is how many aliases are remembered.
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

// Own has the addresses of this host, looked up anew when they are asked for and are older
// than a second. The zero value is ready for use, by any number of goroutines.
type Own struct {
	mu     sync.Mutex
	known  map[netip.Addr]struct{}
	looked time.Time
}

// ownFor is how long the addresses are taken to stay: they are asked for with each of
// what may be thousands of errors in a second.
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

// look looks them up. Where the system does not say, what was known stays.
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

// LinkMTU returns the MTU of the interface of this host that has an address, or 0 if none
// has it.
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
