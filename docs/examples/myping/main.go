// Command myping is a probe tool of one's own, on the library's sockets alone.
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: myping IPV4-ADDRESS")
	}
	to, err := netip.ParseAddr(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	s, err := socket.ListenICMPv4(nil)
	if err != nil {
		log.Fatal(err) // what is in the way, and how to allow it
	}
	defer s.Close()
	for seq := range uint16(4) {
		if err := ask(s, &icmp.Request{Destination: to, Sequence: seq}); err != nil {
			log.Print(err)
		}
	}
}

// ask sends one request and prints who answers: the host, or a router with an error.
func ask(s *socket.ICMPv4, req *icmp.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Send(ctx, req); err != nil {
		return err
	}
	reply, err := s.Receive(ctx, req)
	if err != nil {
		return err // of the context where nobody answered in time
	}
	fmt.Println(reply.Source, reply.Kind(), reply.TTL, reply.Time.Sub(req.Time))
	return nil
}
