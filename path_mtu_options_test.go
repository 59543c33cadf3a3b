package icmplib

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

func TestPathMTURefusesOptions(t *testing.T) {
	for _, tc := range []struct {
		field  string
		target string
		opts   PathMTUOptions
	}{
		{"Count", "10.0.9.9", PathMTUOptions{Count: -1}},
		{"Count", "10.0.9.9", PathMTUOptions{Count: 101}},
		{"MaxHops", "10.0.9.9", PathMTUOptions{MaxHops: 256}},
		{"MaxMTU", "10.0.9.9", PathMTUOptions{MaxMTU: 67}},
		{"MaxMTU", "10.0.9.9", PathMTUOptions{MaxMTU: 65536}},
		{"MaxMTU", "2001:db8:9::9", PathMTUOptions{MaxMTU: 1279}},
		{"Timeout", "10.0.9.9", PathMTUOptions{Timeout: -1}},
		{"Family", "10.0.9.9", PathMTUOptions{Family: 99}},
		{"Protocol", "10.0.9.9", PathMTUOptions{Packet: Packet{Protocol: TCP}}},
		{"Protocol", "10.0.9.9", PathMTUOptions{Packet: Packet{Protocol: SCTP}}},
		{"TTL", "10.0.9.9", PathMTUOptions{Packet: Packet{TTL: 3}}},
		{"Size", "10.0.9.9", PathMTUOptions{Packet: Packet{Size: 100}}},
		{"Service", "10.0.9.9", PathMTUOptions{Packet: Packet{Protocol: UDP, Service: QUIC}}},
		{"Payload", "10.0.9.9", PathMTUOptions{Packet: Packet{Payload: []byte{}}}},
		{"Port", "10.0.9.9", PathMTUOptions{Packet: Packet{Port: 53}}},
	} {
		t.Run(tc.field, func(t *testing.T) {
			n := netsim.MustParse(forked)
			p := simProber(t, n, true)
			defer p.Close()
			m, err := p.PathMTU(t.Context(), tc.target, &tc.opts)
			if refused, ok := errors.AsType[*ConfigError](err); !ok || refused.Field != tc.field || m != nil {
				t.Errorf("%v, %v", m, err)
			}
			if len(n.Log()) > 0 {
				t.Error("something was sent")
			}
		})
	}
}

// What is known when the context ends is handed out with its cause.
func TestPathMTUCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(`
			client 192.0.2.1
			node r1 10.0.1.1 delay=5ms mtu=1400 black-hole
			node t 10.0.9.9 delay=10ms
			path 10.0.9.0/24 r1 t`), true)
		defer p.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		m, err := p.PathMTU(ctx, "10.0.9.9", &PathMTUOptions{MaxMTU: 1500})
		if !errors.Is(err, context.DeadlineExceeded) || m == nil || !m.Reached || len(m.Hops) != 2 || m.Exact {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

func TestMTUSourceIsAWord(t *testing.T) {
	for s := range MTUMeasured + 1 {
		word, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back MTUSource
		if err := back.UnmarshalText(word); err != nil || back != s || string(word) != s.String() {
			t.Errorf("%q is %v, %v", word, back, err)
		}
	}
	var s MTUSource
	if s.UnmarshalText([]byte("guessed")) == nil || MTUSource(9).String() != "unknown" {
		t.Error("an unknown word or number is one of them")
	}
}
