package transport

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

const (
	filterFirst = 40000
	filterPorts = 3
)

// ports makes the first 16 bytes of a transport packet, with the one byte that
// a filter looks at.
func ports(source, destination uint16, at int, value uint8) []byte {
	b := make([]byte, 16)
	binary.BigEndian.PutUint16(b, source)
	binary.BigEndian.PutUint16(b[2:], destination)
	if at > 0 {
		b[at] = value
	}
	return b
}

// packet4 makes an IPv4 packet with options of the given length.
func packet4(protocol icmp.Protocol, options int, payload []byte) []byte {
	b := make([]byte, 20+options, 20+options+len(payload))
	b[0], b[9] = 0x40|uint8((20+options)/4), uint8(protocol)
	return append(b, payload...)
}

func packet6(next icmp.Protocol, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[6] = 0x60, uint8(next)
	return append(b, payload...)
}

func message(typ icmp.Type, quoted []byte) []byte {
	return append([]byte{typ.Number(), 0, 0, 0, 0, 0, 0, 0}, quoted...)
}

func TestTheFilterOfDirectAnswers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol icmp.Protocol
		segment  []byte
		want     bool
	}{
		{"a datagram to our first port", icmp.UDP, ports(53, 40000, 0, 0), true},
		{"a datagram to our last port", icmp.UDP, ports(53, 40002, 0, 0), true},
		{"a datagram to the port behind ours", icmp.UDP, ports(53, 40003, 0, 0), false},
		{"a datagram to the port before ours", icmp.UDP, ports(53, 39999, 0, 0), false},
		{"a datagram from a port like ours", icmp.UDP, ports(40000, 53, 0, 0), false},
		{"a SYN-ACK", icmp.TCP, ports(80, 40001, 13, 0x12), true},
		{"a SYN-ACK with ECN", icmp.TCP, ports(80, 40001, 13, 0x52), true},
		{"a SYN-ACK to another's port", icmp.TCP, ports(80, 50001, 13, 0x12), false},
		{"a RST", icmp.TCP, ports(80, 40001, 13, 0x04), false},
		{"a RST with ACK", icmp.TCP, ports(80, 40001, 13, 0x14), true},
		{"a SYN", icmp.TCP, ports(80, 40001, 13, 0x02), false},
		{"an ACK", icmp.TCP, ports(80, 40001, 13, 0x10), false},
		{"an INIT ACK", icmp.SCTP, ports(80, 40001, 12, 2), true},
		{"an ABORT", icmp.SCTP, ports(80, 40001, 12, 6), true},
		{"an INIT", icmp.SCTP, ports(80, 40001, 12, 1), false},
		{"an ABORT to another's port", icmp.SCTP, ports(80, 1, 12, 6), false},
		{"a TCP header cut short", icmp.TCP, ports(80, 40001, 13, 0x12)[:12], false},
		{"nothing", icmp.UDP, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program4 := segmentFilter(icmp.V4, tt.protocol, filterFirst, filterPorts)
			checkFilter(t, program4, packet4(tt.protocol, 0, tt.segment), tt.want)
			checkFilter(t, program4, packet4(tt.protocol, 24, tt.segment), tt.want)
			checkFilter(t, segmentFilter(icmp.V6, tt.protocol, filterFirst, filterPorts), tt.segment, tt.want)
		})
	}
}

func TestTheFilterOfErrors(t *testing.T) {
	ours, others := ports(40002, 80, 0, 0)[:8], ports(40003, 80, 0, 0)[:8]
	for _, tt := range []struct {
		name   string
		quoted icmp.Protocol
		packet []byte
		want   bool
	}{
		{"about a probe of ours", icmp.TCP, ours, true},
		{"about a packet from another port", icmp.TCP, others, false},
		{"about another protocol from our port", icmp.UDP, ours, false},
		{"that is cut short", icmp.TCP, ours[:1], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v4 := errorFilter4(icmp.TCP, filterFirst, filterPorts)
			for _, options := range []int{0, 40} {
				checkFilter(t, v4, packet4(icmp.ICMP, 8, message(icmp.V4TimeExceeded, packet4(tt.quoted, options, tt.packet))), tt.want)
			}
			v6 := errorFilter6(icmp.TCP, filterFirst, filterPorts)
			checkFilter(t, v6, message(icmp.V6TimeExceeded, packet6(tt.quoted, tt.packet)), tt.want)
		})
	}
}

func TestErrorsAboutExtensionHeadersAreLookedAtLater(t *testing.T) {
	program := errorFilter6(icmp.TCP, filterFirst, filterPorts)
	for next, want := range map[uint8]bool{
		wire.ProtocolHopByHop: true, wire.ProtocolRouting: true, wire.ProtocolFragment: true,
		wire.ProtocolDestinationOptions: true, wire.ProtocolESP: false, wire.ProtocolUDP: false,
	} {
		checkFilter(t, program, message(icmp.V6TimeExceeded, packet6(icmp.Protocol(next), make([]byte, 16))), want)
	}
}

func checkFilter(t *testing.T, program []bpf.Instruction, packet []byte, want bool) {
	t.Helper()
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet)
	if err != nil {
		t.Fatal(err)
	}
	if got := n != 0; got != want {
		t.Errorf("passed: %v, want %v", got, want)
	}
}
