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

// Medium is what an engine sends over and receives from: sockets of one
// protocol. [OverEcho] and [OverTransport] make one.
type Medium interface {
	Link

	// send gives the system packets in order and sets when in each. It returns how
	// many it took and, if not all, why not the next one.
	send(batch []outgoing) (int, error)
	// link is what it sends over.
	link() Link
	// receiveNow reads what is there without waiting, and watch says whether what
	// arrives ends a wait. Both fail where the system does not have that.
	receiveNow() (int, error)
	watch(on bool) error
	// receive waits for messages and reads them; it returns how many. They are
	// valid until the next call.
	receive() (int, error)
	// deliver lets the core take the i-th message.
	deliver(i int, c *core)
	// id is that of echo requests; 0 for other protocols.
	id() uint16
	// ports is how many source ports are held; 0: none are.
	ports() int
}

// elastic is a Link whose receive buffer can be made greater. The documentation of
// *socket.ICMPv4 is the contract.
type elastic interface {
	ReceiveBuffer() (int, error)
	SetReceiveBuffer(size int) error
}

// moded is a Link that says of which kind it is.
type moded interface{ Mode() socket.Mode }

// maxSend is how many packets the system is given in one call. Each is stamped
// between the beginning and the end of the call, which is then known to some
// microseconds.
const maxSend = 8

// errNoneTaken stands for a packet that the system did not take without a word.
var errNoneTaken = errors.New("no packet was taken")

// took makes an error of a batch of which less was taken without a word.
func took(n, of int, err error) (int, error) {
	if n < of && err == nil {
		err = errNoneTaken
	}
	return n, err
}

// outgoing is a probe with what makes it recognisable.
type outgoing struct {
	dst     netip.Addr
	seq     uint16
	nonce   nonce
	payload []byte
	balance int // where the two bytes are that the socket may choose: see payload; 0: nowhere
	ttl     int
	class   int
	timeout time.Duration
	flow    Flow

	at time.Time // when the system was given it
}

// Flow is what routers that spread load look at beside the addresses, and the
// port that is probed. Echo requests have none of it: their id and checksum are
// constant in an operation, see OpConfig.Sum.
type Flow struct {
	SourcePort      uint16 // one of the socket's; 0: its first
	Offset          uint16 // where SourcePort is 0: so many ports behind the first
	DestinationPort uint16
	Label           uint32 // of IPv6
}

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
