package main

import (
	"net/netip"
	"testing"
)

func TestTheSharesAreAllAddressesOnceSaveThoseExcluded(t *testing.T) {
	for _, tt := range []struct {
		prefix, excluded string
		shards, want     int
	}{
		{"192.0.2.0/24", "192.0.2.128/25", 1, 128},
		{"192.0.2.0/24", "198.51.100.0/24", 3, 256},
		{"10.0.0.0/16", "10.0.7.0/24", 16, 1<<16 - 256},
		{"192.0.2.7/32", "192.0.2.0/31", 4, 1},
	} {
		t.Run(tt.prefix, func(t *testing.T) {
			prefix, excluded := netip.MustParsePrefix(tt.prefix), netip.MustParsePrefix(tt.excluded)
			seen := map[string]bool{}
			for index := range tt.shards {
				for target := range share(prefix, []netip.Prefix{excluded}, index, tt.shards) {
					addr := netip.MustParseAddr(target)
					if seen[target] || !prefix.Contains(addr) || excluded.Contains(addr) {
						t.Fatalf("%s is not to be pinged, or not again", target)
					}
					seen[target] = true
				}
			}
			if len(seen) != tt.want {
				t.Errorf("%d addresses are pinged, want %d", len(seen), tt.want)
			}
		})
	}
}
