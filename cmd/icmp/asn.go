package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/asn"
)

// asnFlags are where the numbers of autonomous systems come from.
type asnFlags struct {
	asn    string
	lookup bool // the same as --asn dns
	db     string
}

func (f *asnFlags) register(flags *pflag.FlagSet, l letters) {
	flags.StringVar(&f.asn, "asn", "none", "look up AS numbers: none, or dns, which sends the routers' addresses to Team Cymru")
	flags.BoolVarP(&f.lookup, "as-lookup", l["as-lookup"], false, "same as --asn dns, or use the file of --asn-db if given")
	flags.StringVar(&f.db, "asn-db", "", "take AS numbers from a MaxMind file (GeoLite2-ASN.mmdb); sends nothing")
}

// names returns the cache of the numbers, nil if none are wanted. They are looked up
// while other things happen, and nobody waits for them for long.
func (f *asnFlags) cache() (*nameCache, error) {
	c := newNameCache()
	switch {
	case f.asn != "none" && f.asn != "dns":
		return nil, refuse("asn", fmt.Sprintf("%q", f.asn), "none or dns")
	case f.asn == "dns" && f.db != "":
		return nil, errors.New("--asn dns and --asn-db exclude each other: one of them is allowed")
	case f.db != "":
		lookup, err := asn.Open(f.db)
		if err != nil {
			return nil, fmt.Errorf("--asn-db %q: %w: a file in MaxMind's format is allowed", f.db, err)
		}
		c.lookup = lookup
	case f.asn == "dns" || f.lookup:
		c.lookup = asn.DNS(net.DefaultResolver, asn.TeamCymru)
	default:
		return nil, nil
	}
	return c, nil
}

// ask has the number of an address looked up. It may be nil, as may all that is asked.
func (c *nameCache) askIfAny(addr netip.Addr) {
	if c != nil && addr.IsValid() {
		c.ask(addr)
	}
}

// asnMark is the number of who answers, as text has it; "" if none is known.
func asnMark(number string) string {
	if number == "" {
		return ""
	}
	return " [AS" + number + "]"
}

// asnObject is the number of an address in JSON.
type asnObject struct {
	Address string `json:"address"`
	ASN     string `json:"asn"`
}

// asnField returns the numbers of all who answer on a route, for JSON.
func asnField(numbers *nameCache, r *icmplib.Route) []jsonField {
	if numbers == nil {
		return nil
	}
	all, seen := []asnObject{}, map[netip.Addr]bool{}
	eachResponder(r, func(addr netip.Addr) { numbers.ask(addr) })
	eachResponder(r, func(addr netip.Addr) {
		if number := numbers.await(addr); number != "" && !seen[addr] {
			seen[addr] = true
			all = append(all, asnObject{addr.String(), number})
		}
	})
	return []jsonField{{"as_numbers", all}}
}

func eachResponder(r *icmplib.Route, f func(addr netip.Addr)) {
	for i := range r.Hops {
		for j := range r.Hops[i].Responders {
			if addr := r.Hops[i].Responders[j].Address; addr.IsValid() {
				f(addr)
			}
		}
	}
}
