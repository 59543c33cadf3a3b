package socket

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// ICMPv4 is a socket that sends echo requests over IPv4 and receives the answers to them
// (RFC 792). Several goroutines may call its methods at once. The zero value is not open:
// its methods return an error or a zero value.
type ICMPv4 struct{ c *conn }

// ListenICMPv4 opens a socket. A nil Config means all defaults.
//
// Errors are a [*ConfigError] for an invalid option, and otherwise an [*OpError]. If
// permission is missing, the error holds a [*PermissionError] that names the obstacle; in
// mode Auto, it holds one for each kind of socket.
func ListenICMPv4(cfg *Config) (*ICMPv4, error) {
	c, err := listen(icmp.V4, cfg)
	if err != nil {
		return nil, err
	}
	return &ICMPv4{c}, nil
}

// Send sends one echo request, or the request's Message. It sets the request's ID to the
// socket's, and its Time to the moment just before the kernel gets the packet. If the send
// buffer is full, Send waits for room until ctx ends.
//
// Errors are a [*ConfigError] for a request that this socket cannot send, the context's
// cause if ctx has ended, and otherwise an [*OpError]. Its cause is [ErrBroadcast] for a
// broadcast address that [ICMPv4.SetBroadcast] has not allowed.
func (s *ICMPv4) Send(ctx context.Context, req *icmp.Request) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.send(ctx, req)
}

// SendBatch sends requests in order with as few system calls as the system allows, and sets
// ID and Time in each. It returns how many requests it sent and, if not all, the error of
// the next one. It does not wait for room in the send buffer: see [IsBusy].
func (s *ICMPv4) SendBatch(reqs []icmp.Request) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.sendBatch(reqs)
}

// Receive waits for the message that answers req, a reply or an ICMP error. With a nil req,
// it waits for any message about a request of this socket or, with Config.Types, for any
// message of those types.
//
// Receive discards messages that do not answer req. If several requests are open, receive
// with nil and match the answers yourself, or use a Prober.
//
// Receive returns the context's cause as soon as ctx ends, and an [*OpError] with
// [net.ErrClosed] as soon as the socket is closed.
func (s *ICMPv4) Receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error) {
	if s.c == nil {
		return nil, errNotMade
	}
	return s.c.receive(ctx, req)
}

// ReceiveBatch waits for at least one message, as Receive does with a nil request, and reads
// all messages that have arrived, up to the length of replies and at most 64. It returns how
// many it read. The replies' slices share memory with the socket, and are valid until the
// next receive in any goroutine: see [icmp.Reply.Clone].
func (s *ICMPv4) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.receiveBatch(ctx, replies)
}

// SetBroadcast allows or forbids requests to broadcast addresses, which many hosts may
// answer. By default, such requests fail with [ErrBroadcast]. On Windows, SetBroadcast fails
// with errors.ErrUnsupported.
func (s *ICMPv4) SetBroadcast(on bool) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.setBroadcast(on)
}

// ReceiveNow is ReceiveBatch without waiting: it returns 0 if nothing has arrived. Linux
// only; elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) ReceiveNow(replies []icmp.Reply) (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.receiveNow(replies)
}

// Watch sets whether arriving messages wake the calls of Receive and ReceiveBatch, as they
// do by default. Turn it off while a goroutine sends and receives at a high rate with
// ReceiveNow. Each call must change the setting. Linux only; elsewhere it fails with
// errors.ErrUnsupported.
func (s *ICMPv4) Watch(on bool) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.link.watch(on)
}

// SetReadDeadline ends calls of Receive and ReceiveBatch at t with os.ErrDeadlineExceeded,
// including calls that are already waiting; the zero time means never. The calls still read
// messages that arrived before t. For a loop that reads often, this costs less than a context
// with a deadline.
func (s *ICMPv4) SetReadDeadline(t time.Time) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.deadline.Set(t)
}

// Drained returns a time up to which the socket has handed out all messages that arrived. An
// answer that was due before that time and is still missing is not in the socket's queue.
func (s *ICMPv4) Drained() time.Time { return s.c.drained() }

// Version returns icmp.V4.
func (s *ICMPv4) Version() icmp.Version { return icmp.V4 }

// Mode returns the kind of the open socket: Datagram or Raw.
func (s *ICMPv4) Mode() Mode { return s.c.kind() }

// ID returns the id that all requests of this socket carry.
func (s *ICMPv4) ID() uint16 { return s.c.ident() }

// LocalAddr returns the address that the socket is bound to: the Config's
// Source, or the unspecified address.
func (s *ICMPv4) LocalAddr() netip.Addr { return s.c.localAddr() }

// Counters returns how many messages the socket did not hand out, and why.
func (s *ICMPv4) Counters() Counters { return s.c.counters() }

// Backlog returns the part of the kernel's receive buffer that unread messages fill, from 0
// to 1, or 0 if the system does not report it. If it grows, slow down: the kernel drops
// messages for which the buffer has no room.
func (s *ICMPv4) Backlog() float64 { return s.c.backlog() }

// ReceiveBuffer returns the size of the kernel's receive buffer in bytes. The kernel
// includes its overhead: the size is twice the requested one (socket(7)). Linux only;
// elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) ReceiveBuffer() (int, error) {
	if s.c == nil {
		return 0, errNotMade
	}
	return s.c.link.receiveBuffer()
}

// SetReceiveBuffer requests a size in bytes, as Config.ReceiveBuffer does. ReceiveBuffer
// returns the size that the kernel granted. Linux only; elsewhere it fails with
// errors.ErrUnsupported.
func (s *ICMPv4) SetReceiveBuffer(size int) error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.link.setReceiveBuffer(size)
}

// SyscallConn gives access to the descriptor, for options without a method here. Linux only;
// elsewhere it fails with errors.ErrUnsupported.
func (s *ICMPv4) SyscallConn() (syscall.RawConn, error) {
	if s.c == nil {
		return nil, errNotMade
	}
	return s.c.link.syscallConn()
}

// Close closes the socket and ends the calls that are waiting. Later calls return
// net.ErrClosed.
func (s *ICMPv4) Close() error {
	if s.c == nil {
		return errNotMade
	}
	return s.c.close()
}
