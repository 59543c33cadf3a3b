package transport

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// routes finds the address from which the kernel would send to a destination, which the
// checksums of UDP and TCP cover. It asks the kernel and keeps the answer for a while. One
// goroutine at a time may use it.
type routes struct {
	cfg    *linkConfig
	sock   *sys.Socket // never sends
	known  map[routeKey]netip.Addr
	expire time.Time
}

// routeKey is the fields of a Conn's probes that choose a route and may differ.
type routeKey struct {
	to    netip.Addr
	zone  uint32
	port  uint16 // 0 with raw sockets, because the kernel ignores it there
	class int
}

func keyOf(out *sys.Outbound) routeKey {
	return routeKey{out.To, out.Zone, out.Port, max(out.TrafficClass, 0)}
}

const (
	// routeLifetime is how long a change of routes may go unnoticed while the old
	// address is still ours.
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

// source returns the source address of a packet.
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

// changed asks again after a failed send, and reports whether the answer has changed: the
// caller should then try again.
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
