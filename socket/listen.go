package socket

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Conn is an ICMP socket of either IP version: an [*ICMPv4] or an [*ICMPv6], whose
// documentation is its own.
type Conn interface {
	// Version returns that of the addresses that the socket sends to.
	Version() icmp.Version

	// Send and SendBatch send requests, and Receive and ReceiveBatch wait for what
	// comes.
	Send(ctx context.Context, req *icmp.Request) error
	SendBatch(reqs []icmp.Request) (int, error)
	Receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error)
	ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error)

	// ReceiveNow, Watch, SetReadDeadline, Drained and Backlog are for loops that
	// send and receive very much.
	ReceiveNow(replies []icmp.Reply) (int, error)
	Watch(on bool) error
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Backlog() float64

	// Mode, ID, LocalAddr and Counters say what was opened, and what it did.
	Mode() Mode
	ID() uint16
	LocalAddr() netip.Addr
	Counters() Counters

	// SyscallConn gives access to the descriptor, and Close closes it.
	SyscallConn() (syscall.RawConn, error)
	Close() error
}

var (
	_ Conn = (*ICMPv4)(nil)
	_ Conn = (*ICMPv6)(nil)
)

// Listen opens a socket of a version, for programs that serve both:
// [ListenICMPv4] or [ListenICMPv6]. Errors are those of these, and a [*ConfigError]
// for another version.
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
