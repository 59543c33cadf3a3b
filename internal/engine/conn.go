package engine

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Link is what sockets of every protocol have for the engine. The documentation
// of *socket.ICMPv4 and *transport.Conn is the contract.
type Link interface {
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Counters() socket.Counters
	Backlog() float64
	Close() error
}

// Conn is a socket for echo requests, such as *socket.ICMPv4 and *socket.ICMPv6;
// a simulated one is, too.
type Conn interface {
	Link
	ID() uint16
	SendBatch(reqs []icmp.Request) (int, error)
	ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error)
}

// SegmentConn is a socket for UDP, TCP or SCTP, such as *transport.Conn.
type SegmentConn interface {
	Link
	Protocol() icmp.Protocol
	Ports() (first uint16, n int)
	SendBatch(probes []transport.Probe) (int, error)
	ReceiveBatch(ctx context.Context, arrivals []transport.Arrival) (int, error)
}

var (
	_ Conn        = (*socket.ICMPv4)(nil)
	_ Conn        = (*socket.ICMPv6)(nil)
	_ SegmentConn = (*transport.Conn)(nil)
)
