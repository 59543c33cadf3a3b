package main

import (
	"net/netip"

	"github.com/goicmp/icmplib/socket"
)

// kind is a kind of socket.
type kind struct{ ipv6, raw bool }

var kinds = []kind{{false, true}, {false, false}, {true, true}, {true, false}}

func (k kind) String() string {
	family := "IPv4"
	if k.ipv6 {
		family = "IPv6"
	}
	return family + " " + k.mode().String()
}

// digit is the version of IP.
func (k kind) digit() string {
	if k.ipv6 {
		return "6"
	}
	return "4"
}

func (k kind) mode() socket.Mode {
	if k.raw {
		return socket.Raw
	}
	return socket.Datagram
}

// addr returns the i-th address that answers.
func (k kind) addr(i int) netip.Addr {
	if k.ipv6 {
		return host(local6, i+1) // the first is that of the subnet's routers
	}
	return host(local4, i+1)
}

// targets are hosts in the forms that are wanted.
type targets struct {
	addrs []netip.Addr
	names []string
}

func (k kind) targets(n int) (t targets) {
	for i := range n {
		t.addrs = append(t.addrs, k.addr(i))
		t.names = append(t.names, k.addr(i).String())
	}
	return t
}
