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

type routeKey struct {
	to   netip.Addr
	zone uint32
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

// source returns the address that packets to a destination come from.
func (r *routes) source(to netip.Addr, zone uint32) (netip.Addr, error) {
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
	key := routeKey{to, zone}
	if source, ok := r.known[key]; ok {
		return source, nil
	}
	source, err := r.sock.Source(to, zone)
	if err == nil {
		r.known[key] = source
	}
	return source, err
}

// changed asks again after a send that failed, and tells whether the answer is
// another one: the send is then worth another try.
func (r *routes) changed(to netip.Addr, zone uint32) bool {
	key := routeKey{to, zone}
	old, ok := r.known[key]
	if !ok {
		return false
	}
	delete(r.known, key)
	source, err := r.source(to, zone)
	return err == nil && source != old
}

func (r *routes) close() {
	if r.sock != nil {
		_ = r.sock.Close()
	}
}
