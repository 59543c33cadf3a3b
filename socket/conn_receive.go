package socket

import (
	"context"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
)

// receive returns the first reply that answers req; nil stands for any.
func (c *conn) receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error) {
	if err := c.receiving.Take(ctx); err != nil {
		return nil, err
	}
	defer c.receiving.Leave()
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
	if err := c.receiving.Take(ctx); err != nil {
		return 0, err
	}
	defer c.receiving.Leave()
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
		kept := 0
		for i := range n {
			c.link.datagram(i, &c.in)
			if c.decode(&c.in, &replies[kept]) {
				kept++
			}
		}
		if kept > 0 {
			return kept, nil
		}
	}
}

// receiveError tells the end of the context from that of the socket.
func (c *conn) receiveError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.opError(opReceive, netip.Addr{}, err)
}

// decode reads a datagram into reply, and tells whether it is one to hand out.
func (c *conn) decode(in *sys.Inbound, reply *icmp.Reply) bool {
	*reply = icmp.Reply{
		Source:         c.zones.Join(in.From, in.Zone),
		Destination:    in.To,
		InterfaceIndex: in.InterfaceIndex,
		TTL:            in.TTL,
		TrafficClass:   in.TrafficClass,
		Time:           in.Read.Add(-in.Queued),
		Queued:         in.Queued,
		Stamped:        in.Stamped,
	}
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
		var ip wire.IPv4
		if len(data) > 0 && data[0]>>4 == 4 {
			if err := ip.Parse(data); err != nil {
				return false
			}
			reply.Source, reply.Destination = ip.Source, ip.Destination
			reply.TTL, reply.TrafficClass = int(ip.TTL), ip.TrafficClass
			data, size = data[ip.HeaderLen:], size-ip.HeaderLen
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
