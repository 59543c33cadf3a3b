package socket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// sock is what the sockets of both families can do.
type sock interface {
	Send(context.Context, *icmp.Request) error
	SendBatch([]icmp.Request) (int, error)
	Receive(context.Context, *icmp.Request) (*icmp.Reply, error)
	ReceiveBatch(context.Context, []icmp.Reply) (int, error)
	SetReadDeadline(time.Time) error
	Drained() time.Time
	Mode() socket.Mode
	ID() uint16
	LocalAddr() netip.Addr
	Counters() socket.Counters
	Close() error
}

var (
	_ sock = (*socket.ICMPv4)(nil)
	_ sock = (*socket.ICMPv6)(nil)
)

// listen opens a socket that the end of the test closes.
func listen(t *testing.T, v icmp.Version, cfg *socket.Config) sock {
	t.Helper()
	s, err := open(v, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func open(v icmp.Version, cfg *socket.Config) (sock, error) {
	if v == icmp.V4 {
		s, err := socket.ListenICMPv4(cfg)
		return s, err
	}
	s, err := socket.ListenICMPv6(cfg)
	return s, err
}

func loopback(v icmp.Version) netip.Addr {
	if v == icmp.V4 {
		return netip.MustParseAddr("127.0.0.1")
	}
	return netip.IPv6Loopback()
}

// everySocket runs a test with each kind of socket of each family, with
// privileges, and with the kinds that do without, without.
func everySocket(t *testing.T, test func(t *testing.T, v icmp.Version, mode socket.Mode)) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, tt := range []struct {
			name         string
			mode         socket.Mode
			unprivileged bool
		}{
			{"raw", socket.Raw, false},
			{"datagram", socket.Datagram, false},
			{"datagram unprivileged", socket.Datagram, true},
		} {
			t.Run(v.String()+" "+tt.name, func(t *testing.T) {
				netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: tt.unprivileged}, func(t *testing.T) {
					test(t, v, tt.mode)
				})
			})
		}
	}
}

func TestEcho(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		if s.Mode() != mode {
			t.Errorf("the mode is %v, want %v", s.Mode(), mode)
		}
		payload := []byte("the quick brown fox")
		req := &icmp.Request{Destination: loopback(v), Sequence: 0xfedc, Payload: payload, ID: 1}
		if err := s.Send(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if req.ID != s.ID() || req.ID == 0 {
			t.Errorf("the request was sent with the id %d, the socket's is %d", req.ID, s.ID())
		}
		reply, err := s.Receive(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		checkEcho(t, reply, req, payload)
	})
}

func checkEcho(t *testing.T, reply *icmp.Reply, req *icmp.Request, payload []byte) {
	t.Helper()
	if reply.Kind() != icmp.KindEchoReply || reply.Err() != nil {
		t.Errorf("the reply is %v, %v", reply.Kind(), reply.Err())
	}
	if reply.Source != req.Destination || reply.Destination != req.Destination {
		t.Errorf("the reply is from %v to %v, want %v both", reply.Source, reply.Destination, req.Destination)
	}
	if reply.ID != req.ID || reply.Sequence != req.Sequence || !bytes.Equal(reply.Payload, payload) {
		t.Errorf("the reply is %d/%d %q", reply.ID, reply.Sequence, reply.Payload)
	}
	if reply.Size != len(payload)+8 {
		t.Errorf("the size is %d, want %d", reply.Size, len(payload)+8)
	}
	if reply.TTL != 64 || reply.InterfaceIndex != 1 {
		t.Errorf("TTL %d on interface %d, want 64 on 1", reply.TTL, reply.InterfaceIndex)
	}
	if rtt := reply.Time.Sub(req.Time); rtt <= 0 || rtt > time.Minute {
		t.Errorf("the round-trip time is %v", rtt)
	}
}

func TestTrafficClassGoesWithThePacket(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		// The kernel answers an echo with the request's own traffic class.
		for i, class := range []int{0x48, 0, 0xb8} {
			req := &icmp.Request{Destination: loopback(v), Sequence: uint16(i), TrafficClass: class}
			if err := s.Send(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			reply, err := s.Receive(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if int(reply.TrafficClass) != class {
				t.Errorf("the reply has the traffic class %#x, want %#x", reply.TrafficClass, class)
			}
		}
	})
}

func TestPayloadsOfEverySize(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		for i, size := range []int{-1, 1, 56, 1473, 9001, icmp.MaxSize} {
			req := &icmp.Request{Destination: loopback(v), Sequence: uint16(i), Size: size}
			if err := s.Send(t.Context(), req); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			reply, err := s.Receive(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if want := max(size, 0) + 8; reply.Size != want || len(reply.Payload) != want-8 {
				t.Errorf("size %d: the reply has %d bytes and a payload of %d", size, reply.Size, len(reply.Payload))
			}
		}
	})
}

