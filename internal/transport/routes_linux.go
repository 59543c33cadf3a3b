package transport

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// routes knows from which address the kernel would send to a destination, which
// the checksums of UDP and TCP cover. It asks the kernel and keeps the answer
// for a while. It is used by one goroutine at a time.
type routes struct {
	cfg    *linkConfig
	sock   *sys.Socket // only ever asked
	known  map[routeKey]netip.Addr
	expire time.Time
}

// routeKey is what routes are chosen by, of what differs between the probes of a Conn.
type routeKey struct {
	to    netip.Addr
	zone  uint32
	port  uint16 // 0 with raw sockets, as the kernel does not look at it there
	class int
}

func keyOf(out *sys.Outbound) routeKey {
	return routeKey{out.To, out.Zone, out.Port, max(out.TrafficClass, 0)}
}

const (
	// routeLifetime bounds for how long a change of routes goes unnoticed, as
	// long as the old address is still ours.
	routeLifetime = 10 * time.Second
	maxRoutes     = 1 << 14
)

func (r *routes) open(cfg *linkConfig) (err error) {
	r.cfg = cfg
	if cfg.Source.IsValid() {
		return nil
	}
	if r.sock, err = sys.OpenIdle(cfg.ipv6(), uint8(icmp.UDP)); err != nil {
		return err
	}
	return cfg.route(r.sock)
}

// source returns the address that a packet is sent from.
func (r *routes) source(out *sys.Outbound) (netip.Addr, error) {
	if r.sock == nil {
		return r.cfg.local(), nil
	}
	if now := time.Now(); r.known == nil || len(r.known) >= maxRoutes || now.After(r.expire) {
		if r.known == nil {
			r.known = map[routeKey]netip.Addr{}
		}
		clear(r.known)
		r.expire = now.Add(routeLifetime)
	}
	key := keyOf(out)
	if source, ok := r.known[key]; ok {
		return source, nil
	}
	source, err := r.sock.Source(out)
	if err == nil {
		r.known[key] = source
	}
	return source, err
}

// changed asks again after a send that failed, and tells whether the answer is
// another one: the send is then worth another try.
func (r *routes) changed(out *sys.Outbound) bool {
	key := keyOf(out)
	old, ok := r.known[key]
	if !ok {
		return false
	}
	delete(r.known, key)
	source, err := r.source(out)
	return err == nil && source != old
}

func (r *routes) close() {
	if r.sock != nil {
		_ = r.sock.Close()
	}
}
