package icmp_test

import (
	"errors"
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestErrTellsWhatTheMessageComesDownTo(t *testing.T) {
	tests := []struct {
		name  string
		typ   icmp.Type
		code  uint8
		is    error
		words string
	}{
		{"time exceeded", icmp.V4TimeExceeded, 0, icmp.ErrTimeExceeded, "198.51.100.7: Time Exceeded, Time to Live exceeded in Transit"},
		{"unreachable", icmp.V6DestinationUnreachable, 4, icmp.ErrUnreachable, "198.51.100.7: Destination Unreachable, port unreachable"},
		{"too big", icmp.V6PacketTooBig, 0, icmp.ErrPacketTooBig, "198.51.100.7: Packet Too Big (MTU 1280)"},
		{"fragmentation needed is too big, not unreachable", icmp.V4DestinationUnreachable, 4, icmp.ErrPacketTooBig,
			"198.51.100.7: Destination Unreachable, Fragmentation Needed and Don't Fragment was Set (MTU 1280)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := icmp.Reply{Message: icmp.Message{Type: tt.typ, Code: tt.code, MTU: 1280}, Source: target4}
			err := r.Err()
			if err == nil || err.Error() != tt.words {
				t.Errorf("Err() = %v, want %q", err, tt.words)
			}
			for _, target := range []error{icmp.ErrTimeExceeded, icmp.ErrUnreachable, icmp.ErrPacketTooBig} {
				if errors.Is(err, target) != (target == tt.is) {
					t.Errorf("errors.Is(err, %v) = %v", target, target != tt.is)
				}
			}
		})
	}
	r := reply4()
	if err := r.Err(); err != nil {
		t.Errorf("an echo reply is an error: %v", err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	message := errorMessage(11, 0, [4]byte{0, 32}, pad(packet4(1, nil, echo(8)), 128), extensions(labels()))
	var r icmp.Reply
	if err := r.Parse(icmp.V4, message); err != nil {
		t.Fatal(err)
	}
	c := r.Clone()
	clear(message)
	if len(c.Payload) != 128 || c.Payload[0] != 0x45 {
		t.Errorf("the payload of the clone changed: % x", c.Payload)
	}
	if string(c.Quote.Payload) != "ping" || len(c.Extensions.AppendMPLS(nil)) != 2 || c.Quote.Transport[0] != 8 {
		t.Errorf("the clone changed with the buffer: %+v", c)
	}
}
