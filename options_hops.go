package icmplib

import "cmp"

// The defaults of icmplib for the first and the last TTL.
const (
	defaultFirstHop = 1
	defaultMaxHops  = 30
)

// hopRange returns FirstHop and MaxHops as they take effect.
func hopRange(first, last int) (int, int) {
	first = cmp.Or(first, defaultFirstHop)
	return first, cmp.Or(last, max(defaultMaxHops, first))
}

// validateHops refuses a FirstHop and a MaxHops that no packet can have as its
// TTL.
func validateHops(first, last int) error {
	switch {
	case first < 1 || first > maxTTL:
		return &ConfigError{Field: "FirstHop", Value: first, Allowed: "1 to 255, or 0 for the default of 1"}
	case last < first || last > maxTTL:
		return &ConfigError{Field: "MaxHops", Value: last, Allowed: "FirstHop to 255, or 0 for the default of 30"}
	}
	return nil
}
