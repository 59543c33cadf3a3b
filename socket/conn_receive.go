package socket

import (
	"context"
	"github.com/goicmp/icmplib/internal/netio"
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
)

// receive returns the first reply that answers req; nil stands for any.
func (c *conn) receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error) {
	if err := c.receiving.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.receiving.Unlock()
	for {
		if _, err := c.read(ctx, c.single[:]); err != nil {
			return nil, err
		}
		if req == nil || req.Answers(&c.single[0]) {
			return c.single[0].Clone(), nil
		}
	}
}

func (c *conn) receiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	if len(replies) == 0 {
		return 0, nil
	}
	if err := c.receiving.Lock(ctx); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	return c.read(ctx, replies)
}

// read waits until there is at least one message for this socket.
func (c *conn) read(ctx context.Context, replies []icmp.Reply) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if ctx.Done() != nil {
		defer c.deadline.InterruptAt(ctx)()
	}
	for {
		n, err := c.link.receive(min(len(replies), maxBatch))
		if err != nil {
			return 0, c.receiveError(ctx, err)
		}
		if kept := c.decodeAll(n, replies); kept > 0 {
			return kept, nil
		}
	}
}

// receiveNow is receiveBatch without waiting.
func (c *conn) receiveNow(replies []icmp.Reply) (int, error) {
	if err := c.receiving.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.receiving.Unlock()
	for kept := 0; kept == 0 && len(replies) > 0; {
		n, err := c.link.receiveNow(min(len(replies), maxBatch))
		if err != nil || n == 0 {
			return 0, c.receiveError(context.Background(), err)
		}
		if kept = c.decodeAll(n, replies); kept > 0 {
			return kept, nil
		}
	}
	return 0, nil
}

// decodeAll reads the n datagrams of the last look into replies, and returns how
// many of them are to be handed out.
func (c *conn) decodeAll(n int, replies []icmp.Reply) (kept int) {
	for i := range n {
		c.link.datagram(i, &c.in)
		if c.decode(&c.in, &replies[kept]) {
			kept++
		}
	}
	inOrder(replies[:kept])
	return kept
}

// inOrder puts messages into the order of their arrival. Those of the error queue
// are read after those of the receive queue, and what an answer means depends on
// what came before it.
func inOrder(replies []icmp.Reply) {
	arrival := func(a, b icmp.Reply) int { return a.Time.Compare(b.Time) }
	if !slices.IsSortedFunc(replies, arrival) {
		slices.SortStableFunc(replies, arrival)
	}
}

// receiveError tells the end of the context from that of the socket.
func (c *conn) receiveError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return c.opError(opReceive, netip.Addr{}, err)
}

// decode reads a datagram into reply, and tells whether it is one to hand out.
func (c *conn) decode(in *sys.Inbound, reply *icmp.Reply) bool {
	netio.Describe(reply, in, &c.zones)
	var ok bool
	if in.Failed {
		ok = c.decodeQueued(in, reply)
	} else {
		ok = c.decodeMessage(in, reply)
	}
	if !ok {
		c.malformed.Add(1)
		return false
	}
	if !c.owns(&reply.Message) {
		c.foreign.Add(1)
		return false
	}
	reply.KernelRTT = c.link.roundTrip(sequence(&reply.Message), in)
	return true
}

// sequence returns the sequence number of the request that a message is about.
func sequence(m *icmp.Message) uint16 {
	if m.Type.IsError() {
		return m.Quote.Sequence
	}
	return m.Sequence
}

// decodeMessage reads an ICMP message as the network delivered it.
func (c *conn) decodeMessage(in *sys.Inbound, reply *icmp.Reply) bool {
	data := in.Data
	size := in.Size
	if c.version == icmp.V4 {
		// Raw sockets deliver the IPv4 header, and so do the datagram sockets
		// of some systems. No ICMP type that we are sent looks like one: the
		// first byte of an echo reply is 0, that of a header 0x45 or more.
		if len(data) > 0 && data[0]>>4 == 4 {
			stripped := netio.StripIPv4(reply, data)
			if stripped == nil {
				return false
			}
			data, size = stripped, size-(len(data)-len(stripped))
		}
		// The kernel gives raw sockets a message before it has looked at the
		// checksum. What was truncated cannot be checked.
		if c.mode == Raw && size == len(data) && icmp.Checksum(data) != 0 {
			return false
		}
	}
	reply.Size = size
	return reply.Message.Parse(c.version, data) == nil
}

// decodeQueued reads an entry of the error queue.
func (c *conn) decodeQueued(in *sys.Inbound, reply *icmp.Reply) bool {
	quoted, ok := netio.ParseQueued(reply, c.version, in, 0, &c.zones)
	return ok && reply.Quote.ParseTransport(c.protocol(), quoted) == nil
}

func (c *conn) protocol() icmp.Protocol {
	if c.version == icmp.V4 {
		return icmp.ICMP
	}
	return icmp.ICMPv6
}

// owns tells whether a message is about a request of this socket's id.
func (c *conn) owns(m *icmp.Message) bool {
	switch {
	case m.Kind() == icmp.KindEchoReply:
		return m.ID == c.id
	case m.Type.IsError():
		return m.Quote.Type.IsEchoRequest() && m.Quote.ID == c.id
	}
	return false
}
