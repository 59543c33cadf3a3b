package icmplib

import (
	"errors"
	"fmt"

	"github.com/goicmp/icmplib/socket"
)

// Capability is one way of sending probes, and whether this process has it.
type Capability struct {
	Protocol Protocol    // what the probes are made of
	Family   Family      // IPv4 or IPv6
	Mode     socket.Mode // Datagram takes no privilege, Raw does

	// Err is what stands in the way, and says how to remove it; nil if nothing
	// does.
	Err error
}

// Capabilities is what this process may do now.
type Capabilities struct {
	// Sockets has an entry for each protocol, family and kind of socket.
	Sockets []Capability

	// Mark is what stands in the way of a routing mark (Config.Mark); nil if
	// nothing does.
	Mark error
}

// Can returns nil if probes of a protocol and family can be sent by any kind of
// socket, else what stands in the way of the kind that takes least. For
// [AnyFamily] one of the two is enough. Of what is not among Sockets it says
// [errors.ErrUnsupported].
func (c Capabilities) Can(p Protocol, f Family) error {
	var first error
	for _, s := range c.Sockets {
		if s.Protocol != p || f != AnyFamily && s.Family != f {
			continue
		}
		if s.Err == nil {
			return nil
		}
		if first == nil {
			first = s.Err
		}
	}
	if first == nil {
		return fmt.Errorf("%v over %v: %w", p, f, errors.ErrUnsupported)
	}
	return first
}

// Capabilities finds out what this process may do, by opening a socket of each
// kind and closing it. Nothing is sent. It goes by the Prober's source
// addresses and interface, and not by its Mode.
func (p *Prober) Capabilities() Capabilities {
	var c Capabilities
	for _, protocol := range []Protocol{ICMP, UDP, TCP, SCTP} {
		for _, family := range []Family{IPv4, IPv6} {
			for _, mode := range []socket.Mode{socket.Datagram, socket.Raw} {
				c.Sockets = append(c.Sockets, Capability{protocol, family, mode, p.try(protocol, family, mode, 0)})
			}
		}
	}
	c.Mark = p.tryMark()
	return c
}

// try opens sockets and closes them.
func (p *Prober) try(protocol Protocol, family Family, mode socket.Mode, mark uint32) error {
	alone := Prober{cfg: p.cfg, other: p.other}
	alone.cfg.Mode, alone.cfg.Mark = mode, mark
	key, err := (&Packet{Protocol: protocol}).key(&alone.cfg, loopback(family))
	if err != nil {
		return err
	}
	medium, err := alone.listenSocket(key)
	if err != nil {
		return err
	}
	return medium.Close()
}

// tryMark tries a mark on the sockets that can be had.
func (p *Prober) tryMark() error {
	const anyMark = 1
	err := p.try(ICMP, IPv4, socket.Auto, anyMark)
	if err == nil || p.try(ICMP, IPv4, socket.Auto, 0) == nil {
		return err
	}
	return p.try(UDP, IPv4, socket.Datagram, anyMark)
}
