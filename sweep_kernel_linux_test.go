package icmplib_test

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/standin"
	"github.com/goicmp/icmplib/socket"
)

// held is the system with receive buffers of 200 KiB, which do not grow.
type held struct{ *net.Resolver }

func (held) Listen(s sockets.Spec) (engine.Medium, error) {
	c, err := socket.ListenICMPv4(&socket.Config{Mode: s.Mode, ReceiveBuffer: 200 << 10})
	if err != nil {
		return nil, err
	}
	return engine.OverEcho(rigid{c}), nil
}

type rigid struct{ *socket.ICMPv4 }

func (rigid) SetReceiveBuffer(int) error { return errors.ErrUnsupported }

// A sweep without a limit of its rate, over round trips of 200 ms: thousands of
// replies are on their way while more is sent. Our own sockets lose next to
// nothing of them, and what they do lose is not passed off as the network's.
func TestASweepWithLongRoundTripsIsNotLostInOurOwnSocket(t *testing.T) {
	const hosts = 30_000
	for _, tt := range []struct {
		mode  socket.Mode
		small bool
	}{{socket.Raw, false}, {socket.Datagram, false}, {socket.Raw, true}, {socket.Datagram, true}} {
		t.Run(fmt.Sprintf("%v, small buffer: %v", tt.mode, tt.small), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) {
				n := netsim.MustParse("client 192.0.2.1\nnode t 10.1.0.1 delay=100ms\npath 10.1.0.0/16 t")
				n.Quiet(true)
				netlab.Carry(t, n, netlab.Device{})
				p, err := icmplib.NewProber(&icmplib.Config{Mode: tt.mode})
				check(t, err)
				defer p.Close()
				if tt.small {
					standin.Put(p, held{net.DefaultResolver})
				}
				start := time.Now()
				lost, suspect := 0, 0
				for h, err := range p.MultiPingSeq(t.Context(), func(yield func(string) bool) {
					for i := range hosts {
						if !yield(fmt.Sprintf("10.1.%d.%d", i>>8, i&255)) {
							return
						}
					}
				}, &icmplib.MultiPingOptions{Count: 1, Rate: -1, Timeout: 5 * time.Second}) {
					check(t, err)
					lost += h.Silent
					suspect += h.Suspect
					// A call for eight probes takes up to 20 µs, and each is stamped by its place.
					if h.IsAlive() && h.MinRTT() < 200*time.Millisecond-20*time.Microsecond {
						t.Errorf("%v is faster than the network", h)
					}
				}
				c := p.Counters()
				t.Logf("%d packets in %v: %d lost, %d of them suspect, %d dropped by our sockets", c.PacketsSent, time.Since(start), lost, suspect, c.Dropped)
				// What is lost beside is the device's, whose reader is this process.
				most := uint64(hosts / 1000)
				if tt.small {
					// It has room for 160 messages: what a machine that keeps this process
					// from running for 50 ms, at times, cannot but lose (see the test of
					// such pauses in internal/engine).
					most = hosts / 10
				}
				if c.Dropped > most {
					t.Errorf("our sockets dropped %d of %d", c.Dropped, hosts)
				}
				if suspect > 2*int(c.Dropped) {
					t.Errorf("%d are suspect, and our sockets dropped %d", suspect, c.Dropped)
				}
				if lost > hosts/2 {
					t.Errorf("%d of %d are lost", lost, hosts)
				}
			})
		})
	}
}
