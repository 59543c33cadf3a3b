package transport_test

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// everyProtocol runs a test for each protocol that the mode has.
func everyProtocol(t *testing.T, modes []mode, test func(t *testing.T, cfg transport.Config)) {
	for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP, icmp.SCTP} {
		t.Run(protocol.String(), func(t *testing.T) {
			everyMode(t, modes, func(t *testing.T, v icmp.Version, m socket.Mode) {
				if protocol == icmp.SCTP && m == socket.Datagram {
					return
				}
				test(t, transport.Config{Version: v, Protocol: protocol, Mode: m})
			})
		})
	}
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	everyProtocol(t, modes, func(t *testing.T, cfg transport.Config) {
		cfg.Ports = 5
		open := func() {
			c, err := transport.Listen(cfg)
			if err != nil {
				t.Fatal(err)
			}
			send(t, c, transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 1})
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the second Close gave %v", err)
			}
		}
		open()
		files, routines := descriptors(t), runtime.NumGoroutine()
		for range 10 {
			open()
		}
		if n := descriptors(t); n > files {
			t.Errorf("%d descriptors are open, before it were %d", n, files)
		}
		if n := runtime.NumGoroutine(); n > routines {
			t.Errorf("%d goroutines run, before it were %d", n, routines)
		}
	})
}

func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestReceivingEndsWhenItHasTo(t *testing.T) {
	everyProtocol(t, modes[:2], func(t *testing.T, cfg transport.Config) {
		c := listen(t, cfg)
		receive := func(ctx context.Context) error {
			_, err := c.ReceiveBatch(ctx, make([]transport.Arrival, 1))
			return err
		}
		before := time.Now()
		if err := c.SetReadDeadline(before.Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := receive(context.Background()); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("at the deadline: %v", err)
		}
		if !c.Drained().After(before) {
			t.Error("the sockets are not known to be drained at the deadline")
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- receive(ctx) }()
		cancel(cause)
		if err := <-ended; err != cause {
			t.Errorf("when its context ended: %v", err)
		}
		go func() { ended <- receive(context.Background()) }()
		c.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("when it was closed: %v", err)
		}
		_, err := c.SendBatch([]transport.Probe{{Destination: loopback(cfg.Version), DestinationPort: 9, Identity: 1}})
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("after it was closed, sending: %v", err)
		}
	})
}

func TestHeldPortsAreNobodyElses(t *testing.T) {
	for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP} {
		t.Run(protocol.String(), func(t *testing.T) {
			everyMode(t, modes[:2], func(t *testing.T, v icmp.Version, m socket.Mode) {
				c := listen(t, transport.Config{Version: v, Protocol: protocol, Mode: m, Ports: 3})
				first, n := c.Ports()
				if protocol == icmp.TCP && m == socket.Datagram {
					if n != 0 {
						t.Errorf("%d ports are held", n)
					}
					return
				}
				other := transport.Config{Version: v, Protocol: protocol, Mode: m, FirstPort: first + 2}
				if _, err := transport.Listen(other); !errors.Is(err, syscall.EADDRINUSE) {
					t.Errorf("another took port %d: %v", first+2, err)
				}
				c.Close()
				listen(t, other)
			})
		})
	}
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	everyProtocol(t, modes[:2], func(t *testing.T, cfg transport.Config) {
		c := listen(t, cfg)
		ok := transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 1}
		for _, tt := range []struct {
			field string
			spoil func(p *transport.Probe)
		}{
			{"Destination", func(p *transport.Probe) { p.Destination = loopback(icmp.V4 + icmp.V6 - cfg.Version) }},
			{"DestinationPort", func(p *transport.Probe) { p.DestinationPort = 0 }},
			{"TTL", func(p *transport.Probe) { p.TTL = 256 }},
			{"TrafficClass", func(p *transport.Probe) { p.TrafficClass = -1 }},
			{"FlowLabel", func(p *transport.Probe) { p.FlowLabel = 1 << 20 }},
		} {
			p := ok
			tt.spoil(&p)
			n, err := c.SendBatch([]transport.Probe{ok, p, ok})
			var field *icmp.FieldError
			if n != 1 || !errors.As(err, &field) || field.Field != tt.field {
				t.Errorf("%s: SendBatch = %d, %v", tt.field, n, err)
			}
		}
	})
}

// fields that only one protocol has.
func TestWhatAProtocolHasNotIsRefused(t *testing.T) {
	everyProtocol(t, modes[:1], func(t *testing.T, cfg transport.Config) {
		c := listen(t, cfg)
		for _, tt := range []struct {
			name     string
			protocol icmp.Protocol
			field    string
			p        transport.Probe
		}{
			{"a payload of a SYN", icmp.TCP, "Payload", transport.Probe{Payload: []byte{1}}},
			{"a payload of an INIT", icmp.SCTP, "Payload", transport.Probe{Payload: []byte{1}, Identity: 1}},
			{"an INIT without tag", icmp.SCTP, "Identity", transport.Probe{}},
			{"a chosen checksum of TCP", icmp.TCP, "Checksum", transport.Probe{Checksum: 1}},
			{"balance at an odd offset", icmp.UDP, "Balance", transport.Probe{Checksum: 1, Balance: 1, Payload: make([]byte, 8)}},
			{"balance behind the payload", icmp.UDP, "Balance", transport.Probe{Checksum: 1, Balance: 8, Payload: make([]byte, 9)}},
			{"a payload that fits into no packet", icmp.UDP, "Payload", transport.Probe{Payload: make([]byte, 65508)}},
			{"a port that is not held", icmp.UDP, "SourcePort", transport.Probe{SourcePort: 1}},
		} {
			if tt.protocol != cfg.Protocol {
				continue
			}
			tt.p.Destination, tt.p.DestinationPort = loopback(cfg.Version), 9
			var field *icmp.FieldError
			if n, err := c.SendBatch([]transport.Probe{tt.p}); n != 0 || !errors.As(err, &field) || field.Field != tt.field {
				t.Errorf("%s: SendBatch = %d, %v", tt.name, n, err)
			}
		}
	})
}

// Who sends reads the answers himself while nobody is woken for them, and afterwards
// they wake again.
func TestAHushedConnIsReadByWhoSends(t *testing.T) {
	everyProtocol(t, modes, func(t *testing.T, cfg transport.Config) {
		if cfg.Protocol == icmp.SCTP {
			return // whether this host answers is not known
		}
		c, err := transport.Listen(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		arrivals := make([]transport.Arrival, 8)
		if err := c.Watch(false); err != nil {
			t.Fatal(err)
		}
		send(t, c, transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 1})
		for deadline, n := time.Now().Add(10*time.Second), 0; n == 0; {
			if n, err = c.ReceiveNow(arrivals); err != nil || time.Now().After(deadline) {
				t.Fatalf("read at once: %d, %v", n, err)
			}
		}
		if n, err := c.ReceiveNow(nil); n != 0 || err != nil {
			t.Errorf("into no room: %d, %v", n, err)
		}
		send(t, c, transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 2})
		if err := c.Watch(true); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if n, err := c.ReceiveBatch(ctx, arrivals); n == 0 || err != nil {
			t.Errorf("what came before it was watched again: %d, %v", n, err)
		}
		send(t, c, transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 3})
		if n, err := c.ReceiveBatch(ctx, arrivals); n == 0 || err != nil {
			t.Errorf("what came afterwards: %d, %v", n, err)
		}
		c.Close()
		if err := c.Watch(false); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Watch of a closed one gave %v", err)
		}
	})
}
