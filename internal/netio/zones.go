package netio

import (
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Zones translates between the zones of link-local addresses, usually interface names,
// and the interface indices of the kernel. A lookup costs many system calls, so Zones
// keeps the results for a while.
type Zones struct {
	mu      sync.Mutex
	expires time.Time
	names   map[uint32]string
	indices map[string]uint32
}

// zoneLifetime is how long a renamed interface may go unnoticed.
const zoneLifetime = 10 * time.Second

// Join adds the zone of an interface index to addr, if addr is link-local.
func (z *Zones) Join(addr netip.Addr, index uint32) netip.Addr {
	if index == 0 || !addr.Is6() || !addr.IsLinkLocalUnicast() && !addr.IsLinkLocalMulticast() {
		return addr
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.refresh()
	name, ok := z.names[index]
	if !ok {
		name = strconv.FormatUint(uint64(index), 10)
		if ifi, err := net.InterfaceByIndex(int(index)); err == nil {
			name = ifi.Name
		}
		z.names[index] = name
	}
	return addr.WithZone(name)
}

// Index returns the interface index for a zone: a name, or the index itself.
func (z *Zones) Index(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.refresh()
	if index, ok := z.indices[zone]; ok {
		return index, nil
	}
	index, err := lookUpZone(zone)
	if err == nil {
		z.indices[zone] = index
	}
	return index, err
}

func lookUpZone(zone string) (uint32, error) {
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index), nil
	}
	if n, err := strconv.ParseUint(zone, 10, 31); err == nil && n > 0 {
		return uint32(n), nil
	}
	return 0, &icmp.FieldError{Field: "zone", Value: zone, Allowed: "the name or index of an interface of this host"}
}

// Forget drops all results, because an interface may be gone.
func (z *Zones) Forget() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.names = nil
}

func (z *Zones) refresh() {
	if now := time.Now(); z.names == nil || now.After(z.expires) {
		z.names, z.indices = map[uint32]string{}, map[string]uint32{}
		z.expires = now.Add(zoneLifetime)
	}
}
