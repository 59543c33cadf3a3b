package netsim

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func TestConnSendFailures(t *testing.T) {
	within(t, plain, icmp.V4, ConnOptions{}, func(t *testing.T, c *Conn) {
		reqs := make([]icmp.Request, 3)
		for i := range reqs {
			reqs[i] = icmp.Request{Destination: netip.MustParseAddr(target4), Sequence: uint16(i)}
		}
		c.FailSend(1, syscall.ENOBUFS)
		if n, err := c.SendBatch(reqs); n != 0 || !socket.IsBusy(err) {
			t.Errorf("first: %d, %v", n, err)
		}
		if n, err := c.SendBatch(reqs); n != 3 || err != nil {
			t.Errorf("then: %d, %v", n, err)
		}
		reqs[1].Destination = netip.MustParseAddr(target6)
		var field *icmp.FieldError
		if n, err := c.SendBatch(reqs); n != 1 || !errors.As(err, &field) {
			t.Errorf("with an address of the other version: %d, %v", n, err)
		}
		_ = c.Close()
		if _, err := c.SendBatch(reqs); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestConnCounters(t *testing.T) {
	const corrupting = clients + "node t 10.0.9.9 2001:db8:9::9 answer-corrupt@2\npath 10.0.9.9 2001:db8:9::9 t"
	cases := []struct {
		name string
		net  string
		v    icmp.Version
		opts ConnOptions
		want socket.Counters
		got  int // replies of five
	}{
		{"a full queue drops", plain, icmp.V4, ConnOptions{QueueLimit: 3}, socket.Counters{Dropped: 2}, 3},
		{"a wrong checksum reaches a raw socket of IPv4", corrupting, icmp.V4, ConnOptions{}, socket.Counters{Malformed: 1}, 4},
		{"but no datagram socket", corrupting, icmp.V4, ConnOptions{Datagram: true}, socket.Counters{}, 4},
		{"and no socket of IPv6", corrupting, icmp.V6, ConnOptions{}, socket.Counters{}, 4},
		{"another id is filtered", clients + "node t 10.0.9.9 id=+1@1\npath 10.0.9.9 t", icmp.V4, ConnOptions{}, socket.Counters{}, 4},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			within(t, tc.net, tc.v, tc.opts, func(t *testing.T, c *Conn) {
				to := target4
				if tc.v == icmp.V6 {
					to = target6
				}
				for seq := range 5 {
					request(t, c, to, uint16(seq), 0)
				}
				time.Sleep(time.Second)
				if got := len(receive(t, c)); got != tc.got {
					t.Errorf("%d replies, want %d", got, tc.got)
				}
				if got := c.Counters(); got != tc.want {
					t.Errorf("counters %+v, want %+v", got, tc.want)
				}
			})
		})
	}
}

func TestConnRepliesAreValidUntilTheNextReceive(t *testing.T) {
	within(t, plain, icmp.V4, ConnOptions{}, func(t *testing.T, c *Conn) {
		request(t, c, target4, 1, 0)
		first := receive(t, c)[0]
		kept := first.Clone()
		request(t, c, target4, 2, 1)
		receive(t, c)
		if first.Payload[55] != poison || kept.Payload[55] != 55 {
			t.Errorf("payload %x, clone %x", first.Payload, kept.Payload)
		}
	})
}

func TestConnHearsNoise(t *testing.T) {
	const noisy = plain + "noise errors rate=50 options\nnoise replies rate=500\nnoise malformed rate=100\nnoise garbage rate=100"
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		within(t, noisy, v, ConnOptions{ID: 1}, func(t *testing.T, c *Conn) {
			to := target4
			if v == icmp.V6 {
				to = target6
			}
			for seq := range uint16(50) {
				req := request(t, c, to, seq, 0)
				for answered := false; !answered; {
					for _, reply := range receive(t, c) {
						answered = answered || req.Answers(&reply)
					}
				}
			}
			if got := c.Counters(); v == icmp.V6 && got.Foreign == 0 {
				t.Errorf("quotes with extension headers pass the filter of a raw socket: %+v", got)
			}
		})
	}
}

func TestConnOutsideOfABubble(t *testing.T) {
	c := MustParse(clients+"node t 10.0.9.9 delay=1us\npath 10.0.9.9 t").Listen(icmp.V4, ConnOptions{})
	req := request(t, c, target4, 1, 0)
	reply := receive(t, c)[0]
	if rtt := reply.Time.Sub(req.Time); rtt != 2*time.Microsecond {
		t.Errorf("RTT %v", rtt)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
