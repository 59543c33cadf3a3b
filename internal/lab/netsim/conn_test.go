package netsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// plain is a network of a router and a target, 30 ms there and back.
const plain = clients + `
node r 10.0.1.1 2001:db8:1::1 delay=5ms
node t 10.0.9.9 2001:db8:9::9 delay=10ms
path 10.0.9.0/24 2001:db8:9::/64 r t
`

// within opens a socket on a network inside a bubble.
func within(t *testing.T, network string, v icmp.Version, opts ConnOptions, do func(t *testing.T, c *Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := MustParse(network).Listen(v, opts)
		do(t, c)
		_ = c.Close()
	})
}

// request sends one request.
func request(t *testing.T, c *Conn, to string, seq uint16, ttl int) icmp.Request {
	t.Helper()
	reqs := []icmp.Request{{Destination: netip.MustParseAddr(to), Sequence: seq, TTL: ttl}}
	if n, err := c.SendBatch(reqs); n != 1 || err != nil {
		t.Fatalf("SendBatch: %d, %v", n, err)
	}
	return reqs[0]
}

// receive returns the next replies.
func receive(t *testing.T, c *Conn) []icmp.Reply {
	t.Helper()
	replies := make([]icmp.Reply, 64)
	n, err := c.ReceiveBatch(t.Context(), replies)
	if err != nil {
		t.Fatal(err)
	}
	return replies[:n]
}

func TestConnOfEachKind(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, datagram := range []bool{false, true} {
			t.Run(fmt.Sprintf("ping and time exceeded over %v, datagram %v", v, datagram), func(t *testing.T) {
				within(t, plain, v, ConnOptions{Datagram: datagram, ID: 99}, checkPlain)
			})
		}
	}
}

func checkPlain(t *testing.T, c *Conn) {
	to, router := target4, "10.0.1.1"
	if c.version == icmp.V6 {
		to, router = target6, "2001:db8:1::1"
	}
	req := request(t, c, to, 1, 0)
	reply := receive(t, c)[0]
	if req.ID != 99 || !req.Answers(&reply) || reply.Type.IsError() || reply.Size != 64 || reply.TTL != 63 {
		t.Errorf("reply %+v to %+v", reply, req)
	}
	if rtt := reply.Time.Sub(req.Time); rtt != 30*time.Millisecond || reply.Queued != 0 {
		t.Errorf("RTT %v, queued %v", rtt, reply.Queued)
	}
	req = request(t, c, to, 2, 1)
	reply = receive(t, c)[0]
	if !req.Answers(&reply) || !reply.Type.IsError() || reply.Source.String() != router || reply.Quote.Destination.String() != to {
		t.Errorf("reply %+v to %+v", reply, req)
	}
	if rtt := reply.Time.Sub(req.Time); rtt != 10*time.Millisecond {
		t.Errorf("RTT %v", rtt)
	}
	if c.opts.Datagram != (reply.Quote.TTL == 0) || c.opts.Datagram != !reply.Quote.Source.IsValid() || c.opts.Datagram != (reply.Size == 0) {
		t.Errorf("an error queue has no IP header of the quote: %+v", reply)
	}
	if !c.Drained().Equal(time.Now()) {
		t.Errorf("drained until %v at %v", c.Drained(), time.Now())
	}
}

func TestConnWaits(t *testing.T) {
	ended := errors.New("ended")
	cases := []struct {
		name string
		do   func(c *Conn, cancel context.CancelCauseFunc)
		want error
	}{
		{"a deadline ends a receive", func(c *Conn, _ context.CancelCauseFunc) { _ = c.SetReadDeadline(time.Now().Add(time.Second)) }, os.ErrDeadlineExceeded},
		{"a deadline in the past ends it at once", func(c *Conn, _ context.CancelCauseFunc) { _ = c.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"the end of the context ends it with its cause", func(_ *Conn, cancel context.CancelCauseFunc) { cancel(ended) }, ended},
		{"closing ends it", func(c *Conn, _ context.CancelCauseFunc) { _ = c.Close() }, net.ErrClosed},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			within(t, plain, icmp.V4, ConnOptions{}, func(t *testing.T, c *Conn) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				got := make(chan error)
				go func() {
					_, err := c.ReceiveBatch(ctx, make([]icmp.Reply, 1))
					got <- err
				}()
				synctest.Wait()
				tc.do(c, cancel)
				if err := <-got; !errors.Is(err, tc.want) {
					t.Errorf("got %v, want %v", err, tc.want)
				}
			})
		})
	}
}

func TestConnReadsWhatArrivedBeforeTheDeadline(t *testing.T) {
	within(t, plain, icmp.V4, ConnOptions{}, func(t *testing.T, c *Conn) {
		_ = c.SetReadDeadline(time.Now().Add(40 * time.Millisecond))
		request(t, c, target4, 1, 0)
		time.Sleep(50 * time.Millisecond)
		if reply := receive(t, c)[0]; reply.Sequence != 1 {
			t.Errorf("reply %+v", reply)
		}
		if _, err := c.ReceiveBatch(t.Context(), make([]icmp.Reply, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("then %v", err)
		}
	})
}

func TestConnTimesByTheArrival(t *testing.T) {
	cases := []struct {
		name string
		step time.Duration // of the wall clock, after the reply arrived
	}{
		{"a reply that waited was not on its way for longer", 0},
		{"nor was it when the clock was set back meanwhile", -time.Hour},
		{"nor was it when the clock was set forward meanwhile", time.Hour},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			within(t, plain, icmp.V4, ConnOptions{}, func(t *testing.T, c *Conn) {
				req := request(t, c, target4, 1, 0)
				c.Stall()
				go func() {
					time.Sleep(500 * time.Millisecond)
					c.StepClock(tc.step)
					c.Resume()
				}()
				reply := receive(t, c)[0]
				if rtt := reply.Time.Sub(req.Time); rtt != 30*time.Millisecond || reply.Queued != 470*time.Millisecond {
					t.Errorf("RTT %v, queued %v", rtt, reply.Queued)
				}
			})
		})
	}
}
