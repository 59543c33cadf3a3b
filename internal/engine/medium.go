package engine

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/socket"
)

// Medium is what an engine sends over and receives from: sockets of one
// protocol. [OverEcho] and [OverTransport] make one.
type Medium interface {
	// prepare makes out the k-th packet of the next batch, below sendBatch.
	prepare(k int, p *outgoing)
	// send sends the first k packets, as SendBatch of package socket does.
	send(k int) (int, error)
	// receive waits for messages and reads them; it returns how many. They are
	// valid until the next call.
	receive() (int, error)
	// deliver lets the core take the i-th message.
	deliver(i int, c *core)

	id() uint16 // of echo requests; 0 for other protocols
	ports() int // source ports that are held; 0: none are
	setReadDeadline(t time.Time)
	drained() time.Time
	counters() socket.Counters
	backlog() float64

	// Close closes the sockets.
	Close() error
}

// outgoing is a probe with what makes it recognisable.
type outgoing struct {
	dst      netip.Addr
	seq      uint16
	nonce    nonce
	payload  []byte
	numbered bool // see payload
	ttl      int
	class    int
	flow     Flow
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
