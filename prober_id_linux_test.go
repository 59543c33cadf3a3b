package icmplib

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

const fixedID = 4711

// What leaves has the id, by sockets of either kind, and the replies are credited.
func TestTheIDOfAProberIsThatOfItsEchoRequests(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			for _, target := range []string{"127.0.0.1", "::1"} {
				t.Run(mode.String()+" to "+target, func(t *testing.T) { checkFixedID(t, mode, target) })
			}
		}
	})
}

func checkFixedID(t *testing.T, mode socket.Mode, target string) {
	version, request := icmp.V4, icmp.V4EchoRequest
	if target == "::1" {
		version, request = icmp.V6, icmp.V6EchoRequest
	}
	sniffer, err := socket.Listen(version, &socket.Config{Types: []icmp.Type{request}})
	if err != nil {
		t.Fatal(err)
	}
	defer sniffer.Close()
	p, err := NewProber(&Config{Mode: mode, ID: fixedID})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	host, err := p.Ping(t.Context(), target, &PingOptions{Count: 3, Interval: time.Millisecond})
	if err != nil || host.PacketsReceived != 3 {
		t.Fatalf("%v, %v", host, err)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		seen, err := sniffer.Receive(ctx, nil)
		cancel()
		if err != nil || seen.ID != fixedID {
			t.Fatalf("%+v, %v, want the id %d", seen, err, fixedID)
		}
	}
}

// A second Prober with the id, and one that needs a second socket, say what is wrong
// before they send.
func TestAnIDThatIsTakenIsRefused(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			first, second := idProber(t, mode), idProber(t, mode)
			if _, err := first.Ping(t.Context(), "127.0.0.1", &PingOptions{Count: 1}); err != nil {
				t.Fatal(err)
			}
			for what, p := range map[string]*Prober{"another Prober": second, "another socket": first} {
				_, err := p.Ping(t.Context(), "127.0.0.1", &PingOptions{Count: 1, Packet: Packet{DontFragment: true}})
				if _, ok := errors.AsType[*socket.OpError](err); !ok {
					t.Errorf("%v, %s: %v", mode, what, err)
				}
			}
		}
	})
}

func idProber(t *testing.T, mode socket.Mode) *Prober {
	t.Helper()
	p, err := NewProber(&Config{Mode: mode, ID: fixedID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// With an id there is one socket: what does not fit into its sequence numbers waits.
func TestAProberWithAnIDWaitsForSequenceNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hosts = 1 << 16 // one more than there are sequence numbers
		n := netsim.MustParse("client 192.0.2.1\nnode t 10.0.0.1 deaf\npath 10.0.0.0/8 t\n")
		n.Quiet(true)
		p := simProber(t, n, false)
		defer p.Close()
		p.cfg.ID = fixedID
		opened, listen := 0, p.listen
		p.listen = func(key socketKey) (engine.Medium, error) {
			opened++
			return listen(key)
		}
		count, start := 0, time.Now()
		opts := &MultiPingOptions{Count: 1, Timeout: 10 * time.Second, Rate: -1}
		for host, err := range p.MultiPingSeq(t.Context(), func(yield func(string) bool) {
			for i := range hosts {
				if !yield(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()) {
					return
				}
			}
		}, opts) {
			if err != nil {
				t.Fatal(err)
			}
			count += host.Silent
		}
		if took := time.Since(start); opened != 1 || count != hosts || took < 20*time.Second {
			t.Errorf("%d sockets, %d silent, %v: want one socket, and two timeouts for %d probes", opened, count, took, hosts)
		}
	})
}
