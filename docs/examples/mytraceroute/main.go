// Command mytraceroute is a traceroute on the library's sockets alone.
package main

import (
	"context"
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
	trace(s, to, os.Stdout)
}

// trace asks with every TTL who is there.
func trace(s socket.Conn, to netip.Addr, out io.Writer) {
	for ttl := 1; ttl <= 30; ttl++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		req := &icmp.Request{Destination: to, Sequence: uint16(ttl), TTL: ttl}
		err := s.Send(ctx, req)
		var reply *icmp.Reply
		if err == nil {
			reply, err = s.Receive(ctx, req)
		}
		cancel()
		if err != nil {
			fmt.Fprintln(out, ttl, "*")
			continue
		}
		fmt.Fprintln(out, ttl, reply.Source, reply.Time.Sub(req.Time))
		if reply.Kind() != icmp.KindTimeExceeded {
			return
		}
	}
}
