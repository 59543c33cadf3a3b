// Package sockets opens the sockets for packets of every protocol, and finds the source
// address of packets.
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

// Spec is the settings that the packets of one socket share. It is comparable: packets with
// the same Spec share a socket.
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
	Ports        int    // the number of source ports, one for each flow; 0: 1

	SendTimestamps bool // of ICMP
}

// Open opens sockets of the system. In mode Auto, sockets of UDP, TCP and SCTP are raw if
// the system allows it; sockets of ICMP are raw only if it does not allow datagram sockets.
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

// OpenQuery opens an ICMP socket for one type of request. It receives the replies to that
// type, and errors.
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

// Routed reports whether this host has a route for such packets to an address.
func (s *Spec) Routed(dst netip.Addr) bool { return transport.Routed(s.transport(), dst) }

// LinkMTU returns the MTU in bytes of the interface from which such packets to an address
// leave; 0 if it is not known.
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

// SourceTo returns the address from which the system sends to dst: that of a UDP socket
// connected to it. It sends nothing. It returns the zero Addr if there is no route.
func SourceTo(dst netip.Addr) netip.Addr {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(dst, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// Sources caches the results of a look-up such as [SourceTo]. It is safe for concurrent use.
type Sources struct {
	LookUp func(dst netip.Addr) netip.Addr

	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
}

// maxSources is the largest number of results; Sources then drops all of them.
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
