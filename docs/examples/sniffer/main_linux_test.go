package main

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// lines ends the sniffing when so many lines are written.
type lines struct {
	bytes.Buffer
	left int
	end  func()
}

func (l *lines) Write(b []byte) (int, error) {
	if l.left -= bytes.Count(b, []byte("\n")); l.left <= 0 {
		l.end()
	}
	return l.Buffer.Write(b)
}

func TestItPrintsWhatItSees(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		s, err := socket.Listen(icmp.V4, &socket.Config{Types: icmp.AllTypes(icmp.V4)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pinger, err := socket.Listen(icmp.V4, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer pinger.Close()
		if err := pinger.Send(t.Context(), &icmp.Request{Destination: netip.MustParseAddr("127.0.0.1")}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		out := &lines{left: 2, end: cancel}
		if err := sniff(ctx, s, out); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		const want = "127.0.0.1 to 127.0.0.1: Echo, 64 bytes, TTL 64\n127.0.0.1 to 127.0.0.1: Echo Reply, 64 bytes, TTL 64\n"
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}
