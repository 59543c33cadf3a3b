package socket

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/goicmp/icmplib/icmp"
)

const filterID = 0xbeef

// message makes an ICMP message whose bytes 4 and 5 are the id.
func message(typ uint8, id uint16, rest ...[]byte) []byte {
	b := make([]byte, 8)
	b[0] = typ
	binary.BigEndian.PutUint16(b[4:], id)
	for _, r := range rest {
		b = append(b, r...)
	}
	return b
}

// packet4 makes an IPv4 packet with options of the given length.
func packet4(protocol uint8, options int, payload []byte) []byte {
	b := make([]byte, 20+options, 20+options+len(payload))
	b[0] = 0x40 | uint8((20+options)/4)
	b[9] = protocol
	return append(b, payload...)
}

func packet6(nextHeader uint8, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[6] = 0x60, nextHeader
	return append(b, payload...)
}

func TestTheFilterOfARawIPv4Socket(t *testing.T) {
	ours, others := message(8, filterID), message(8, filterID+1)
	for _, tt := range []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"our reply", packet4(1, 0, message(0, filterID)), true},
		{"our reply behind IPv4 options", packet4(1, 24, message(0, filterID)), true},
		{"another's reply", packet4(1, 0, message(0, filterID+1)), false},
		{"an error about our request", packet4(1, 0, message(11, 0, packet4(1, 0, ours))), true},
		{"an error about our request with IPv4 options", packet4(1, 8, message(3, 0, packet4(1, 40, ours))), true},
		{"an error about another's request", packet4(1, 0, message(11, 0, packet4(1, 0, others))), false},
		{"an error about UDP that looks like us", packet4(1, 0, message(3, 0, packet4(17, 0, ours))), false},
		{"an error whose first word is our id", packet4(1, 0, message(11, filterID, packet4(1, 0, others))), false},
		{"an error that is cut short", packet4(1, 0, message(11, 0, packet4(1, 0, ours)[:22])), false},
		{"nothing", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) { checkFilter(t, idFilter4(filterID), tt.packet, tt.want) })
	}
}

func TestTheFilterOfARawIPv6Socket(t *testing.T) {
	ours, others := message(128, filterID), message(128, filterID+1)
	for _, tt := range []struct {
		name   string
		packet []byte
		want   bool
	}{
		{"our reply", message(129, filterID), true},
		{"another's reply", message(129, filterID+1), false},
		{"an error about our request", message(3, 0, packet6(58, ours)), true},
		{"an error about another's request", message(3, 0, packet6(58, others)), false},
		{"an error about UDP that looks like us", message(1, 0, packet6(17, ours)), false},
		{"an error about a request behind an extension header", message(3, 0, packet6(60, make([]byte, 16))), true},
		{"an error about an authenticated packet", message(3, 0, packet6(51, make([]byte, 16))), true},
		{"an error about ESP", message(3, 0, packet6(50, make([]byte, 16))), false},
		{"an error about a fragment", message(3, 0, packet6(44, make([]byte, 16))), true},
		{"an error whose first word is our id", message(3, filterID, packet6(58, others)), false},
		{"an error that is cut short", message(3, 0, packet6(58, ours)[:42]), false},
	} {
		t.Run(tt.name, func(t *testing.T) { checkFilter(t, idFilter6(filterID), tt.packet, tt.want) })
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
	if got := n > 0; got != want {
		t.Errorf("passed: %v, want %v", got, want)
	}
}

// What the filter passes is looked at once more, for it cannot see all.
func TestASocketOwnsWhatIsAboutItsID(t *testing.T) {
	c := &conn{version: icmp.V4, id: filterID}
	for _, tt := range []struct {
		name string
		m    icmp.Message
		want bool
	}{
		{"our reply", icmp.Message{Type: icmp.V4EchoReply, ID: filterID}, true},
		{"another's reply", icmp.Message{Type: icmp.V4EchoReply, ID: filterID + 1}, false},
		{"our request, seen on loopback", icmp.Message{Type: icmp.V4EchoRequest, ID: filterID}, false},
		{"an error about our request", icmp.Message{Type: icmp.V4TimeExceeded, Quote: icmp.Quote{Type: icmp.V4EchoRequest, ID: filterID}}, true},
		{"an error about a reply of ours", icmp.Message{Type: icmp.V4TimeExceeded, Quote: icmp.Quote{Type: icmp.V4EchoReply, ID: filterID}}, false},
		{"an error about UDP", icmp.Message{Type: icmp.V4TimeExceeded, Quote: icmp.Quote{Protocol: icmp.UDP}}, false},
	} {
		if got := c.owns(&tt.m); got != tt.want {
			t.Errorf("%s: owned is %v, want %v", tt.name, got, tt.want)
		}
	}
}
