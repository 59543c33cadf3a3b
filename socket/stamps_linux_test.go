package socket_test

import (
	"context"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// exchange sends requests and returns their replies, with the time that each
// took by the monotonic clock.
func exchange(t *testing.T, s sock, reqs []icmp.Request) (replies []*icmp.Reply, mono []time.Duration) {
	t.Helper()
	if n, err := s.SendBatch(reqs); n != len(reqs) || err != nil {
		t.Fatalf("SendBatch = %d, %v", n, err)
	}
	for range reqs {
		r, err := s.Receive(bounded(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		replies = append(replies, r)
		mono = append(mono, r.Time.Sub(reqs[0].Time))
	}
	return replies, mono
}

func requests(v icmp.Version, n int) []icmp.Request {
	reqs := make([]icmp.Request, n)
	for i := range reqs {
		reqs[i] = icmp.Request{Destination: loopback(v), Sequence: uint16(1000 * i), Payload: make([]byte, 56)}
	}
	return reqs
}

func TestRepliesBringTheTimeBetweenTheKernelsStamps(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode, SendTimestamps: true})
		stamped := 0
		for range 10 {
			replies, mono := exchange(t, s, requests(v, 8))
			for i, r := range replies {
				if !r.Stamped || r.KernelRTT > mono[i] {
					t.Errorf("stamped %v, %v by the kernel's clock, %v by ours", r.Stamped, r.KernelRTT, mono[i])
				}
				if r.KernelRTT > 0 {
					stamped++
				}
			}
		}
		// A step of the clock, or what looks like one, costs a few.
		if stamped < 60 {
			t.Errorf("%d of 80 replies have the kernel's time", stamped)
		}
		if c := s.Counters(); c != (socket.Counters{}) {
			t.Errorf("stamps are counted: %+v", c)
		}
	})
}

func TestRepliesBringNoSuchTimeUnlessItIsAskedFor(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		replies, _ := exchange(t, listen(t, v, &socket.Config{Mode: mode}), requests(v, 8))
		for _, r := range replies {
			if r.KernelRTT != 0 || !r.Stamped {
				t.Errorf("stamped %v, %v by the kernel's clock", r.Stamped, r.KernelRTT)
			}
		}
	})
}

// Stamps and errors come through one queue, and a pending error makes the kernel
// refuse a send, which may or may not have used an ordinal up.
func TestErrorsAmongStampsAreHandedOut(t *testing.T) {
	privilegedSockets(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s, f := listen(t, v, &socket.Config{Mode: mode, SendTimestamps: true}), newForger(t, v)
		typ, code, rest := forgeries[1].of(v)
		const rounds, each = 10, 3
		seen, stamped := map[icmp.Kind]int{}, 0
		for i := range rounds {
			for j := range each {
				f.send(typ, code, rest, &icmp.Request{Destination: remote(v), ID: s.ID(), Sequence: uint16(50_000 + each*i + j)}, 8)
			}
			if n, err := s.SendBatch(requests(v, 5)); n != 5 || err != nil {
				t.Fatalf("SendBatch = %d, %v", n, err)
			}
			for range each + 5 {
				r, err := s.Receive(bounded(t), nil)
				if err != nil {
					t.Fatal(err)
				}
				seen[r.Kind()]++
				if r.KernelRTT > 0 {
					stamped++
				}
			}
		}
		if seen[icmp.KindDestinationUnreachable] != each*rounds || seen[icmp.KindEchoReply] != 5*rounds {
			t.Errorf("received %v", seen)
		}
		if stamped == 0 || stamped > 5*rounds {
			t.Errorf("%d have the kernel's time: want replies alone, and some", stamped)
		}
		if c := s.Counters(); c != (socket.Counters{}) {
			t.Errorf("stamps are counted: %+v", c)
		}
	})
}

func TestBatchesWithStampsAllocateNothing(t *testing.T) {
	everySocket(t, func(t *testing.T, v icmp.Version, mode socket.Mode) {
		s := listen(t, v, &socket.Config{Mode: mode, SendTimestamps: true})
		reqs, replies := requests(v, 16), make([]icmp.Reply, 16)
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
