package icmplib_test

import (
	"errors"
	"os"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

func TestCapabilitiesAreWhatTheSystemAllows(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      netlab.Config
		raw      bool
		datagram bool
	}{
		{"all privileges, datagram sockets open", netlab.Config{PingGroups: true}, true, true},
		{"all privileges, datagram sockets closed", netlab.Config{}, true, false},
		{"no privileges, datagram sockets open", netlab.Config{Unprivileged: true, PingGroups: true}, false, true},
		{"no privileges, datagram sockets closed", netlab.Config{Unprivileged: true}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.cfg, func(t *testing.T) {
				p, err := icmplib.NewProber(nil)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				c := p.Capabilities()
				for _, s := range c.Sockets {
					want := tt.raw
					if s.Mode == socket.Datagram {
						want = s.Protocol != icmplib.SCTP && (s.Protocol != icmplib.ICMP || tt.datagram)
					}
					if (s.Err == nil) != want {
						t.Errorf("%v %v %v: %v, want it to be possible: %v", s.Protocol, s.Family, s.Mode, s.Err, want)
					}
				}
				if (c.Mark == nil) != tt.raw || c.Mark != nil && !errors.Is(c.Mark, os.ErrPermission) {
					t.Errorf("a mark: %v", c.Mark)
				}
				if err := c.Can(icmplib.TCP, icmplib.IPv6); err != nil {
					t.Errorf("TCP over IPv6: %v", err)
				}
			})
		})
	}
}

func TestWhatIsUnknownCannotBeDone(t *testing.T) {
	var none icmplib.Capabilities
	works := icmplib.Capabilities{Sockets: []icmplib.Capability{
		{Protocol: icmplib.UDP, Family: icmplib.IPv4, Err: os.ErrPermission},
		{Protocol: icmplib.UDP, Family: icmplib.IPv6},
	}}
	for _, tt := range []struct {
		name string
		c    icmplib.Capabilities
		p    icmplib.Protocol
		f    icmplib.Family
		want error
	}{
		{"nothing was found out", none, icmplib.ICMP, icmplib.IPv4, errors.ErrUnsupported},
		{"a protocol that there is not", works, icmplib.Protocol(99), icmplib.IPv4, errors.ErrUnsupported},
		{"one family that is denied", works, icmplib.UDP, icmplib.IPv4, os.ErrPermission},
		{"either family", works, icmplib.UDP, icmplib.AnyFamily, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.c.Can(tt.p, tt.f); !errors.Is(err, tt.want) {
				t.Errorf("Can = %v, want %v", err, tt.want)
			}
		})
	}
}
