package policy

import "net/netip"

// The kinds of addresses that are nobody's on the public Internet.
const (
	kindPrivate  = "private"
	kindMetadata = "a cloud's metadata service"
)

// special are the blocks that are refused unless they are listed: those of the registries
// of RFC 6890 that are not globally reachable, multicast, and where clouds serve secrets.
// The most specific block that holds an address counts.
var special = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), kindMetadata},
	{netip.MustParsePrefix("169.254.170.2/32"), kindMetadata},
	{netip.MustParsePrefix("169.254.170.23/32"), kindMetadata},
	{netip.MustParsePrefix("100.100.100.200/32"), kindMetadata},
	{netip.MustParsePrefix("168.63.129.16/32"), kindMetadata},
	{netip.MustParsePrefix("192.0.0.192/32"), kindMetadata},
	{netip.MustParsePrefix("fd00:ec2::254/128"), kindMetadata},
	{netip.MustParsePrefix("fd00:ec2::23/128"), kindMetadata},
	{netip.MustParsePrefix("fd20:ce::254/128"), kindMetadata},
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), kindPrivate},
	{netip.MustParsePrefix("100.64.0.0/10"), kindPrivate},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), kindPrivate},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved (RFC 6890)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved (RFC 7526)"},
	{netip.MustParsePrefix("192.168.0.0/16"), kindPrivate},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks (RFC 2544)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), kindPrivate},
	{netip.MustParsePrefix("100::/64"), "discarded (RFC 6666)"},
	{netip.MustParsePrefix("2001::/23"), "reserved (RFC 2928)"},
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation"},
	{netip.MustParsePrefix("5f00::/16"), "for segment routing (RFC 9602)"},
	{netip.MustParsePrefix("fc00::/7"), kindPrivate},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), kindPrivate},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// Special returns the block that makes an address a special one, and its kind in words;
// "" for an address of the public Internet.
func Special(addr netip.Addr) (block netip.Prefix, kind string) {
	addr = addr.Unmap().WithZone("")
	for _, s := range special {
		if s.prefix.Contains(addr) && (kind == "" || s.prefix.Bits() > block.Bits()) {
			block, kind = s.prefix, s.kind
		}
	}
	return block, kind
}

var (
	compatible = netip.MustParsePrefix("::/96")           // RFC 4291 section 2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765 section 2.1
	nat64      = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052 section 2.1
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056 section 2
)

// embedded returns an address and the IPv4 address in it to which translators and tunnels
// send what is for it: one that may not be probed is not to be reached by another name.
func embedded(addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	all := []netip.Addr{addr}
	if addr.Is4() {
		return all
	}
	b := addr.As16()
	switch {
	case addr == netip.IPv6Unspecified() || addr == netip.IPv6LinkLocalAllNodes() || addr == netip.IPv6Loopback():
	case compatible.Contains(addr), translated.Contains(addr), nat64.Contains(addr):
		all = append(all, netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(addr):
		all = append(all, netip.AddrFrom4([4]byte(b[2:6])))
	}
	return all
}
