package engine

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Conn is what the engine needs of an ICMP socket. *socket.ICMPv4 and *socket.ICMPv6
// are such, whose documentation is the contract; so is a simulated one.
type Conn interface {
	ID() uint16
	SendBatch(reqs []icmp.Request) (int, error)
	ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error)
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Counters() socket.Counters
	Backlog() float64
	Close() error
}

// SegmentConn is what the engine needs of a socket for UDP, TCP or SCTP.
// *transport.Conn is such, whose documentation is the contract.
type SegmentConn interface {
	Protocol() icmp.Protocol
	Ports() (first uint16, n int)
	SendBatch(probes []transport.Probe) (int, error)
	ReceiveBatch(ctx context.Context, arrivals []transport.Arrival) (int, error)
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Counters() socket.Counters
	Backlog() float64
	Close() error
}

var (
	_ Conn        = (*socket.ICMPv4)(nil)
	_ Conn        = (*socket.ICMPv6)(nil)
	_ SegmentConn = (*transport.Conn)(nil)
)
