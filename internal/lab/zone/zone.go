// Package zone is a DNS server in memory, for tests.
package zone

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is a DNS server without a network: the addresses of each name.
type Zone struct {
	Hosts map[string][]string // by absolute name
	Fails map[string]bool     // names, with their type, that are answered with SERVFAIL

	mu      sync.Mutex
	queries []string
}

// Resolver returns a resolver that asks z, and nobody else.
func (z *Zone) Resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go z.serve(server)
			return client, nil
		},
	}
}

// serve answers the queries of one connection. A stream carries each message
// with its length in front (RFC 1035 section 4.2.2).
func (z *Zone) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer, err := z.answer(query)
		if err != nil {
			return
		}
		binary.BigEndian.PutUint16(length[:], uint16(len(answer)))
		if _, err := conn.Write(append(length[:], answer...)); err != nil {
			return
		}
	}
}

// Queries returns what was asked for, each name with the type.
func (z *Zone) Queries() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.queries)
}

// Set changes the addresses of a name.
func (z *Zone) Set(name string, addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.Hosts[name] = addrs
}

func (z *Zone) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	asked := q.Name.String() + " " + strings.TrimPrefix(q.Type.String(), "Type")
	z.mu.Lock()
	z.queries = append(z.queries, asked)
	addrs, exists := z.Hosts[q.Name.String()]
	z.mu.Unlock()

	m.Header.Response, m.Header.RecursionAvailable, m.Additionals = true, true, nil
	switch {
	case z.Fails[asked]:
		m.Header.RCode = dnsmessage.RCodeServerFailure
	case !exists:
		m.Header.RCode = dnsmessage.RCodeNameError
	}
	for _, s := range addrs {
		addr := netip.MustParseAddr(s)
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return m.Pack()
}
