package transport_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

var versions = []icmp.Version{icmp.V4, icmp.V6}

func loopback(v icmp.Version) netip.Addr {
	if v == icmp.V4 {
		return netip.MustParseAddr("127.0.0.1")
	}
	return netip.IPv6Loopback()
}

// remote is an address that is sent to nowhere in these tests.
func remote(v icmp.Version) netip.Addr {
	if v == icmp.V4 {
		return netip.MustParseAddr("192.0.2.77")
	}
	return netip.MustParseAddr("2001:db8::77")
}

// listen opens a Conn that the end of the test closes.
func listen(t *testing.T, cfg transport.Config) *transport.Conn {
	t.Helper()
	c, err := transport.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// mode is a way to send: with which sockets, and by whom.
type mode struct {
	name         string
	mode         socket.Mode
	unprivileged bool
}

var modes = []mode{
	{"raw", socket.Raw, false},
	{"without raw sockets", socket.Datagram, false},
	{"unprivileged", socket.Datagram, true},
}

// everyMode runs a test in each mode and version, in a namespace of its own.
func everyMode(t *testing.T, modes []mode, test func(t *testing.T, v icmp.Version, m socket.Mode)) {
	for _, v := range versions {
		for _, m := range modes {
			t.Run(v.String()+" "+m.name, func(t *testing.T) {
				netlab.Test(t, netlab.Config{Unprivileged: m.unprivileged}, func(t *testing.T) { test(t, v, m.mode) })
			})
		}
	}
}

// bounded makes what never comes a failure, and not the end of the whole run.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func send(t *testing.T, c *transport.Conn, probes ...transport.Probe) []transport.Probe {
	t.Helper()
	if n, err := c.SendBatch(probes); n != len(probes) || err != nil {
		t.Fatalf("SendBatch = %d, %v", n, err)
	}
	return probes
}

// next receives one arrival. It is valid until the next call.
func next(t *testing.T, c *transport.Conn) *transport.Arrival {
	t.Helper()
	var as [1]transport.Arrival
	if _, err := c.ReceiveBatch(bounded(t), as[:]); err != nil {
		t.Fatal(err)
	}
	return &as[0]
}

// checkTimes holds what every arrival says of its time.
func checkTimes(t *testing.T, p *transport.Probe, a *transport.Arrival) {
	t.Helper()
	if rtt := a.Time.Sub(p.Time); p.Time.IsZero() || rtt <= 0 || rtt > 5*time.Second || a.Queued < 0 {
		t.Errorf("sent at %v, arrived at %v, queued %v", p.Time, a.Time, a.Queued)
	}
}
