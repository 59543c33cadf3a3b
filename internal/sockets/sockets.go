// Package sockets opens the sockets that packets of a shape need, whatever their
// protocol, and says where the system sends from.
package sockets

import (
	"net"
	"net/netip"
	"sync"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Spec is what packets of one socket have in common. It is comparable: packets with the
// same Spec share a socket.
type Spec struct {
	Version      icmp.Version
	Protocol     icmp.Protocol // icmp.ICMP also stands for ICMPv6
	Mode         socket.Mode
	ID           uint16     // of echo requests; 0: any
	Source       netip.Addr // the zero Addr: any
	Interface    string     // "": any
	Mark         uint32
	DontFragment bool
	Broadcast    bool   // IPv4 broadcast addresses are allowed
	FirstPort    uint16 // of the source; 0: any
	Ports        int    // how many, for as many flows; 0: 1

	SendTimestamps bool // of ICMP
}

// Open opens sockets of the system. In mode Auto, those of UDP, TCP and SCTP are raw if
// that is allowed, and those of ICMP are if nothing else is.
func (s *Spec) Open() (engine.Medium, error) {
	if s.Protocol != icmp.ICMP {
		conn, err := transport.Listen(s.transport())
		if err != nil {
			return nil, err
		}
		return engine.OverTransport(conn), nil
	}
	if s.Version == icmp.V6 {
		conn, err := socket.ListenICMPv6(s.config())
		if err != nil {
			return nil, err
		}
		return engine.OverEcho(conn), nil
	}
	conn, err := socket.ListenICMPv4(s.config())
	if err != nil {
		return nil, err
	}
	if s.Broadcast {
		if err := conn.SetBroadcast(true); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return engine.OverEcho(conn), nil
}

// OpenQuery opens a socket of ICMP for one type of request: it receives its reply, and
// errors.
func (s *Spec) OpenQuery(request icmp.Type) (socket.Conn, error) {
	return socket.Listen(s.Version, s.query(request))
}

func (s *Spec) query(request icmp.Type) *socket.Config {
	cfg := s.config()
	cfg.ID, cfg.SendTimestamps = 0, false
	cfg.Types = []icmp.Type{request.Reply()}
	for _, t := range icmp.AllTypes(s.Version) {
		if t.IsError() {
			cfg.Types = append(cfg.Types, t)
		}
	}
	return cfg
}

func (s *Spec) config() *socket.Config {
	return &socket.Config{
		Mode: s.Mode, ID: s.ID, Source: s.Source, Interface: s.Interface, Mark: s.Mark, DontFragment: s.DontFragment,
		SendTimestamps: s.SendTimestamps,
	}
}

func (s *Spec) transport() transport.Config {
	return transport.Config{
		Version: s.Version, Protocol: s.Protocol, Mode: s.Mode, Source: s.Source, Interface: s.Interface, Mark: s.Mark,
		DontFragment: s.DontFragment, FirstPort: s.FirstPort, Ports: s.Ports,
	}
}

// Routed reports whether this host has a route to an address for such packets.
func (s *Spec) Routed(dst netip.Addr) bool { return transport.Routed(s.transport(), dst) }

// LinkMTU returns the MTU of the interface by which such packets to an address leave; 0 if it
// is not known.
func (s *Spec) LinkMTU(dst netip.Addr) int {
	if s.Interface == "" {
		return hosts.LinkMTU(SourceTo(dst))
	}
	i, err := net.InterfaceByName(s.Interface)
	if err != nil {
		return 0
	}
	return i.MTU
}

// SourceTo returns the address from which the system sends to another: that of a UDP socket
// connected to it. Nothing is sent. It is the zero Addr if there is no route.
func SourceTo(dst netip.Addr) netip.Addr {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// Sources remembers what a look-up returns, such as [SourceTo]. It is safe for concurrent
// use.
type Sources struct {
	LookUp func(dst netip.Addr) netip.Addr

	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
}

// maxSources limits Sources, which then begin anew.
const maxSources = 1 << 12

// Find returns the source of packets to an address.
func (c *Sources) Find(dst netip.Addr) netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	source, ok := c.known[dst]
	if !ok {
		if len(c.known) >= maxSources || c.known == nil {
			c.known = map[netip.Addr]netip.Addr{}
		}
		source = c.LookUp(dst)
		c.known[dst] = source
	}
	return source
}
