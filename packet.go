package icmplib

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// Packet is the shape of a probe. A zero field takes the value of the Prober's
// [Config], and where that has none, the default.
type Packet struct {
	// Source is the local address to send from, of the target's family.
	Source netip.Addr

	// Interface is the name of the interface to send and receive on.
	Interface string

	// Mark is the routing mark (SO_MARK). Linux only, with CAP_NET_ADMIN or
	// CAP_NET_RAW.
	Mark uint32

	// TTL is the time to live or hop limit, 1 to 255. The default is 64.
	TTL int

	// TrafficClass is the byte of DSCP and ECN (RFC 2474, RFC 3168), 0 to 255.
	TrafficClass int

	// Size is the number of payload bytes, up to 65,507. The default is 56;
	// negative means none. The first 10 make each probe recognisable and keep
	// its checksum constant; with fewer, a reply proves less.
	Size int

	// Payload is sent as it is, in place of Size bytes of the library's own.
	// Replies are compared with it whole.
	Payload []byte

	// Broadcast allows an IPv4 broadcast address as the target, which any host
	// of its network may answer: the first reply settles a probe, those of
	// further hosts are duplicates. Not allowed, such a target fails with
	// [socket.ErrBroadcast].
	Broadcast bool

	// DontFragment keeps the packet from being fragmented, here and on its
	// way: where it is too big, an error comes back instead.
	DontFragment bool
}

// Bounds and defaults of a Packet.
const (
	defaultTTL  = icmp.DefaultTTL
	maxTTL      = 255
	maxClass    = 255
	defaultSize = icmp.DefaultSize
	maxSize     = icmp.MaxSize
)

// validate refuses what cannot be sent to any target.
func (pk *Packet) validate() error {
	switch {
	case pk.TTL < 0 || pk.TTL > maxTTL:
		return &ConfigError{Field: "TTL", Value: pk.TTL, Allowed: "1 to 255, or 0 for the default of 64"}
	case pk.TrafficClass < 0 || pk.TrafficClass > maxClass:
		return &ConfigError{Field: "TrafficClass", Value: pk.TrafficClass, Allowed: "0 to 255"}
	case pk.Size > maxSize:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "up to 65507 bytes, 0 for the default of 56, or negative for none"}
	case len(pk.Payload) > maxSize:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "up to 65507 bytes"}
	}
	return validateInterface("Interface", pk.Interface)
}

// size returns how many bytes of payload to make.
func (pk *Packet) size() int {
	switch {
	case pk.Size < 0:
		return 0
	case pk.Size == 0:
		return defaultSize
	}
	return pk.Size
}

func (pk *Packet) ttl() int {
	if pk.TTL == 0 {
		return defaultTTL
	}
	return pk.TTL
}

// isGroup tells whether dst stands for any number of hosts, each of which
// answers with its own address.
func (pk *Packet) isGroup(dst netip.Addr) bool {
	return dst.IsMulticast() || pk.Broadcast && socket.IsBroadcast(dst)
}

// key returns the socket that a packet to dst needs.
func (pk *Packet) key(cfg *Config, dst netip.Addr) (socketKey, error) {
	key := socketKey{
		version:      icmp.V4,
		source:       cfg.Source4,
		device:       cfg.Interface,
		mark:         cfg.Mark,
		dontFragment: pk.DontFragment,
		broadcast:    pk.Broadcast && dst.Is4(),
	}
	if dst.Is6() {
		key.version, key.source = icmp.V6, cfg.Source6
	}
	if pk.Source.IsValid() {
		if pk.Source.Unmap().Is4() != dst.Is4() {
			return key, &ConfigError{Field: "Source", Value: pk.Source, Allowed: "an address of the family of the target " + dst.String()}
		}
		key.source = pk.Source
	}
	if pk.Interface != "" {
		key.device = pk.Interface
	}
	if pk.Mark != 0 {
		key.mark = pk.Mark
	}
	return key, nil
}
