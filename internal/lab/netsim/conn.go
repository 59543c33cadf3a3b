package netsim

import (
	"context"

	"github.com/goicmp/icmplib/icmp"
)

// Conn is a socket of the client: it does what *socket.ICMPv4 and
// *socket.ICMPv6 do, whose documentation is the contract, with the network in
// place of the kernel.
//
// It has no goroutine, and while it waits it is durably blocked in the sense of
// testing/synctest. Inside a bubble, [Network.Listen] has to be called there.
type Conn struct {
	mailbox
	opts ConnOptions
	id   uint16
}

// ConnOptions says what kind of socket is simulated. The zero value is a raw
// socket with room for any number of packets.
type ConnOptions struct {
	Datagram     bool   // unprivileged, as Linux has it
	QueueLimit   int    // packets that the receive queue has room for; 0: any number
	ID           uint16 // 0: one is chosen
	DontFragment bool   // requests have the DF bit (IPv4)
}

// Listen opens a socket of the client's. All packets to the client go to each
// of its sockets.
func (n *Network) Listen(version icmp.Version, opts ConnOptions) *Conn {
	c := &Conn{opts: opts, id: opts.ID}
	c.version, c.mode, c.limit, c.passes = version, modeOf(opts.Datagram), opts.QueueLimit, c.admits
	serial := n.listen(&c.mailbox)
	if c.id == 0 {
		c.id = uint16(mix(serial)) | 1
	}
	return c
}

// ID returns the id that all requests of this socket carry.
func (c *Conn) ID() uint16 { return c.id }

// ReceiveBatch waits for at least one message, and reads all that are there, up
// to the length of replies (at most 64 at once). The replies' slices are valid
// until the next receive.
func (c *Conn) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	return c.receive(ctx, len(replies), func(n int, in *arrival) bool {
		replies[n] = icmp.Reply{Time: in.at, Queued: in.queued, Stamped: true}
		return c.decode(&in.p, &replies[n])
	})
}