func TestBatches(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		const n = 300
		s := listen(t, v, &socket.Config{Mode: mode})
		reqs := make([]icmp.Request, n)
		for i := range reqs {
			reqs[i] = icmp.Request{Destination: loopback(v), Sequence: uint16(i)}
		}
		if sent, err := s.SendBatch(reqs); sent != n || err != nil {
			t.Fatalf("sent %d of %d: %v", sent, n, err)
		}
		seen := make(map[uint16]bool)
		replies := make([]icmp.Reply, 40)
		for len(seen) < n {
			k, err := s.ReceiveBatch(t.Context(), replies)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range replies[:k] {
				if seen[r.Sequence] {
					t.Fatalf("the reply %d came twice", r.Sequence)
				}
				seen[r.Sequence] = true
			}
		}
	})
}

func TestABatchStopsAtWhatCannotBeSent(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		reqs := []icmp.Request{
			{Destination: loopback(v), Sequence: 1},
			{Destination: loopback(v), Sequence: 2},
			{Destination: loopback(v), Sequence: 3, TTL: 256},
			{Destination: loopback(v), Sequence: 4},
		}
		sent, err := s.SendBatch(reqs)
		var config *socket.ConfigError
		if sent != 2 || !errors.As(err, &config) || config.Field != "TTL" {
			t.Fatalf("sent %d, then %v; want 2, then the TTL refused", sent, err)
		}
		unroutable := map[icmp.Version]string{icmp.V4: "192.0.2.1", icmp.V6: "2001:db8::1"}[v]
		reqs[2] = icmp.Request{Destination: netip.MustParseAddr(unroutable)}
		sent, err = s.SendBatch(reqs)
		var op *socket.OpError
		if sent != 2 || !errors.As(err, &op) || op.Addr.String() != unroutable {
			t.Fatalf("sent %d, then %v; want 2, then no route to %s", sent, err, unroutable)
		}
	})
}

func TestABatchOnAClosedSocket(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		s.Close()
		reqs := []icmp.Request{{Destination: loopback(v), Sequence: 1}, {Destination: loopback(v), Sequence: 2}}
		if sent, err := s.SendBatch(reqs); sent != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("sent %d, then %v", sent, err)
		}
		if sent, err := s.SendBatch(nil); sent != 0 || err != nil {
			t.Errorf("of none sent %d, then %v", sent, err)
		}
	})
}

func TestTwoSocketsHaveTheirOwnReplies(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		a, b := listen(t, v, &socket.Config{Mode: mode}), listen(t, v, &socket.Config{Mode: mode})
		if a.ID() == b.ID() {
			t.Fatalf("both sockets have the id %d", a.ID())
		}
		for _, s := range []sock{a, b} {
			if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(v), Sequence: s.ID()}); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range []sock{b, a} {
			reply, err := s.Receive(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if reply.Sequence != s.ID() {
				t.Errorf("the socket %d received the reply to %d", s.ID(), reply.Sequence)
			}
			if foreign := s.Counters().Foreign; foreign != 0 {
				t.Errorf("the kernel let %d foreign messages through", foreign)
			}
		}
	})
}

func TestAnIDIsExclusive(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode, ID: 4711})
		if s.ID() != 4711 {
			t.Errorf("the id is %d, want 4711", s.ID())
		}
		if second, err := open(v, &socket.Config{Mode: mode, ID: 4711}); err == nil {
			second.Close()
			t.Error("a second socket got the same id")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		listen(t, v, &socket.Config{Mode: mode, ID: 4711})
	})
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() {
			_, err := s.Receive(ctx, nil)
			ended <- err
		}()
		cancel(cause)
		if err := <-ended; !errors.Is(err, cause) {
			t.Errorf("Receive ended with %v, want the cause of its context", err)
		}
		// The socket is as good as before.
		req := &icmp.Request{Destination: loopback(v)}
		if err := s.Send(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(t.Context(), req); err != nil {
			t.Error(err)
		}
	})
}

func TestReceiveEndsWithTheSocket(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		ended := make(chan error)
		go func() {
			_, err := s.Receive(context.Background(), nil)
			ended <- err
		}()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive ended with %v, want net.ErrClosed", err)
		}
		if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(v)}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send on a closed socket: %v, want net.ErrClosed", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the second Close: %v, want net.ErrClosed", err)
		}
	})
}

func TestTheReadDeadline(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(v), Sequence: 9}); err != nil {
			t.Fatal(err)
		}
		past := time.Now()
		if err := s.SetReadDeadline(past); err != nil {
			t.Fatal(err)
		}
		// What is there is read though the deadline has passed.
		if reply, err := s.Receive(t.Context(), nil); err != nil || reply.Sequence != 9 {
			t.Fatalf("received %v, %v; want the reply that was there", reply, err)
		}
		if _, err := s.Receive(t.Context(), nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("received %v, want os.ErrDeadlineExceeded", err)
		}
		if s.Drained().Before(past) {
			t.Error("the queue is not known to be drained at the deadline")
		}
	})
}

// Other traffic must not prolong a wait.
func TestAWaitIsNotProlongedByOthers(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var sending sync.WaitGroup
		sending.Go(func() {
			for ctx.Err() == nil {
				_ = s.Send(ctx, &icmp.Request{Destination: loopback(v), Sequence: 1})
			}
		})
		defer sending.Wait()
		awaited := &icmp.Request{Destination: loopback(v), Sequence: 2, ID: s.ID()}
		if _, err := s.Receive(ctx, awaited); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive ended with %v, want the deadline", err)
		}
	})
}
