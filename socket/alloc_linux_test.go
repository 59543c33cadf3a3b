package socket_test

import (
	"context"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func TestBatchesAllocateNothing(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode})
		reqs, replies := make([]icmp.Request, 16), make([]icmp.Reply, 16)
		payload := make([]byte, 56)
		for i := range reqs {
			reqs[i] = icmp.Request{Destination: loopback(v), Sequence: uint16(i), Payload: payload}
		}
		round := func() {
			if n, err := s.SendBatch(reqs); n != len(reqs) || err != nil {
				t.Fatal(n, err)
			}
			for received := 0; received < len(reqs); {
				n, err := s.ReceiveBatch(context.Background(), replies)
				if err != nil {
					t.Fatal(err)
				}
				received += n
			}
		}
		round()
		if n := testing.AllocsPerRun(100, round); n != 0 {
			t.Errorf("%v allocations in a round of %d", n, len(reqs))
		}
	})
}

func BenchmarkEcho(b *testing.B) {
	for _, bb := range []struct {
		name string
		cfg  socket.Config
	}{
		{"datagram", socket.Config{Mode: socket.Datagram}},
		{"raw", socket.Config{Mode: socket.Raw}},
		{"datagram with stamps of the sends", socket.Config{Mode: socket.Datagram, SendTimestamps: true}},
		{"raw with stamps of the sends", socket.Config{Mode: socket.Raw, SendTimestamps: true}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s, err := socket.ListenICMPv4(&bb.cfg)
			if err != nil {
				b.Skipf("the system allows no such socket: %v", err)
			}
			defer s.Close()
			reqs, replies := make([]icmp.Request, 16), make([]icmp.Reply, 16)
			for i := range reqs {
				reqs[i] = icmp.Request{Destination: loopback(icmp.V4), Sequence: uint16(i)}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.SendBatch(reqs); err != nil {
					b.Fatal(err)
				}
				for received := 0; received < len(reqs); {
					n, err := s.ReceiveBatch(context.Background(), replies)
					if err != nil {
						b.Fatal(err)
					}
					received += n
				}
			}
		})
	}
}
