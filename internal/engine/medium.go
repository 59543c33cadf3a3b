package engine

import (
	"context"
	"errors"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
	"time"
)

// Medium is the sockets of one protocol over which an engine sends and receives.
// [OverEcho] and [OverTransport] return one.
type Medium interface {
	Link

	// send gives packets to the system in order and sets at in each. It returns how
	// many the system took and, if not all, the error of the next one.
	send(batch []outgoing) (int, error)
	// link returns the sockets below.
	link() Link
	// receiveNow reads the messages that have arrived without waiting. watch sets
	// whether arriving messages end a wait. Both fail on systems without support.
	receiveNow() (int, error)
	watch(on bool) error
	// receive waits for messages and reads them; it returns how many. They are
	// valid until the next call.
	receive() (int, error)
	// deliver gives the i-th message to the core.
	deliver(i int, c *core)
	// id returns the id of echo requests; 0 for other protocols.
	id() uint16
	// ports returns the number of source ports that the sockets hold.
	ports() int
}

// elastic is a Link whose receive buffer can grow. The documentation of
// *socket.ICMPv4 is the contract.
type elastic interface {
	ReceiveBuffer() (int, error)
	SetReceiveBuffer(size int) error
}

// moded is a Link that knows its kind.
type moded interface{ Mode() socket.Mode }

// maxSend is the largest number of packets in one call. The stamp of each lies between
// the beginning and the end of the call, and so is exact to some microseconds.
const maxSend = 8

// errNoneTaken is the error of a packet that the system did not take without an error.
var errNoneTaken = errors.New("no packet was taken")

// took returns an error if the system took less than the batch without an error.
func took(n, of int, err error) (int, error) {
	if n < of && err == nil {
		err = errNoneTaken
	}
	return n, err
}

// outgoing is a probe with its sequence number and nonce, which identify it.
type outgoing struct {
	dst     netip.Addr
	seq     uint16
	nonce   nonce
	payload []byte
	balance int // the offset of the two bytes that the socket chooses: see payload; 0: none
	ttl     int
	class   int
	timeout time.Duration
	flow    Flow

	at time.Time // when the system got it
}

// Flow is the header fields, beside the addresses, that load-balancing routers hash, and
// with them the probed port. It is zero for echo requests: their id and checksum are
// constant in an operation, see OpConfig.Sum.
type Flow struct {
	SourcePort      uint16 // one of the socket's; 0: its first
	Offset          uint16 // if SourcePort is 0: the distance from the first port
	DestinationPort uint16
	Label           uint32 // of IPv6
}

// Link is the methods that sockets of every protocol have. The documentation of
// *socket.ICMPv4 and *transport.Conn is the contract.
type Link interface {
	SetReadDeadline(t time.Time) error
	Drained() time.Time
	Counters() socket.Counters
	Backlog() float64
	Close() error
}

// Conn is a socket for echo requests: an *socket.ICMPv4, an *socket.ICMPv6 or a simulated
// one.
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
