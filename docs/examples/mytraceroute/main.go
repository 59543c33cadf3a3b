// Command mytraceroute is a traceroute on the library's sockets alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func main() {
	to, err := netip.ParseAddr(os.Args[len(os.Args)-1])
	if err != nil {
		log.Fatal("usage: mytraceroute ADDRESS")
	}
	s, err := socket.Listen(icmp.VersionOf(to), nil)
	if err != nil {
		log.Fatal(err) // what is in the way, and how to allow it
	}
	defer s.Close()
	if err := trace(s, to, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// trace probes with each TTL in turn, until the answer is not from a router on the path.
func trace(s socket.Conn, to netip.Addr, out io.Writer) error {
	for ttl := 1; ttl <= 30; ttl++ {
		req := &icmp.Request{Destination: to, Sequence: uint16(ttl), TTL: ttl}
		reply, err := ask(s, req)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			fmt.Fprintln(out, ttl, "*")
		case err != nil:
			return err
		default:
			fmt.Fprintln(out, ttl, reply.Source, reply.Time.Sub(req.Time))
			if reply.Kind() != icmp.KindTimeExceeded {
				return nil
			}
		}
	}
	return nil
}

// ask sends one request and waits a second for the answer, or a router's error.
func ask(s socket.Conn, req *icmp.Request) (*icmp.Reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Send(ctx, req); err != nil {
		return nil, err
	}
	return s.Receive(ctx, req)
}
