package netsim

import (
	"testing"
	"time"
)

const (
	target4 = "10.0.9.9"
	target6 = "2001:db8:9::9"
)

func TestDelay(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "a link delays packets both ways, and the delays of links add up",
			net:  "node r 10.0.1.1 delay=5ms\nnode t 10.0.9.9 delay=10ms\npath 10.0.9.9 r t",
			send: traces(2, probe{to: target4}),
			want: []string{"+10ms 10.0.1.1 11/0", "+30ms 10.0.9.9 echo 0.2"},
		},
		{
			name: "IPv6 is the same",
			net:  "node r 2001:db8:1::1 delay=5ms\nnode t 2001:db8:9::9 delay=10ms\npath 2001:db8:9::9 r t",
			send: traces(2, probe{to: target6}),
			want: []string{"+10ms 2001:db8:1::1 3/0", "+30ms 2001:db8:9::9 echo 0.2"},
		},
		{
			name: "listed delays are taken in turn",
			net:  "node t 10.0.9.9 delay=1ms,2ms,5ms\npath 10.0.9.9 t",
			send: echoes(4, probe{to: target4}),
			want: []string{"+2ms 10.0.9.9 echo 0.1", "+4ms 10.0.9.9 echo 0.2", "+10ms 10.0.9.9 echo 0.3", "+2ms 10.0.9.9 echo 0.4"},
		},
		{
			name: "the way back may take longer",
			net:  "node t 10.0.9.9 delay=1ms back-delay=8ms\npath 10.0.9.9 t",
			send: echoes(1, probe{to: target4}),
			want: []string{"+9ms 10.0.9.9 echo 0.1"},
		},
		{
			name:  "an answer that comes late is overtaken by the next",
			net:   "node t 10.0.9.9 delay=1ms answer-late=50ms@1\npath 10.0.9.9 t",
			every: 10 * time.Millisecond,
			send:  echoes(2, probe{to: target4}),
			want:  []string{"+52ms 10.0.9.9 echo 0.1", "+2ms 10.0.9.9 echo 0.2"},
			truth: []string{"delayed: late"},
		},
	})
}

func TestJitterComesFromTheSeed(t *testing.T) {
	times := func(seed string) (all []time.Duration) {
		n := MustParse(clients + "seed " + seed + "\nnode t 10.0.9.9 delay=5ms jitter=2ms\npath 10.0.9.9 t")
		for _, p := range echoes(20, probe{to: target4}) {
			d := n.Send(start, p)[0].At.Sub(start)
			if d < 10*time.Millisecond || d >= 14*time.Millisecond {
				t.Fatalf("%v is not 10 ms and up to 2 ms each way", d)
			}
			all = append(all, d)
		}
		return all
	}
	first, again, other := times("1"), times("1"), times("2")
	differs := false
	for i := range first {
		if first[i] != again[i] {
			t.Fatalf("packet %d took %v, and %v with the same seed", i, first[i], again[i])
		}
		differs = differs || first[i] != other[i]
	}
	if !differs {
		t.Fatal("another seed makes no difference")
	}
}

func TestFaults(t *testing.T) {
	runAll(t, []scenario{
		{
			name:  "the n-th request is lost",
			net:   "node t 10.0.9.9 lose@2,4-\npath 10.0.9.9 t",
			send:  echoes(5, probe{to: target4}),
			want:  []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.3"},
			truth: []string{"t dropped: lost", "t answered", "t dropped: lost", "t dropped: lost"},
		},
		{
			name:  "the n-th answer is lost on its way",
			net:   "node t 10.0.9.9 back-lose@2\npath 10.0.9.9 t",
			send:  echoes(3, probe{to: target4}),
			want:  []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.3"},
			truth: []string{"answered: echo reply", "answered: echo reply", "dropped: lost"},
		},
		{
			name: "every third packet, and only of one protocol",
			net:  "node t 10.0.9.9 lose@every/3 late=1ms@udp udp-echo=7\npath 10.0.9.9 t",
			send: append(echoes(3, probe{to: target4}), probe{to: target4, port: 7}.udp()),
			want: []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.2", "+1ms 10.0.9.9 udp 7"},
		},
		{
			name:  "a request that is late leads to a late answer",
			net:   "node t 10.0.9.9 late=7ms@1\npath 10.0.9.9 t",
			send:  echoes(2, probe{to: target4}),
			want:  []string{"+7ms 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.2"},
			truth: []string{"t delayed: late"},
		},
		{
			name:  "a duplicated request is answered twice",
			net:   "node t 10.0.9.9 duplicate@1\npath 10.0.9.9 t",
			send:  echoes(2, probe{to: target4}),
			want:  []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.2"},
			truth: []string{"t duplicated"},
		},
		{
			name: "an answer may come three times",
			net:  "node t 10.0.9.9 answer-duplicate=2\npath 10.0.9.9 t",
			send: echoes(1, probe{to: target4}),
			want: []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.1"},
		},
		{
			name: "the payload is altered under a checksum that is right",
			net:  "node t 10.0.9.9 answer-alter=3\npath 10.0.9.9 t",
			send: echoes(1, probe{to: target4, size: 8}),
			want: []string{"+0s 10.0.9.9 echo 0.1"},
			check: func(t *testing.T, ds []Delivery) {
				if got := ds[0].Packet[28+3]; got != 3^0xff {
					t.Errorf("byte 3 is %#x", got)
				}
			},
		},
		{
			name: "a corrupted answer has a wrong checksum",
			net:  "node t 10.0.9.9 back-corrupt\npath 10.0.9.9 t",
			send: echoes(1, probe{to: target4, size: 8}),
			want: []string{"+0s 10.0.9.9 echo 0.1 BAD"},
		},
		{
			name:  "a corrupted request is not answered",
			net:   "node t 10.0.9.9 corrupt\npath 10.0.9.9 t",
			send:  echoes(1, probe{to: target4, size: 8}),
			truth: []string{"t altered: corrupted", "t dropped: bad checksum"},
		},
	})
}

func TestLossByProbabilityComesFromTheSeed(t *testing.T) {
	n := MustParse(clients + "seed 5\nnode t 10.0.9.9 lose@25%\npath 10.0.9.9 t")
	answered := 0
	for _, p := range echoes(2000, probe{to: target4}) {
		answered += len(n.Send(start, p))
	}
	if answered < 1400 || answered > 1600 {
		t.Errorf("%d of 2000 were answered, of which 25 %% should be lost", answered)
	}
}
