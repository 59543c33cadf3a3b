package icmplib

import (
	"cmp"
	"net/netip"
	"time"
)

// PathMTUOptions says how to find the MTU of a path. Nil and the zero value mean
// all defaults.
type PathMTUOptions struct {
	// Count is how often a packet is sent before its silence is looked into, 1
	// to 100. The default is 3. A size is taken for one that does not pass only
	// when small packets are answered so well meanwhile that chance is ruled
	// out, whatever Count is.
	Count int

	// Interval is the time from one packet to the next. The default is 100 ms; a
	// negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// MaxHops is the distance that is not gone beyond, 1 to 255. The default is
	// 30.
	MaxHops int

	// MaxMTU is the largest packet that is tried, in bytes. The default is what
	// this system can send to the target in one piece, 65,535 at the most.
	MaxMTU int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the probes: Protocol is [ICMP] or [UDP]. Size,
	// Payload and TTL have to be zero, for the probes differ in them.
	// DontFragment is always set.
	Packet Packet
}

// The least MTUs that every link has (RFC 791 section 3.2, RFC 8200 section 5),
// and the largest packet.
const (
	leastMTU4 = 68
	leastMTU6 = 1280
	maxMTU    = 65535
)

const (
	defaultPathMTUCount    = 3
	defaultPathMTUInterval = 100 * time.Millisecond
	maxPathMTUCount        = 100
)

// leastMTU returns the size that every link to an address takes.
func leastMTU(dst netip.Addr) int {
	if dst.Is6() {
		return leastMTU6
	}
	return leastMTU4
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *PathMTUOptions) withDefaults() (PathMTUOptions, error) {
	var opts PathMTUOptions
	if o != nil {
		opts = *o
	}
	opts.Count = cmp.Or(opts.Count, defaultPathMTUCount)
	opts.MaxHops = cmp.Or(opts.MaxHops, defaultMaxHops)
	opts.MaxMTU = cmp.Or(opts.MaxMTU, maxMTU)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultPathMTUInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	opts.Packet.DontFragment = true
	return opts, nil
}

func (o *PathMTUOptions) validate() error {
	pk := &o.Packet
	switch {
	case o.Count < 1 || o.Count > maxPathMTUCount:
		return &ConfigError{Field: "Count", Value: o.Count, Allowed: "1 to 100, or 0 for the default of 3"}
	case o.MaxHops < 1 || o.MaxHops > maxTTL:
		return &ConfigError{Field: "MaxHops", Value: o.MaxHops, Allowed: "1 to 255, or 0 for the default of 30"}
	case o.MaxMTU < leastMTU4 || o.MaxMTU > maxMTU:
		return &ConfigError{Field: "MaxMTU", Value: o.MaxMTU, Allowed: "68 to 65535 bytes (1280 at the least with IPv6), or 0 for the largest there is"}
	case pk.Protocol == TCP || pk.Protocol == SCTP:
		return &ConfigError{Field: "Protocol", Value: pk.Protocol, Allowed: "ICMP or UDP: probes of TCP and SCTP carry no data, so their size cannot be chosen"}
	case pk.TTL != 0:
		return &ConfigError{Field: "TTL", Value: pk.TTL, Allowed: "0: it is set as is needed"}
	case pk.Size != 0:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "0: it is what is tried; see MaxMTU"}
	case pk.Payload != nil:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "none: its size is what is tried"}
	}
	return cmp.Or(validateUnit("Interval", o.Interval), validateProbing(o.Timeout, o.Family, pk))
}

// validateFor refuses what cannot be sent to a target.
func (o *PathMTUOptions) validateFor(dst netip.Addr) error {
	if least := leastMTU(dst); o.MaxMTU < least {
		return &ConfigError{Field: "MaxMTU", Value: o.MaxMTU, Allowed: "at least 1280 for the target " + dst.String() + ": each link of IPv6 takes that"}
	}
	return nil
}
