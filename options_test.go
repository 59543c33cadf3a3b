package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A duration without its unit is refused, wherever there is one, before anything is
// sent: 2 is two nanoseconds.
func TestADurationWithoutItsUnitIsRefused(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := t.Context()
	const target = "127.0.0.1"
	seq := func(yield func(string) bool) { yield(target) }
	for _, tt := range []struct {
		name, field string
		call        func() error
	}{
		{"Ping", "Timeout", func() error { _, err := p.Ping(ctx, target, &PingOptions{Timeout: 2}); return err }},
		{"Ping", "Interval", func() error { _, err := p.Ping(ctx, target, &PingOptions{Interval: 2}); return err }},
		{"MultiPing", "Timeout", func() error { _, err := p.MultiPing(ctx, []string{target}, &MultiPingOptions{Timeout: 2}); return err }},
		{"MultiPing", "Interval", func() error { _, err := p.MultiPing(ctx, []string{target}, &MultiPingOptions{Interval: 2}); return err }},
		{"Traceroute", "Timeout", func() error { _, err := p.Traceroute(ctx, target, &TracerouteOptions{Timeout: 2}); return err }},
		{"Traceroute", "Interval", func() error { _, err := p.Traceroute(ctx, target, &TracerouteOptions{Interval: 2}); return err }},
		{"MultiTraceroute", "Interval", func() error {
			for _, err := range p.MultiTracerouteSeq(ctx, seq, &MultiTracerouteOptions{Interval: 2}) {
				return err
			}
			return nil
		}},
		{"Monitor", "Interval", func() error { return firstError(p.Monitor(ctx, target, &MonitorOptions{Interval: 2})) }},
		{"Monitor", "Timeout", func() error { return firstError(p.Monitor(ctx, target, &MonitorOptions{Timeout: 2})) }},
		{"ExplainLoss", "SlowInterval", func() error { _, err := p.ExplainLoss(ctx, target, &ExplainLossOptions{SlowInterval: 2}); return err }},
		{"ExplainLoss", "FastInterval", func() error { _, err := p.ExplainLoss(ctx, target, &ExplainLossOptions{FastInterval: 2}); return err }},
		{"PathMTU", "Interval", func() error { _, err := p.PathMTU(ctx, target, &PathMTUOptions{Interval: 2}); return err }},
		{"Probe", "Timeout", func() error {
			_, err := p.Probe(ctx, netip.MustParseAddr(target), &ProbeOptions{Timeout: 2})
			return err
		}},
	} {
		bad, ok := errors.AsType[*ConfigError](tt.call())
		if !ok || bad.Field != tt.field || !strings.Contains(bad.Allowed, "2*time.Second") {
			t.Errorf("%s with %s 2: %v", tt.name, tt.field, bad)
		}
	}
	if err := validateTimeout(time.Microsecond); err != nil {
		t.Errorf("1 us is refused: %v", err)
	}
}

func firstError(seq func(func(*Snapshot, error) bool)) (first error) {
	seq(func(_ *Snapshot, err error) bool { first = err; return false })
	return first
}

// The error names the option that was set, not one that follows from it.
func TestTheErrorOfAnIntervalNamesTheOneThatWasSet(t *testing.T) {
	_, err := (&ExplainLossOptions{SlowInterval: time.Millisecond}).withDefaults()
	if bad, ok := errors.AsType[*ConfigError](err); !ok || bad.Field != "SlowInterval" {
		t.Errorf("SlowInterval 1 ms: %v", err)
	}
}

// A link-local address is on every link: the error says what to add, unless an
// interface is chosen otherwise.
func TestALinkLocalAddressNeedsItsZone(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = p.Ping(ctx, "fe80::1", nil)
	if bad, ok := errors.AsType[*ConfigError](err); !ok || !strings.Contains(bad.Error(), "fe80::1%") {
		t.Errorf("ping fe80::1: %v", err)
	}
	dst := netip.MustParseAddr("fe80::1")
	loopback, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Skipf("no interface has the index 1: %v", err)
	}
	zoned := netip.MustParseAddr("fe80::2%" + loopback.Name)
	for _, packet := range []Packet{{Interface: loopback.Name}, {Source: zoned}} {
		if _, err := packet.key(&Config{}, dst); err != nil {
			t.Errorf("with %+v: %v", packet, err)
		}
	}
}
