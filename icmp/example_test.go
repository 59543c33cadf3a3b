package icmp_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

func ExampleRequest_Append() {
	req := icmp.Request{
		Destination: netip.MustParseAddr("192.0.2.1"),
		ID:          0x1234,
		Sequence:    1,
		Payload:     []byte("ping"),
	}
	packet, err := req.Append(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x\n", packet)
	// Output: 08 00 06 fa 12 34 00 01 70 69 6e 67
}

func ExampleMessage_Parse() {
	packet := []byte{0, 0, 0x0e, 0xfa, 0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g'}
	var m icmp.Message
	if err := m.Parse(icmp.V4, packet); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v: id %#x, sequence %d, %q\n", m.Type, m.ID, m.Sequence, m.Payload)

	err := m.Parse(icmp.V4, packet[:5])
	fmt.Println(errors.Is(err, icmp.ErrMalformed), err)
	// Output:
	// Echo Reply: id 0x1234, sequence 1, "ping"
	// true malformed packet: ICMP message is truncated
}

func ExampleReply_Err() {
	reply := icmp.Reply{
		Message: icmp.Message{Type: icmp.V6PacketTooBig, MTU: 1280},
		Source:  netip.MustParseAddr("2001:db8::1"),
	}
	err := reply.Err()
	fmt.Println(errors.Is(err, icmp.ErrPacketTooBig), err)
	// Output: true 2001:db8::1: Packet Too Big (MTU 1280)
}

func ExampleExtensions_AppendMPLS() {
	var e icmp.Extensions
	structure := []byte{0x20, 0, 0, 0, 0, 8, 1, 1, 0x03, 0xe8, 0xa7, 0x01}
	if err := e.Parse(structure); err != nil {
		fmt.Println(err)
		return
	}
	for _, label := range e.AppendMPLS(nil) {
		fmt.Println(label.Label, label.TrafficClass, label.BottomOfStack, label.TTL)
	}
	// Output: 16010 3 true 1
}

func ExampleType_CodeString() {
	t := icmp.V4DestinationUnreachable
	fmt.Println(t, "/", t.CodeString(icmp.V4CodePortUnreachable))
	// Output: Destination Unreachable / Port Unreachable
}

func ExampleMessage_Append() {
	m := icmp.Message{Type: icmp.V4TimeExceeded, Payload: []byte("the packet to quote, from its IP header on")}
	packet, err := m.Append(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x, and %d bytes more\n", packet[:8], len(packet)-8)
	// Output: 0b 00 1a f2 00 00 00 00, and 42 bytes more
}

// A request asks a host for the state of its interface eth0; the answer fits into a byte.
func ExampleExtendedEcho() {
	query := icmp.ExtendedEcho{Sequence: 7, Local: true, Name: "eth0"}
	m, err := query.Request(icmp.V4)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v: % x\n", m.Type, m.Payload)

	reply := icmp.Message{Type: icmp.V4ExtendedEchoReply, Payload: []byte{0, 0, 7, 6}}
	var told icmp.ExtendedEcho
	if err := told.Parse(&reply); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("active:", told.Active, "IPv4:", told.IPv4, "IPv6:", told.IPv6)
	// Output:
	// Extended Echo Request: 00 00 07 01 20 00 0f 52 00 08 03 01 65 74 68 30
	// active: true IPv4: true IPv6: false
}
