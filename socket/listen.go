package socket

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Conn is an ICMP socket of either IP version: an [*ICMPv4] or an [*ICMPv6], which document
// the methods.
type Conn interface {
	// Version returns the IP version of the socket.
	Version() icmp.Version

	// Send and SendBatch send requests. Receive and ReceiveBatch wait for messages.
	Send(ctx context.Context, req *icmp.Request) error
	SendBatch(reqs []icmp.Request) (int, error)
	Receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error)
	ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error)

	// ReceiveNow, Watch, SetReadDeadline, Drained and Backlog are for loops that
	// send and receive at a high rate.
	ReceiveNow(replies []icmp.Reply) (int, error)
	Watch(on bool) error
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Backlog() float64

	// Mode, ID, LocalAddr and Counters describe the socket, and the messages that it
	// did not hand out.
	Mode() Mode
	ID() uint16
	LocalAddr() netip.Addr
	Counters() Counters

	// SyscallConn gives access to the descriptor. Close closes the socket.
	SyscallConn() (syscall.RawConn, error)
	Close() error
}

var (
	_ Conn = (*ICMPv4)(nil)
	_ Conn = (*ICMPv6)(nil)
)

// Listen calls [ListenICMPv4] or [ListenICMPv6], for programs that serve both versions. It
// returns their errors, or a [*ConfigError] for any other version.
func Listen(v icmp.Version, cfg *Config) (Conn, error) {
	var c *conn
	var err error
	switch v {
	case icmp.V4, icmp.V6:
		c, err = listen(v, cfg)
	default:
		err = &ConfigError{Field: "v", Value: v, Allowed: "icmp.V4 or icmp.V6"}
	}
	switch {
	case err != nil:
		return nil, err
	case v == icmp.V4:
		return &ICMPv4{c}, nil
	}
	return &ICMPv6{c}, nil
}
