package icmptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/socket"
)

// network replaces the system: it opens sockets, and resolves the names of nodes.
type network struct {
	*netsim.Network
	names map[string][]netip.Addr // by name in lower case
}

func newNetwork(text string) (*network, error) {
	spec, err := netsim.ParseString(text)
	if err != nil {
		return nil, err
	}
	sim, err := netsim.New(spec)
	if err != nil {
		return nil, err
	}
	n := &network{Network: sim, names: map[string][]netip.Addr{}}
	for _, node := range spec.Nodes {
		n.names[strings.ToLower(node.Name)] = node.Addresses
	}
	return n, nil
}

// Listen opens a socket of the client. As on Linux, Auto opens a raw socket only for
// SCTP.
func (n *network) Listen(s sockets.Spec) (engine.Medium, error) {
	if err := n.refuse(&s); err != nil {
		return nil, err
	}
	datagram := s.Mode == socket.Datagram || s.Mode == socket.Auto && s.Protocol != icmp.SCTP
	if s.Protocol == icmp.ICMP {
		return engine.OverEcho(n.Network.Listen(s.Version, netsim.ConnOptions{Datagram: datagram, ID: s.ID, DontFragment: s.DontFragment})), nil
	}
	c, err := n.ListenTransport(s.Version, s.Protocol, netsim.TransportOptions{
		Datagram: datagram, FirstPort: s.FirstPort, Ports: s.Ports, DontFragment: s.DontFragment,
	})
	if err != nil {
		return nil, err
	}
	return engine.OverTransport(c), nil
}

// refuse returns an error for options that a simulated network does not support.
func (n *network) refuse(s *sockets.Spec) error {
	own := n.own(s.Version)
	switch {
	case s.Interface != "":
		return fmt.Errorf("icmptest: a simulated network has no interfaces: leave Interface empty: %w", errors.ErrUnsupported)
	case s.Mark != 0:
		return fmt.Errorf("icmptest: a simulated network does not route by marks: leave Mark 0: %w", errors.ErrUnsupported)
	case !own.IsValid():
		return fmt.Errorf("icmptest: the client has no %v address: give the line \"client\" one: %w", s.Version, syscall.EAFNOSUPPORT)
	case s.Source.IsValid() && s.Source.Unmap() != own:
		return fmt.Errorf("icmptest: the client sends from %v, not from %v: %w", own, s.Source, syscall.EADDRNOTAVAIL)
	}
	return nil
}

// own returns the client's source address for packets of a version.
func (n *network) own(v icmp.Version) netip.Addr {
	for _, a := range n.Client() {
		if a.Is4() == (v == icmp.V4) {
			return a
		}
	}
	return netip.Addr{}
}

// LookupNetIP returns the addresses of the node with a name. It ignores case, and a
// dot at the end.
func (n *network) LookupNetIP(ctx context.Context, family, host string) ([]netip.Addr, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.DNSError{Err: err.Error(), Name: host, IsTimeout: errors.Is(err, context.DeadlineExceeded)}
	}
	all, ok := n.names[strings.ToLower(strings.TrimSuffix(host, "."))]
	if !ok {
		return nil, &net.DNSError{Err: "the simulated network has no node of this name", Name: host, IsNotFound: true}
	}
	var found []netip.Addr
	for _, a := range all {
		if family == "ip" || a.Is4() == (family == "ip4") {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "the node has no address of this family", Name: host, IsNotFound: true}
	}
	return found, nil
}
