package main

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

func listen(t *testing.T) socket.Conn {
	s, err := socket.Listen(icmp.V4, &socket.Config{Types: []icmp.Type{greeting}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAGreetingIsAnswered(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		server, client := listen(t), listen(t)
		go func() { ended <- serve(ctx, server) }()
		answer, err := hello(t.Context(), client, netip.MustParseAddr("127.0.0.1"), "world")
		if err != nil || answer != "hello, world" {
			t.Errorf("%q, %v", answer, err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
