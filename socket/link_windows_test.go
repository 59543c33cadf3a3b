package socket_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// echoSocket is a socket in datagram mode: the IP Helper API.
func echoSocket(t *testing.T) *socket.ICMPv4 {
	t.Helper()
	s, err := socket.ListenICMPv4(&socket.Config{Mode: socket.Datagram})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAutoNeedsNoAdministrator(t *testing.T) {
	s, err := socket.ListenICMPv4(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Mode() != socket.Datagram {
		t.Errorf("the mode is %v", s.Mode())
	}
}

func TestTheReplyIsToTheRequest(t *testing.T) {
	s := echoSocket(t)
	for _, size := range []int{0, 1, 56, 1473, 8192} {
		req := &icmp.Request{Destination: loopback(icmp.V4), Sequence: uint16(size), Payload: bytes.Repeat([]byte{7}, size), Timeout: 5 * time.Second}
		if err := s.Send(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		r, err := s.Receive(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind() != icmp.KindEchoReply || r.Source != req.Destination || r.ID != s.ID() || r.Sequence != req.Sequence {
			t.Errorf("got %v from %v, id %d, sequence %d", r.Kind(), r.Source, r.ID, r.Sequence)
		}
		if !bytes.Equal(r.Payload, req.Payload) || r.Size != 8+size || r.TTL != 64 {
			t.Errorf("of %d bytes %d came back, in a message of %d with a TTL of %d", size, len(r.Payload), r.Size, r.TTL)
		}
		if r.CounterRTT <= 0 || r.CounterRTT > 5*time.Second || r.Stamped {
			t.Errorf("it took %v by the counter", r.CounterRTT)
		}
	}
}

// Under Wine there is room for 256 requests: sending waits, and none is lost.
func TestEveryOneOfManyRequestsIsAnswered(t *testing.T) {
	const n = 1000
	s := echoSocket(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		for seq := range n {
			if err := s.Send(ctx, &icmp.Request{Destination: loopback(icmp.V4), Sequence: uint16(seq)}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	var answered [n]bool
	replies := make([]icmp.Reply, 64)
	for got := 0; got < n; {
		k, err := s.ReceiveBatch(ctx, replies)
		if err != nil {
			t.Fatalf("after %d replies: %v; sending: %v; %+v", got, err, <-sent, s.Counters())
		}
		for _, r := range replies[:k] {
			if answered[r.Sequence] {
				t.Errorf("%d was answered twice", r.Sequence)
			}
			answered[r.Sequence] = true
		}
		got += k
	}
	if err := <-sent; err != nil || s.Counters() != (socket.Counters{}) {
		t.Errorf("sending ended with %v; %+v", err, s.Counters())
	}
}

func TestTheDeadlineComesAfterWhatHasCompleted(t *testing.T) {
	s := echoSocket(t)
	before := time.Now()
	if err := s.SetReadDeadline(before); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(t.Context(), nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if s.Drained().Before(before) {
		t.Errorf("all is handed out up to %v before the deadline", before.Sub(s.Drained()))
	}
}

func TestClosingEndsWhoeverReceives(t *testing.T) {
	s := echoSocket(t)
	ended := make(chan error)
	go func() {
		_, err := s.Receive(context.Background(), nil)
		ended <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the receive ended with %v", err)
	}
	if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(icmp.V4)}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sending ended with %v", err)
	}
	if err := s.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing again gives %v", err)
	}
}

// What is pending when a socket closes completes into buffers that outlive it.
func TestClosingWithRequestsPending(t *testing.T) {
	for range 20 {
		s := echoSocket(t)
		for seq := range uint16(10) {
			if err := s.Send(t.Context(), &icmp.Request{Destination: loopback(icmp.V4), Sequence: seq}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	TestTheReplyIsToTheRequest(t)
}

func TestWhatTheAPICannotIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    icmp.Version
		cfg  socket.Config
		want error
	}{
		{"a source that is not ours", icmp.V4, socket.Config{Source: netip.MustParseAddr("192.0.2.99")}, syscall.EADDRNOTAVAIL},
		{"a routing mark", icmp.V4, socket.Config{Mark: 1}, errors.ErrUnsupported},
		{"DontFragment over IPv6", icmp.V6, socket.Config{DontFragment: true}, errors.ErrUnsupported},
	} {
		tt.cfg.Mode = socket.Datagram
		s, err := open(tt.v, &tt.cfg)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	s := echoSocket(t)
	for _, to := range []string{"255.255.255.255", "127.255.255.255"} {
		if err := s.Send(t.Context(), &icmp.Request{Destination: netip.MustParseAddr(to)}); !errors.Is(err, socket.ErrBroadcast) {
			t.Errorf("a broadcast to %s ended with %v", to, err)
		}
	}
	if err := s.SetBroadcast(true); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("allowing broadcast gives %v", err)
	}
}
