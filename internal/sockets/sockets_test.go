package sockets

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/socket"
)

func TestASpecOpensTheSocketOfItsProtocol(t *testing.T) {
	opened := 0
	for _, version := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, protocol := range []icmp.Protocol{icmp.ICMP, icmp.UDP, icmp.TCP} {
			s := Spec{Version: version, Protocol: protocol, Mode: socket.Datagram, Broadcast: protocol == icmp.ICMP && version == icmp.V4}
			m, err := s.Open()
			if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			if err != nil {
				t.Errorf("%v %v: %v", version, protocol, err)
				continue
			}
			opened++
			if err := m.Close(); err != nil {
				t.Errorf("%v %v: %v", version, protocol, err)
			}
		}
	}
	if opened == 0 {
		t.Skip("this system opens none of them")
	}
}

func TestASpecThatCannotBeOpenedIsAnError(t *testing.T) {
	elsewhere := netip.MustParseAddr("192.0.2.77") // no address of this host
	for _, protocol := range []icmp.Protocol{icmp.ICMP, icmp.UDP} {
		s := Spec{Version: icmp.V4, Protocol: protocol, Mode: socket.Datagram, Source: elsewhere}
		if m, err := s.Open(); err == nil {
			m.Close()
			t.Errorf("%v: a socket with the address of another host", protocol)
		}
	}
	s := Spec{Version: icmp.V4, Source: elsewhere}
	if c, err := s.OpenQuery(icmp.V4Timestamp); err == nil {
		c.Close()
		t.Error("a query from the address of another host")
	}
}

func TestTheSourceToThisHostIsThisHost(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	if got := SourceTo(loopback); got != loopback {
		t.Errorf("%v, want %v", got, loopback)
	}
	s := Spec{Version: icmp.V4}
	if !s.Routed(loopback) {
		t.Error("there is no route to this host")
	}
}

func TestSourcesAreLookedUpOnce(t *testing.T) {
	looked := 0
	s := Sources{LookUp: func(dst netip.Addr) netip.Addr {
		looked++
		return dst.Next()
	}}
	addr := netip.MustParseAddr("10.0.0.0")
	for range 3 {
		if got := s.Find(addr); got != addr.Next() || looked != 1 {
			t.Fatalf("%v after %d look-ups", got, looked)
		}
	}
	dst := addr
	for range maxSources - 1 {
		dst = dst.Next()
		s.Find(dst)
	}
	if s.Find(addr); looked != maxSources {
		t.Errorf("%d look-ups of %d addresses, for which there is room", looked, maxSources)
	}
	s.Find(dst.Next()) // one more than there is room for
	if s.Find(addr); looked != maxSources+2 || len(s.known) > maxSources {
		t.Errorf("%d look-ups, %d known", looked, len(s.known))
	}
}

func TestAQueryReceivesItsReplyAndErrors(t *testing.T) {
	s := Spec{Version: icmp.V4, ID: 7, Mark: 9, SendTimestamps: true}
	cfg := s.query(icmp.V4Timestamp)
	if cfg.ID != 0 || cfg.SendTimestamps || cfg.Mark != 9 || cfg.Types[0] != icmp.V4TimestampReply {
		t.Errorf("%+v", cfg)
	}
	if len(cfg.Types) < 4 {
		t.Errorf("only %v are received", cfg.Types)
	}
	for _, received := range cfg.Types[1:] {
		if !received.IsError() {
			t.Errorf("%v is received", received)
		}
	}
}

func TestTheMTUOfTheLinkToAnAddress(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	of := func(name string) int {
		s := Spec{Interface: name}
		return s.LinkMTU(loopback)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Skip(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback == 0 {
			continue // others may come and go
		}
		if got := of(i.Name); got != i.MTU {
			t.Errorf("%s has an MTU of %d, want %d", i.Name, got, i.MTU)
		}
		if hosts.LinkMTU(loopback) == i.MTU && of("") != i.MTU {
			t.Errorf("the way to this host has an MTU of %d, want %d", of(""), i.MTU)
		}
	}
	if got := of("no such interface"); got != 0 {
		t.Errorf("an interface that is not there has an MTU of %d", got)
	}
}
