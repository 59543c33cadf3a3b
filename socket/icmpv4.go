package socket

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// ICMPv4 is a socket for echo requests over IPv4 and what comes back
// (RFC 792). Its methods may be called by several goroutines at once. The zero value
// is not open, and says so.
type ICMPv4 struct{ c *conn }

// ListenICMPv4 opens a socket. A nil Config means all defaults.
//
// Errors: a [*ConfigError] for an option that cannot be used, otherwise an
// [*OpError]. Without permission, it holds a [*PermissionError] that names
// the obstacle and, in mode Auto, one for each kind of socket.
func ListenICMPv4(cfg *Config) (*ICMPv4, error) {
	c, err := listen(icmp.V4, cfg)
	if err != nil {
		return nil, err
	}
	return &ICMPv4{c}, nil
}

// Send sends one echo request, or the Message in place of one. It sets the request's ID
// to the socket's, and its Time to the moment before the kernel gets the packet. While the send
// buffer is full, it waits until ctx ends.
//
// Errors: a [*ConfigError] for a request that cannot be sent by this socket,
// otherwise an [*OpError], with [ErrBroadcast] as its
// cause where [ICMPv4.SetBroadcast] is missing.
func (s *ICMPv4) Send(ctx context.Context, req *icmp.Request) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.send(ctx, req)
}

// SendBatch sends requests in order with as few system calls as the system
// allows, and sets ID and Time in each. It returns how many were sent and, if
// not all, why the next one was not. It never waits: see [IsBusy].
func (s *ICMPv4) SendBatch(reqs []icmp.Request) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.sendBatch(reqs)
}

// Receive waits for the message that answers req, a reply or an ICMP error, or with a
// nil req for any message about a request of this socket; with Config.Types, for any of
// those types.
//
// Messages that do not answer req are discarded. If several requests are open, receive with
// nil and match the answers yourself, or use a Prober.
//
// It ends at once with the context's cause when ctx ends, and with
// [net.ErrClosed] when the socket is closed.
func (s *ICMPv4) Receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error) {
	if s.c == nil {
		return nil, errNotMade
	}
	return s.c.receive(ctx, req)
}

// ReceiveBatch waits for at least one message, as Receive does with a nil
// request, and reads all that are there, up to the length of replies (at most
// 64 at once). It returns how many it read. The replies' slices share memory
// with the socket and are valid until the next receive, by whatever goroutine:
// see [icmp.Reply.Clone].
func (s *ICMPv4) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.receiveBatch(ctx, replies)
}

// SetBroadcast allows or forbids requests to broadcast addresses, which many
// hosts may answer. Forbidden, the default, they fail with [ErrBroadcast].
func (s *ICMPv4) SetBroadcast(on bool) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.setBroadcast(on)
}

// ReceiveNow is ReceiveBatch without waiting: it returns 0 if nothing has arrived. Linux only; elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) ReceiveNow(replies []icmp.Reply) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.receiveNow(replies)
}

// Watch sets whether arriving messages wake the calls of Receive and ReceiveBatch, as they
// do by default. A goroutine that sends and receives at a high rate with ReceiveNow turns it
// off meanwhile. Each call must change the setting. Linux
// only; elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) Watch(on bool) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.link.watch(on)
}

// SetReadDeadline ends the calls of Receive and ReceiveBatch at t, also those
// that are waiting now, with os.ErrDeadlineExceeded; the zero time means never.
// What arrived before t is still read. For a loop that reads much, this costs
// less than a context with a deadline.
func (s *ICMPv4) SetReadDeadline(t time.Time) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.deadline.Set(t)
}

// Drained returns a time up to which everything that arrived has been handed out. An answer
// that was due before it and has not come is not waiting in the socket's queue.
func (s *ICMPv4) Drained() time.Time { return s.c.drained() }

// Version returns icmp.V4.
func (s *ICMPv4) Version() icmp.Version { return icmp.V4 }

// Mode returns the kind of socket that was opened: Datagram or Raw.
func (s *ICMPv4) Mode() Mode { return s.c.kind() }

// ID returns the id that all requests of this socket carry.
func (s *ICMPv4) ID() uint16 { return s.c.ident() }

// LocalAddr returns the address that the socket is bound to: the Config's
// Source, or the unspecified address.
func (s *ICMPv4) LocalAddr() netip.Addr { return s.c.localAddr() }

// Counters returns how many messages were not handed out, and why.
func (s *ICMPv4) Counters() Counters { return s.c.counters() }

// Backlog returns how much of the kernel's receive buffer waits to be read, from
// 0 to 1, and 0 if the system does not report it. If it grows, slow
// down: messages for which there is no room are lost.
func (s *ICMPv4) Backlog() float64 { return s.c.backlog() }

// ReceiveBuffer returns the size of the kernel's receive buffer in bytes, as the
// kernel counts it, including its overhead: on Linux, twice the size requested (socket(7)). Linux only; elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) ReceiveBuffer() (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.link.receiveBuffer()
}

// SetReceiveBuffer requests a size, as Config.ReceiveBuffer does. ReceiveBuffer returns what
// the kernel granted. Linux only; elsewhere it fails with
// errors.ErrUnsupported.
func (s *ICMPv4) SetReceiveBuffer(size int) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.link.setReceiveBuffer(size)
}

// SyscallConn gives access to the descriptor, for options that have no method
// here. Linux only; elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) SyscallConn() (syscall.RawConn, error) {
	if s.c == nil {
		return nil, errNotMade
	}
	return s.c.link.syscallConn()
}

// Close closes the socket and ends the calls that are waiting. Later calls
// return net.ErrClosed.
func (s *ICMPv4) Close() error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.close()
}
