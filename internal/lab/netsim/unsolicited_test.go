package netsim

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

func TestSpoofers(t *testing.T) {
	const silence = "node t 10.0.9.9 2001:db8:9::9 deaf\npath 10.0.9.9 2001:db8:9::9 t\nspoof "
	runAll(t, []scenario{
		{
			name:  "a spoofer that knows the numbers sends what looks like the reply",
			net:   silence + "delay=1ms",
			send:  [][]byte{probe{to: target4, id: 7, seq: 3}.echo(), probe{to: target6, id: 7, seq: 4}.echo()},
			want:  []string{"+1ms 10.0.9.9 echo 7.3", "+1ms 2001:db8:9::9 echo 7.4"},
			truth: []string{"spoofer 1 forged: spoofed"},
		},
		{
			name: "it may come from elsewhere, and for some requests only",
			net:  silence + "from=10.66.6.6 on@2",
			send: echoes(3, probe{to: target4}),
			want: []string{"+0s 10.66.6.6 echo 0.2"},
		},
	})
	spread := func(words string) (ids map[uint16]bool) {
		ids = map[uint16]bool{}
		for _, d := range MustParse(clients+silence+words).Send(start, probe{to: target4, id: 1000}.echo()) {
			ids[get16(d.Packet[24:])] = true
		}
		return ids
	}
	if near := spread("guesses=200 spread=2"); len(near) != 5 || !near[998] || !near[1002] {
		t.Errorf("guesses that are off by 2 at most: %v", near)
	}
	if blind := spread("guesses=200 blind"); len(blind) < 150 {
		t.Errorf("%d different blind guesses of 200", len(blind))
	}
}

func TestNoise(t *testing.T) {
	for _, kind := range []string{"replies", "errors", "garbage", "malformed"} {
		for _, options := range []string{"", " options"} {
			n := MustParse(clients + "node t 10.0.9.9\npath 10.0.9.9 t\nnoise " + kind + " rate=100" + options)
			n.Send(start, probe{to: target4}.echo())
			ds := n.Noise(start, start.Add(time.Second))
			if len(ds) != 100 {
				t.Errorf("%s: %d packets in a second, want 100", kind, len(ds))
			}
			for _, d := range ds {
				p := parsed(t, d.Packet)
				plain := p.l4 == wire.IPv4MinHeaderLen || p.v6 && p.l4 == wire.IPv6HeaderLen
				if !p.isICMP() || plain != (options == "") || kind != "malformed" && !p.verify() {
					t.Errorf("%s%s: %x", kind, options, d.Packet)
				}
			}
		}
	}
}

func TestNoiseIsTheSameInPieces(t *testing.T) {
	network := func() *Network {
		n := MustParse(clients + "node t 10.0.9.9\npath 10.0.9.9 t\nnoise replies rate=333\nnoise errors rate=77")
		n.Noise(start, start)
		return n
	}
	whole := network().Noise(start, start.Add(time.Second))
	var pieces []Delivery
	n := network()
	for at := time.Duration(0); at < time.Second; at += 125 * time.Microsecond {
		pieces = append(pieces, n.Noise(start.Add(at), start.Add(at+125*time.Microsecond))...)
	}
	if len(whole) != 410 || len(whole) != len(pieces) {
		t.Fatalf("%d packets, %d in pieces", len(whole), len(pieces))
	}
	for i := range whole {
		a, b := whole[i], pieces[i]
		if !a.At.Equal(b.At) || !bytes.Equal(a.Packet[20:], b.Packet[20:]) {
			t.Errorf("packet %d differs: %v %x, %v %x", i, a.At, a.Packet, b.At, b.Packet)
		}
	}
}

func ExampleNetwork_Send() {
	n := MustParse(`
		client 192.0.2.1
		node r1 10.0.1.1 delay=5ms
		node r2 10.0.2.1 delay=5ms silent
		node t  10.0.9.9 delay=10ms
		path 10.0.9.0/24 r1 r2 t
	`)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, packet := range traces(3, probe{to: "10.0.9.9"}) {
		for _, d := range n.Send(now, packet) {
			fmt.Println(d.At.Sub(now), d.Node, d.Cause)
		}
	}
	fmt.Println(n.Log()[1].Events[1])
	// Output:
	// 10ms r1 time exceeded
	// 40ms t echo reply
	// +10ms r2 dropped: time exceeded, silently
}
