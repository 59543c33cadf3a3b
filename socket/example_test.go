package socket_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func ExampleListenICMPv4() {
	s, err := socket.ListenICMPv4(nil)
	if errors.Is(err, os.ErrPermission) {
		log.Print(err) // names the obstacle, and how to remove it
		return
	}
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req := &icmp.Request{Destination: netip.MustParseAddr("127.0.0.1"), Sequence: 1}
	if err := s.Send(ctx, req); err != nil {
		log.Print(err)
		return
	}
	reply, err := s.Receive(ctx, req)
	if err != nil {
		log.Print(err)
		return
	}
	rtt := reply.Time.Sub(req.Time)
	fmt.Println(reply.Source, reply.Kind(), rtt > 0, reply.Err())
	// Output: 127.0.0.1 echo reply true <nil>
}

// A ping of either IP version, in twenty lines.
func ExampleListen_v4() {
	to := netip.MustParseAddr("127.0.0.1")
	s, err := socket.Listen(icmp.VersionOf(to), nil)
	if err != nil {
		log.Print(err) // names the obstacle, and how to remove it
		return
	}
	defer s.Close()
	for seq := range uint16(2) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		req := &icmp.Request{Destination: to, Sequence: seq}
		if err := s.Send(ctx, req); err != nil {
			log.Print(err)
		}
		if reply, err := s.Receive(ctx, req); err != nil {
			log.Print(err)
		} else {
			fmt.Println(reply.Source, reply.Sequence, reply.Kind(), reply.Time.After(req.Time))
		}
		cancel()
	}
	// Output:
	// 127.0.0.1 0 echo reply true
	// 127.0.0.1 1 echo reply true
}

func ExampleListenICMPv6() {
	s, err := socket.ListenICMPv6(&socket.Config{DontFragment: true})
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	fmt.Println(s.ID() != 0, s.LocalAddr())
	// Output: true ::
}

// The simplest traceroute: it sends a request for each TTL, and prints the host that
// answers. It also works without privileges.
func ExampleICMPv4_Receive() {
	s, err := socket.ListenICMPv4(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	for ttl := 1; ttl <= 30; ttl++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		req := &icmp.Request{Destination: netip.MustParseAddr("127.0.0.1"), Sequence: uint16(ttl), TTL: ttl}
		err := s.Send(ctx, req)
		var reply *icmp.Reply
		if err == nil {
			reply, err = s.Receive(ctx, req)
		}
		cancel()
		if err != nil {
			log.Print(ttl, err)
			continue
		}
		fmt.Println(ttl, reply.Source, reply.Kind())
		if reply.Kind() == icmp.KindEchoReply {
			return
		}
	}
	// Output: 1 127.0.0.1 echo reply
}

func ExampleICMPv4_SendBatch() {
	s, err := socket.ListenICMPv4(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	reqs := make([]icmp.Request, 64)
	for i := range reqs {
		reqs[i] = icmp.Request{Destination: netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), Sequence: uint16(i)}
	}
	sent, err := s.SendBatch(reqs) // one system call
	if err != nil && !socket.IsBusy(err) {
		log.Print(err)
		return
	}
	answered, replies := 0, make([]icmp.Reply, 64)
	for answered < sent {
		n, err := s.ReceiveBatch(context.Background(), replies)
		if err != nil {
			log.Print(err)
			return
		}
		answered += n
	}
	fmt.Println(answered, "of", len(reqs))
	// Output: 64 of 64
}

// A goroutine that sends many requests and reads the answers itself saves the cost of
// waking another one.
func ExampleICMPv4_ReceiveNow() {
	s, err := socket.ListenICMPv4(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	if err := s.Watch(false); err != nil {
		log.Print(err) // errors.ErrUnsupported on systems other than Linux
		return
	}
	answered, replies := 0, make([]icmp.Reply, 8)
	for i := range 100 {
		req := &icmp.Request{Destination: netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), Sequence: uint16(i)}
		if err := s.Send(context.Background(), req); err != nil {
			log.Print(err)
			return
		}
		n, err := s.ReceiveNow(replies)
		if err != nil {
			log.Print(err)
			return
		}
		answered += n
	}
	fmt.Println(answered, "of 100")
	// Output: 100 of 100
}

func ExampleICMPv6_Watch() {
	s, err := socket.ListenICMPv6(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	for _, on := range []bool{false, true} { // ReceiveNow in between
		if err := s.Watch(on); err != nil {
			log.Print(err)
			return
		}
	}
	fmt.Println("Receive waits again")
	// Output: Receive waits again
}

func ExampleICMPv4_SetReceiveBuffer() {
	s, err := socket.ListenICMPv4(&socket.Config{ReceiveBuffer: 64 << 10})
	if err != nil {
		log.Print(err)
		return
	}
	defer s.Close()
	before, err := s.ReceiveBuffer()
	if err != nil {
		log.Print(err)
		return
	}
	if err := s.SetReceiveBuffer(128 << 10); err != nil {
		log.Print(err)
		return
	}
	after, err := s.ReceiveBuffer()
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(after > before, s.Backlog())
	// Output: true 0
}
