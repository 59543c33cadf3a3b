package netsim

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

// manyProbes is a bit of everything that a client may send.
func manyProbes() (packets [][]byte) {
	for i := range 200 {
		for _, to := range []string{target4, target6, "10.1.2.3", "10.5.2.3", "2001:db8:104::1"} {
			q := probe{to: to, ttl: 1 + i%8, id: 7, seq: uint16(i), port: uint16(33434 + i), size: i * 8}
			packets = append(packets, q.echo())
			switch i % 4 {
			case 0:
				packets = append(packets, q.udp())
			case 1:
				packets = append(packets, q.tcp())
			}
		}
	}
	return packets
}

// compareRuns sends the same packets into two networks that are the same, and
// wants the same of both, bit for bit.
func compareRuns(t *testing.T, a, b *Network) {
	t.Helper()
	answers := 0
	for i, p := range manyProbes() {
		now := start.Add(time.Duration(i) * 3 * time.Millisecond)
		x, y := a.Send(now, p), b.Send(now, p)
		x, y = append(x, a.Noise(now, now.Add(3*time.Millisecond))...), append(y, b.Noise(now, now.Add(3*time.Millisecond))...)
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("packet %d: the same network answered\n%v\n%v", i, x, y)
		}
		answers += len(x)
		for _, d := range x {
			if _, ok := parsePacket(d.Packet); !ok {
				t.Fatalf("%s by %s is no IP packet: %x", d.Cause, d.Node, d.Packet)
			}
		}
	}
	if answers == 0 || !reflect.DeepEqual(a.Log(), b.Log()) {
		t.Errorf("%d answers, and ground truths that differ", answers)
	}
}

func TestGroundTruthOfWhatWasSent(t *testing.T) {
	v6 := probe{to: target6, ttl: 9, tc: 0x20, label: 0xabcde, port: 53, id: 3, size: 5}
	cases := []struct {
		name   string
		packet []byte
		want   Record
	}{
		{"an echo request", probe{to: target4, ttl: 5, tc: 16, df: true, id: 7, seq: 3, size: 2}.echo(), Record{
			Protocol: wire.ProtocolICMP, TTL: 5, TrafficClass: 16, DontFragment: true, IPID: 0x4711, Length: 30,
			ICMP: Code{8, 0}, ID: 7, Sequence: 3, ChecksumOK: true, Payload: []byte{0, 1},
		}},
		{"a UDP datagram over IPv6", v6.udp(), Record{
			V6: true, Protocol: wire.ProtocolUDP, TTL: 9, TrafficClass: 32, DontFragment: true, FlowLabel: 0xabcde, Length: 53,
			SourcePort: 1003, DestPort: 53, ChecksumOK: true, Payload: make([]byte, 5),
		}},
		{"what is no packet", []byte{0x45, 0}, Record{Malformed: true}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			n := MustParse(clients)
			n.Send(start, tc.packet)
			got := n.Log()[0]
			want := tc.want
			want.Time, want.Events = start, got.Events
			if p, ok := parsePacket(tc.packet); ok {
				want.Source, want.Destination, want.Checksum = p.source(), p.destination(), get16(p.checksumField())
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if len(got.Events) != 1 || !got.Did(Dropped) {
				t.Errorf("events %v", got.Events)
			}
		})
	}
}

func TestGroundTruthOfWhatWasDone(t *testing.T) {
	runAll(t, []scenario{{
		name:  "each step is recorded, with where, when and why",
		net:   "node r 10.0.1.1 delay=5ms\nnode t 10.0.9.9 delay=10ms\npath 10.0.9.9 r t",
		send:  [][]byte{probe{to: target4}.echo(), probe{to: target4, ttl: 1}.echo(), {1}},
		want:  []string{"+30ms 10.0.9.9 echo 0.0", "+10ms 10.0.1.1 11/0"},
		truth: []string{"+5ms r forwarded", "+15ms t answered: echo reply", "+30ms t delivered: echo reply", "+5ms r answered: time exceeded", "+10ms r delivered: time exceeded", "+0s  dropped: malformed"},
	}})
}

func TestGroundTruthCanBeTracedOrSwitchedOff(t *testing.T) {
	n := MustParse(clients + routed("", ""))
	var traced []string
	n.Trace(func(r *Record) { traced = append(traced, fmt.Sprint(r.Sequence)) })
	n.Send(start, probe{to: target4, seq: 1}.echo())
	n.Trace(nil)
	n.Send(start, probe{to: target4, seq: 2}.echo())
	n.Quiet(true)
	n.Send(start, probe{to: target4, seq: 3}.echo())
	if log := n.Log(); len(log) != 1 || log[0].Sequence != 2 || len(traced) != 1 || traced[0] != "1" {
		t.Errorf("log %+v, traced %v", log, traced)
	}
}

func TestWhatDoublesEverythingComesToAnEnd(t *testing.T) {
	n := MustParse(clients + "node a duplicate=9 back-duplicate=9 tunnel\npath 0.0.0.0/0 loop( a all( a | a | a ) )")
	n.Quiet(true)
	if ds := n.Send(start, probe{to: target4, ttl: 255}.echo()); len(ds) > maxCrossings {
		t.Errorf("%d deliveries", len(ds))
	}
}

func TestQuietNetworkAllocatesLittle(t *testing.T) {
	n := MustParse(clients + routed("", ""))
	n.Quiet(true)
	packet := probe{to: target4, size: 56}.echo()
	var out []Delivery
	if allocs := testing.AllocsPerRun(1000, func() { out = n.AppendSend(out[:0], start, packet) }); allocs > 1 {
		t.Errorf("%v allocations for a packet and its answer", allocs)
	}
}

func FuzzSend(f *testing.F) {
	for _, p := range manyProbes()[:30] {
		f.Add(p)
	}
	f.Add(fragmentOf(0, true))
	networks := []string{"testdata/hostile.net", "testdata/mpls.net", "testdata/unreachable.net"}
	f.Fuzz(func(t *testing.T, packet []byte) {
		before := bytes.Clone(packet)
		for _, file := range networks {
			for _, d := range load(t, file).Send(start, packet) {
				if _, ok := parsePacket(d.Packet); !ok {
					t.Errorf("%s: no IP packet: %x", file, d.Packet)
				}
			}
		}
		if !bytes.Equal(before, packet) {
			t.Error("the packet was changed")
		}
	})
}

func BenchmarkSend(b *testing.B) {
	for _, file := range []string{"testdata/five-lines.net", "testdata/diamond.net", "testdata/hostile.net"} {
		b.Run(file, func(b *testing.B) {
			n := load(b, file)
			n.Quiet(true)
			packet := probe{to: target4, size: 56}.echo()
			var out []Delivery
			b.ReportAllocs()
			for b.Loop() {
				out = n.AppendSend(out[:0], start, packet)
			}
		})
	}
}
