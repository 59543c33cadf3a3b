package icmplib

import (
	"fmt"
	"net/netip"
	"time"
)

// The defaults of icmplib.
const (
	defaultPingCount    = 4
	defaultPingInterval = time.Second
	defaultTimeout      = 2 * time.Second
)

// maxTimeout keeps deadlines within what a probe's identity lasts for.
const maxTimeout = time.Hour

// minDuration is the least that a duration can mean: what is less was a number
// without a unit.
const minDuration = time.Microsecond

// validateUnit refuses a duration that lacks its unit: 2 is 2 ns.
func validateUnit(field string, d time.Duration) error {
	if d <= 0 || d >= minDuration {
		return nil
	}
	return &ConfigError{Field: field, Value: d, Allowed: fmt.Sprintf("1µs or more: a number alone is nanoseconds, so write %d*time.Second or %[1]d*time.Millisecond", int64(d))}
}

// validateTimeout refuses a timeout that no deadline can be made of.
func validateTimeout(d time.Duration) error {
	if d < 0 || d > maxTimeout {
		return &ConfigError{Field: "Timeout", Value: d, Allowed: "up to 1h, or 0 for the default of 2s"}
	}
	return validateUnit("Timeout", d)
}

// validateProbing refuses what no kind of probing takes.
func validateProbing(timeout time.Duration, family Family, packet *Packet) error {
	if err := validateTimeout(timeout); err != nil {
		return err
	}
	if err := validateFamily(family); err != nil {
		return err
	}
	return packet.validate()
}

func validateFamily(f Family) error {
	switch f {
	case AnyFamily, IPv4, IPv6:
		return nil
	}
	return &ConfigError{Field: "Family", Value: f, Allowed: "AnyFamily, IPv4 or IPv6"}
}

// orDefault returns d, or the default where d is 0, or none where it is negative.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
}

// thisHost replaces the unspecified address, which Linux takes for this host,
// with the address under which this host answers.
func thisHost(addr netip.Addr) netip.Addr {
	switch addr {
	case netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	}
	return addr
}
