package main

import (
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

func TestItAsks(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: true}, func(t *testing.T) {
		s, err := socket.ListenICMPv4(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, tt := range []struct {
			to       string
			answered bool
		}{
			{"127.0.0.1", true},
			{"192.0.2.1", false}, // to which the namespace has no route
		} {
			err := ask(s, &icmp.Request{Destination: netip.MustParseAddr(tt.to)})
			if answered := err == nil; answered != tt.answered {
				t.Errorf("%s: %v", tt.to, err)
			}
		}
	})
}
