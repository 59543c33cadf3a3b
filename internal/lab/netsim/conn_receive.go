package netsim

import (
	"context"

	"github.com/goicmp/icmplib/icmp"
)

// ReceiveBatch waits for at least one message, and reads all that are there, up
// to the length of replies (at most 64 at once). The replies' slices are valid
// until the next receive.
func (c *Conn) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	return c.receive(ctx, len(replies), func(n int, in *arrival) bool {
		replies[n] = icmp.Reply{Time: in.at, Queued: in.queued, Stamped: true}
		return c.decode(&in.p, &replies[n])
	})
}
