package netsim

import (
	"context"
	"errors"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// TransportConn is a connection of the client's for UDP, TCP or SCTP probes: it
// does what *transport.Conn does, whose documentation is the contract, with the
// network in place of the kernel. See [Conn] for the rest.
//
// A TCP connection without privileges sends each SYN once.
type TransportConn struct {
	mailbox
	protocol icmp.Protocol
	opts     TransportOptions
	first    uint16 // of the source ports
	count    int
	streams  streams // of TCP without privileges
}

// TransportOptions says what kind of connection is simulated. The zero value
// has raw sockets with room for any number of packets.
type TransportOptions struct {
	Datagram     bool   // unprivileged, as Linux has it
	QueueLimit   int    // packets that the receive queue has room for; 0: any number
	FirstPort    uint16 // of the source ports; 0: one is chosen
	Ports        int    // how many they are; 0: 1
	DontFragment bool   // probes have the DF bit (IPv4)

	// Sockets is as in transport.Config, with the same default.
	Sockets int
}

// defaultSockets is that of package transport.
const defaultSockets = 256

// The ports that the kernel chooses from, as Linux does by default.
const (
	firstEphemeral = 32768
	ephemerals     = 28232
)

// ListenTransport opens a connection of the client's for probes of a protocol.
// It fails for SCTP without privileges, and for ports that another one holds.
func (n *Network) ListenTransport(version icmp.Version, protocol icmp.Protocol, opts TransportOptions) (*TransportConn, error) {
	c := &TransportConn{protocol: protocol, opts: opts, first: opts.FirstPort, count: max(opts.Ports, 1)}
	c.version, c.mode, c.limit, c.passes = version, modeOf(opts.Datagram), opts.QueueLimit, c.admits
	if c.opts.Sockets == 0 {
		c.opts.Sockets = defaultSockets
	}
	switch {
	case protocol != icmp.UDP && protocol != icmp.TCP && protocol != icmp.SCTP:
		return nil, &icmp.FieldError{Field: "Protocol", Value: protocol, Allowed: "UDP, TCP or SCTP"}
	case protocol == icmp.SCTP && opts.Datagram:
		return nil, c.opError("listen", c.local, errors.ErrUnsupported)
	case c.connects():
		c.limit = 0 // what a connection needs always has room
		c.streams.serial = n.listen(&c.mailbox)
		return c, nil
	}
	if !n.claim(c) {
		return nil, c.opError("listen", c.local, syscall.EADDRINUSE)
	}
	n.listen(&c.mailbox)
	return c, nil
}

// connects reports whether each probe is a connection of its own.
func (c *TransportConn) connects() bool { return c.opts.Datagram && c.protocol == icmp.TCP }

// Protocol returns the protocol of the probes.
func (c *TransportConn) Protocol() icmp.Protocol { return c.protocol }

// Ports returns the first of the source ports and how many they are; 0 and 0
// where the connection holds none.
func (c *TransportConn) Ports() (first uint16, n int) {
	if c.connects() {
		return 0, 0
	}
	return c.first, c.count
}

// Close closes the connection and gives back its ports.
func (c *TransportConn) Close() error {
	if err := c.mailbox.Close(); err != nil {
		return err
	}
	c.net.release(c)
	return nil
}

// ReceiveBatch waits for at least one arrival, and reads all that are there, up
// to the length of arrivals (at most 64 at once). Their slices are valid until
// the next receive.
func (c *TransportConn) ReceiveBatch(ctx context.Context, arrivals []transport.Arrival) (int, error) {
	return c.receive(ctx, len(arrivals), func(n int, in *arrival) bool {
		a := &arrivals[n]
		*a = transport.Arrival{Protocol: c.protocol}
		a.Time, a.Queued, a.Stamped = in.at, in.queued, true
		return c.decode(&in.p, a)
	})
}
