package netsim

import (
	"strings"
	"testing"
	"time"
)

// diamond has three routers side by side, one of which has a longer branch.
func diamond(kind string) string {
	return "seed 3\nnode a 10.0.1.1 2001:db8:1::1\nnode b 10.0.1.2 2001:db8:1::2\nnode c 10.0.1.3 2001:db8:1::3\nnode c2 10.0.2.3\n" +
		"node t 10.0.9.9 2001:db8:9::9\npath 10.0.9.0/24 2001:db8:9::/64 " + kind + "( a | b | c c2 ) t"
}

// routers returns which routers answer probes with TTL 1.
func routers(network string, packets [][]byte) map[string]int {
	n := MustParse(clients + network)
	seen := map[string]int{}
	for _, p := range packets {
		for _, d := range n.Send(start, p) {
			seen[d.Node]++
		}
	}
	return seen
}

func TestBalancing(t *testing.T) {
	vary := func(change func(q *probe, i int), make func(q probe) []byte, q probe) (packets [][]byte) {
		q.ttl = 1
		for i := range 60 {
			change(&q, i)
			packets = append(packets, make(q))
		}
		return packets
	}
	same := func(*probe, int) {}
	flow6 := probe{to: target6}
	cases := []struct {
		name    string
		kind    string
		packets [][]byte
		want    int // routers that answer
	}{
		{"the packets of a flow stay together", "flow", vary(same, probe.echo, probe{to: target4}), 1},
		{"the checksum of an echo request makes another flow", "flow", vary(func(q *probe, i int) { q.seq = uint16(i) }, probe.echo, probe{to: target4}), 3},
		{"unless the router does not hash it", "flow:source+destination+id", vary(func(q *probe, i int) { q.seq = uint16(i) }, probe.echo, probe{to: target4}), 1},
		{"the id makes another flow", "flow:id", vary(func(q *probe, i int) { q.id = uint16(i) }, probe.echo, probe{to: target4}), 3},
		{"ports make another flow", "flow", vary(func(q *probe, i int) { q.port = uint16(i) }, probe.udp, probe{to: target4}), 3},
		{"also those of TCP", "flow:ports", vary(func(q *probe, i int) { q.id = uint16(i) }, probe.tcp, flow6), 3},
		{"the flow label does, for IPv6", "flow:label", vary(func(q *probe, i int) { q.label = uint32(i) }, probe.echo, flow6), 3},
		{"the traffic class does not", "flow", vary(func(q *probe, i int) { q.tc = uint8(i) }, probe.echo, probe{to: target4}), 1},
		{"but where the router hashes it", "flow:class", vary(func(q *probe, i int) { q.tc = uint8(i) }, probe.echo, probe{to: target4}), 3},
		{"the protocol can be told from another", "flow:protocol", append(vary(same, probe.echo, probe{to: target4}), vary(same, probe.udp, probe{to: target4})...), 2},
		{"all flows to a destination may go one way", "destination", vary(func(q *probe, i int) { q.seq = uint16(i) }, probe.echo, probe{to: target4}), 1},
		{"and those to another the other", "destination", vary(func(q *probe, i int) { q.to = "10.0.9." + string(rune('1'+i%9)) }, probe.echo, probe{to: target4}), 3},
		{"packets may take turns", "turn", vary(same, probe.echo, probe{to: target4}), 3},
		{"or go at random", "random", vary(same, probe.echo, probe{to: target4}), 3},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if seen := routers(diamond(tc.kind), tc.packets); len(seen) != tc.want {
				t.Errorf("%d routers answered, want %d: %v", len(seen), tc.want, seen)
			}
		})
	}
}

func TestBranches(t *testing.T) {
	runAll(t, []scenario{
		{
			name: "branches may be of different lengths",
			net:  diamond("turn"),
			send: [][]byte{probe{to: target4, ttl: 2}.echo(), probe{to: target4, ttl: 2}.echo(), probe{to: target4, ttl: 2}.echo()},
			want: []string{"+0s 10.0.9.9 echo 0.0", "+0s 10.0.9.9 echo 0.0", "+0s 10.0.2.3 11/0"},
		},
		{
			name: "branches may branch again, and one may be empty",
			net: "node a 10.0.1.1\nnode b 10.0.1.2\nnode c 10.0.1.3\nnode t 10.0.9.9\n" +
				"path 10.0.9.0/24 turn( a turn( b | c ) | ) t",
			send: [][]byte{
				probe{to: target4, ttl: 2}.echo(), probe{to: target4, ttl: 1}.echo(),
				probe{to: target4, ttl: 2}.echo(), probe{to: target4, ttl: 1}.echo(), probe{to: target4, ttl: 1}.echo(),
			},
			want: []string{"+0s 10.0.1.2 11/0", "+0s 10.0.9.9 echo 0.0", "+0s 10.0.1.3 11/0", "+0s 10.0.9.9 echo 0.0", "+0s 10.0.1.1 11/0"},
		},
		{
			name: "a router in a branch is reachable by its own address",
			net:  diamond("flow"),
			send: [][]byte{probe{to: "10.0.1.1"}.echo(), probe{to: "10.0.1.2"}.echo(), probe{to: "10.0.2.3"}.echo(), probe{to: "10.0.2.3", ttl: 1}.echo()},
			want: []string{"+0s 10.0.1.1 echo 0.0", "+0s 10.0.1.2 echo 0.0", "+0s 10.0.2.3 echo 0.0", "+0s 10.0.1.3 11/0"},
		},
		{
			name: "the longest prefix has the path",
			net:  "node a 10.0.1.1\nnode b 10.0.1.2\nnode t\npath 0.0.0.0/0 a t\npath 10.8.0.0/16 b t\npath 10.8.8.8 t",
			send: [][]byte{probe{to: "10.7.0.1", ttl: 1}.echo(), probe{to: "10.8.0.1", ttl: 1}.echo(), probe{to: "10.8.8.8", ttl: 1}.echo()},
			want: []string{"+0s 10.0.1.1 11/0", "+0s 10.0.1.2 11/0", "+0s 10.8.8.8 echo 0.0"},
		},
	})
}

func TestARouteThatChangesInTime(t *testing.T) {
	n := MustParse(clients + diamond("time:10m,1h"))
	for _, tc := range []struct {
		at   time.Duration
		want string
	}{
		{0, "a"}, {10*time.Minute - 1, "a"}, {10 * time.Minute, "b"}, {time.Hour - 1, "b"}, {time.Hour, "c"}, {1000 * time.Hour, "c"},
	} {
		answers := n.Send(start.Add(tc.at), probe{to: target4, ttl: 1}.echo())
		if len(answers) != 1 || answers[0].Node != tc.want {
			t.Errorf("after %v, %v answers, want %s", tc.at, answers, tc.want)
		}
	}
}

func TestTimesOfBranchesAreChecked(t *testing.T) {
	for kind, want := range map[string]string{
		"time:1h":       "a time between each two",
		"time:2h,1h":    "in order",
		"time:1h,2h,3h": "a time between each two",
		"time":          "a time between each two",
		"time:1h,soon":  "invalid duration",
	} {
		spec, err := ParseString(clients + diamond(kind))
		if err == nil {
			_, err = New(spec)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s( gives %v, want an error with %q", kind, err, want)
		}
	}
}
