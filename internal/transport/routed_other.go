//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// Routed reports whether this host has a route to an address, with the source of cfg. It
// connects a UDP socket (connect(2)), and sends nothing. If it cannot find out, it reports
// true.
func Routed(cfg Config, to netip.Addr) bool {
	var dialer net.Dialer
	if cfg.Source.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Source, 0))
	}
	conn, err := dialer.Dial("udp", netip.AddrPortFrom(to, 9).String())
	if err != nil {
		return !noRoute(err)
	}
	_ = conn.Close()
	return true
}
