package netio

import (
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Zones translates between the zones of link-local addresses, which people
// write as interface names, and the interface indices of the kernel. Looking an
// interface up costs many system calls, so what was found is kept for a while.
type Zones struct {
	mu      sync.Mutex
	expires time.Time
	names   map[uint32]string
	indices map[string]uint32
}

// zoneLifetime bounds for how long a renamed interface goes unnoticed.
const zoneLifetime = 10 * time.Second

// Join gives addr the zone of the interface index, where it is one that needs it.
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

// Forget has everything looked up anew: an interface may have gone.
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
