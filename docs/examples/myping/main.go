// Command myping is a ping on the library's sockets alone.
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
	req := &icmp.Request{Destination: must(netip.ParseAddr(os.Args[len(os.Args)-1]))}
	s := must(socket.Listen(icmp.VersionOf(req.Destination), nil)) // or it says what is in the way
	for req.Sequence = range uint16(4) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		must(s, s.Send(ctx, req))
		if reply, err := s.Receive(ctx, req); err == nil {
			fmt.Println(reply.Source, reply.Kind(), reply.TTL, reply.Time.Sub(req.Time))
		} else {
			fmt.Println("nothing came:", err)
		}
		cancel()
	}
}

// must ends the program if there is an error.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
