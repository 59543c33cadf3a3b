// Command sniffer prints the ICMP messages that reach this host. It needs raw
// sockets: root, or CAP_NET_RAW.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func main() {
	six := flag.Bool("6", false, "ICMPv6")
	flag.Parse()
	version := icmp.V4
	if *six {
		version = icmp.V6
	}
	s, err := socket.Listen(version, &socket.Config{Types: icmp.AllTypes(version)})
	if err != nil {
		log.Fatal(err) // what is in the way, and how to allow it
	}
	defer s.Close()
	log.Fatal(sniff(context.Background(), s, os.Stdout))
}

// sniff prints what is received, until that fails or ctx ends.
func sniff(ctx context.Context, s socket.Conn, out io.Writer) error {
	for {
		m, err := s.Receive(ctx, nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%v to %v: %v", m.Source, m.Destination, m.Type)
		if code := m.Type.CodeString(m.Code); code != "" {
			fmt.Fprintf(out, ", %s", code)
		}
		if m.Type.IsError() {
			fmt.Fprintf(out, " (about %v to %v)", m.Quote.Protocol, m.Quote.Destination)
		}
		fmt.Fprintf(out, ", %d bytes, TTL %d\n", m.Size, m.TTL)
	}
}
