// Command hello speaks a protocol of its own over ICMP: type 253, which RFC 4727
// leaves to experiments. "hello" waits for greetings, "hello ADDRESS NAME" sends
// one. It needs raw sockets: root, or CAP_NET_RAW.
package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

var greeting = icmp.MakeType(icmp.V4, 253)

// Codes of a greeting.
const (
	codeHello  = 0
	codeAnswer = 1
)

func main() {
	s, err := socket.Listen(icmp.V4, &socket.Config{Types: []icmp.Type{greeting}})
	if err != nil {
		log.Fatal(err) // what is in the way, and how to allow it
	}
	defer s.Close()
	ctx := context.Background()
	if len(os.Args) != 3 {
		log.Fatal(serve(ctx, s))
	}
	to, err := netip.ParseAddr(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	answer, err := hello(ctx, s, to, os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}

// serve answers greetings until ctx ends.
func serve(ctx context.Context, s socket.Conn) error {
	for {
		m, err := s.Receive(ctx, nil)
		if err != nil {
			return err
		}
		if m.Code != codeHello {
			continue // an answer, to somebody else on this host
		}
		if err := say(ctx, s, m.Source, codeAnswer, "hello, "+string(m.Payload)); err != nil {
			return err
		}
	}
}

// hello greets a host and returns what it answers.
func hello(ctx context.Context, s socket.Conn, to netip.Addr, name string) (string, error) {
	if err := say(ctx, s, to, codeHello, name); err != nil {
		return "", err
	}
	for {
		m, err := s.Receive(ctx, nil)
		if err != nil {
			return "", err
		}
		if m.Code == codeAnswer && m.Source == to {
			return string(m.Payload), nil
		}
	}
}

func say(ctx context.Context, s socket.Conn, to netip.Addr, code uint8, text string) error {
	return s.Send(ctx, &icmp.Request{
		Destination: to,
		Message:     &icmp.Message{Type: greeting, Code: code, Payload: []byte(text)},
	})
}
