// Package asn finds the number of the autonomous system that originates an address: in
// a database in MaxMind's format, or by DNS in the form of Team Cymru.
package asn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// ErrUnknown is why there is no number: nobody announces the address, or nobody knows.
var ErrUnknown = errors.New("no autonomous system is known")

// Zones are where DNS has the numbers, of both families.
type Zones struct{ V4, V6 string }

// TeamCymru are the zones of Team Cymru's service.
var TeamCymru = Zones{"origin.asn.cymru.com", "origin6.asn.cymru.com"}

// DNS returns a lookup of the number of an address, such as "64500", by TXT records.
// Addresses that no network announces are asked of nobody.
func DNS(resolver *net.Resolver, zones Zones) func(ctx context.Context, addr string) ([]string, error) {
	return func(ctx context.Context, text string) ([]string, error) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		if addr = addr.Unmap(); !announced(addr) {
			return nil, ErrUnknown
		}
		records, err := resolver.LookupTXT(ctx, question(addr, zones))
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			// 64500 64501 | 192.0.2.0/24 | ZZ | registry | date
			origins, _, _ := strings.Cut(record, "|")
			for origin := range strings.FieldsSeq(origins) {
				if _, err := strconv.ParseUint(origin, 10, 32); err == nil {
					return []string{origin}, nil
				}
			}
		}
		return nil, ErrUnknown
	}
}

// announced reports whether an address may be of a network that others know.
func announced(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// question is the name under which the number stands: the bytes or nibbles of the
// address, the last one first.
func question(addr netip.Addr, zones Zones) string {
	var b strings.Builder
	if addr.Is4() {
		a := addr.As4()
		for i := range a {
			fmt.Fprintf(&b, "%d.", a[len(a)-1-i])
		}
		return b.String() + zones.V4 + "."
	}
	a := addr.As16()
	for i := range a {
		octet := a[len(a)-1-i]
		fmt.Fprintf(&b, "%x.%x.", octet&0xf, octet>>4)
	}
	return b.String() + zones.V6 + "."
}

// record is what databases have, each under one of the names.
type record struct {
	Number uint   `maxminddb:"autonomous_system_number"`
	Text   string `maxminddb:"asn"` // with AS before it
}

// Open returns a lookup in a database. It stays open until the program ends.
func Open(path string) (func(ctx context.Context, addr string) ([]string, error), error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, text string) ([]string, error) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return nil, err
		}
		var r record
		if err := db.Lookup(addr.Unmap()).Decode(&r); err != nil {
			return nil, err
		}
		if r.Number > 0 {
			return []string{strconv.FormatUint(uint64(r.Number), 10)}, nil
		}
		if number := strings.TrimPrefix(r.Text, "AS"); number != "" {
			return []string{number}, nil
		}
		return nil, ErrUnknown
	}, nil
}
