package socket

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// An error that came before a reply is handed out before it, though the system has
// a queue of its own for errors, which is read later.
func TestMessagesOfTwoQueuesAreInTheOrderOfTheirArrival(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, int64(ms)*1e6) }
	replies := []icmp.Reply{{TTL: 1, Time: at(50)}, {TTL: 2, Time: at(60)}, {TTL: 3, Time: at(10)}, {TTL: 4, Time: at(50)}}
	inOrder(replies)
	for i, want := range []int{3, 1, 4, 2} {
		if replies[i].TTL != want {
			t.Errorf("place %d has message %d, want %d", i, replies[i].TTL, want)
		}
	}
}
