package asn

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers TXT questions on loopback, and is what the resolver asks.
func nameServer(t *testing.T, records map[string]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeNameError, nil
			name := m.Questions[0].Name
			if text, ok := records[name.String()]; ok {
				m.RCode = dnsmessage.RCodeSuccess
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET, TTL: 60},
					Body:   &dnsmessage.TXTResource{TXT: []string{text}},
				}}
			}
			if packed, err := m.Pack(); err == nil {
				conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestNumbersAreAskedByDNS(t *testing.T) {
	resolver := nameServer(t, map[string]string{
		"7.2.0.192.four.example.": "64500 64501 | 192.0.2.0/24 | ZZ | test | 2026-01-01",
		"8.2.0.192.four.example.": "NA | 192.0.2.0/24",
		"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.six.example.": "64502 | 2001:db8::/32 | ZZ",
	})
	lookup := DNS(resolver, Zones{"four.example", "six.example"})
	for addr, want := range map[string]string{"192.0.2.7": "64500", "::ffff:192.0.2.7": "64500", "2001:db8::7": "64502", "192.0.2.8": "", "192.0.2.9": ""} {
		got, err := lookup(t.Context(), addr)
		if strings.Join(got, " ") != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", addr, got, err, want)
		}
	}
	for _, own := range []string{"10.1.2.3", "127.0.0.1", "fe80::1", "fd00::1", "224.0.0.1"} {
		if _, err := DNS(nil, TeamCymru)(t.Context(), own); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s is asked of others: %v", own, err)
		}
	}
	if _, err := lookup(t.Context(), "no address"); err == nil {
		t.Error("what is no address has a number")
	}
}

// The format is https://maxmind.github.io/MaxMind-DB/: a search tree whose records have
// 24 bits, 16 bytes of zeros, the data, and the metadata.

// mmdbValue encodes what a database has of values: texts, numbers and maps.
func mmdbValue(v any) []byte {
	control := func(kind, size int) []byte {
		if kind < 8 && size >= 29 {
			return []byte{byte(kind<<5 | 29), byte(size - 29)}
		}
		if kind < 8 {
			return []byte{byte(kind<<5 | size)}
		}
		return []byte{byte(size), byte(kind - 7)}
	}
	switch v := v.(type) {
	case string:
		return append(control(2, len(v)), v...)
	case uint16:
		return append(control(5, 2), binary.BigEndian.AppendUint16(nil, v)...)
	case uint32:
		return append(control(6, 4), binary.BigEndian.AppendUint32(nil, v)...)
	case uint64:
		return append(control(9, 8), binary.BigEndian.AppendUint64(nil, v)...)
	case []string:
		b := control(11, len(v))
		for _, s := range v {
			b = append(b, mmdbValue(s)...)
		}
		return b
	case map[string]any:
		b := control(7, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b = append(append(b, mmdbValue(key)...), mmdbValue(v[key])...)
		}
		return b
	}
	panic(v)
}

// database writes a database of one prefix of IPv4 addresses.
func database(t *testing.T, prefix string, value map[string]any) string {
	t.Helper()
	p := netip.MustParsePrefix(prefix)
	nodes := p.Bits()
	address := binary.BigEndian.Uint32(p.Addr().AsSlice())
	record := func(b []byte, n int) []byte { return append(b, byte(n>>16), byte(n>>8), byte(n)) }
	var b []byte
	for i := range nodes {
		next := i + 1
		if next == nodes {
			next = nodes + 16 // the first value
		}
		left, right := next, nodes // nodes: nothing
		if address>>(31-i)&1 == 1 {
			left, right = right, left
		}
		b = record(record(b, left), right)
	}
	b = append(b, make([]byte, 16)...)
	b = append(b, mmdbValue(value)...)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	b = append(b, mmdbValue(map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1),
		"database_type": "test", "description": map[string]any{"en": "test"}, "ip_version": uint16(4), "languages": []string{},
		"node_count": uint32(nodes), "record_size": uint16(24),
	})...)
	path := filepath.Join(t.TempDir(), "asn.mmdb")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNumbersAreFoundInADatabase(t *testing.T) {
	for _, value := range []map[string]any{
		{"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Test"},
		{"asn": "AS64500", "name": "Test"},
	} {
		lookup, err := Open(database(t, "192.0.2.0/24", value))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lookup(t.Context(), "192.0.2.7"); err != nil || !slices.Equal(got, []string{"64500"}) {
			t.Errorf("%v: %q, %v", value, got, err)
		}
		if got, err := lookup(t.Context(), "198.51.100.7"); len(got) > 0 || err == nil {
			t.Errorf("an address that is not in it has %q", got)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that there is not is opened")
	}
}
