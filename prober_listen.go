package icmplib

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/standin"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func init() {
	standin.Put = func(prober any, n standin.Network) {
		p := prober.(*Prober)
		p.other = n
		p.sum = 0 // the same flows, and so the same ways, each time
	}
}

// listenSocket opens the sockets for a key: those of the system, or of what
// stands in for it.
func (p *Prober) listenSocket(key socketKey) (engine.Medium, error) {
	if p.other != nil {
		return p.other.Listen(standin.Socket{
			Version:      key.version,
			Protocol:     key.protocol.number(),
			Mode:         p.cfg.Mode,
			Source:       key.source,
			Interface:    key.device,
			Mark:         key.mark,
			DontFragment: key.dontFragment,
			FirstPort:    key.port,
			Ports:        key.ports,
		})
	}
	if key.protocol != ICMP {
		return p.listenTransport(key)
	}
	cfg := &socket.Config{
		Mode:         p.cfg.Mode,
		Source:       key.source,
		Interface:    key.device,
		Mark:         key.mark,
		DontFragment: key.dontFragment,

		SendTimestamps: p.cfg.SendTimestamps,
	}
	if key.version == icmp.V4 {
		return listenICMPv4(cfg, key.broadcast)
	}
	s, err := socket.ListenICMPv6(cfg)
	if err != nil {
		return nil, err
	}
	return engine.OverEcho(s), nil
}

func listenICMPv4(cfg *socket.Config, broadcast bool) (engine.Medium, error) {
	s, err := socket.ListenICMPv4(cfg)
	if err != nil {
		return nil, err
	}
	if broadcast {
		if err := s.SetBroadcast(true); err != nil {
			s.Close()
			return nil, err
		}
	}
	return engine.OverEcho(s), nil
}

// listenTransport opens sockets for UDP, TCP or SCTP. In mode Auto those are raw
// ones where they are allowed.
func (p *Prober) listenTransport(key socketKey) (engine.Medium, error) {
	conn, err := transport.Listen(transport.Config{
		Version:      key.version,
		Protocol:     key.protocol.number(),
		Mode:         p.cfg.Mode,
		Source:       key.source,
		Interface:    key.device,
		Mark:         key.mark,
		DontFragment: key.dontFragment,
		FirstPort:    key.port,
		Ports:        key.ports,
	})
	if err != nil {
		return nil, err
	}
	return engine.OverTransport(conn), nil
}
