package socket_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// Close waits for the receive that it ends, which may be at any point of its
// way into the wait: neither may wait for the other.
func TestCloseAtAnyPointOfAReceive(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for range 500 {
			s := listen(t, icmp.V4, &socket.Config{Mode: socket.Datagram})
			ended := make(chan error, 1)
			go func() {
				_, err := s.Receive(context.Background(), nil)
				ended <- err
			}()
			s.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Fatal(err)
			}
		}
	})
}
