package netsim

import (
	"testing"

	"github.com/goicmp/icmplib/internal/wire"
)

func TestHosts(t *testing.T) {
	abort := wire.AppendAbort(nil, false)
	init := wire.AppendInit(nil, &wire.Init{InitiateTag: 5, ReceiverWindow: 1500, OutboundStreams: 1, InboundStreams: 1, InitialTSN: 5})
	runAll(t, []scenario{
		{
			name: "ports of UDP are closed, open and silent, or open and answer",
			net:  routed("", "udp=53 udp-echo=7"),
			send: [][]byte{
				probe{to: target4, port: 33434}.udp(), probe{to: target6, port: 33434}.udp(),
				probe{to: target4, port: 53}.udp(), probe{to: target6, port: 7}.udp(),
			},
			want:  []string{"+0s 10.0.9.9 3/3", "+0s 2001:db8:9::9 1/4", "+0s 2001:db8:9::9 udp 7"},
			truth: []string{"t taken: open UDP port"},
		},
		{
			name: "an open port of TCP answers SYN with SYN-ACK, a closed one with RST",
			net:  routed("", "tcp=80"),
			send: [][]byte{probe{to: target4, port: 80}.tcp(), probe{to: target4, port: 81}.tcp(), probe{to: target6, port: 80}.tcp()},
			want: []string{"+0s 10.0.9.9 tcp 80 flags 0x12", "+0s 10.0.9.9 tcp 81 flags 0x14", "+0s 2001:db8:9::9 tcp 80 flags 0x12"},
		},
		{
			name: "a segment of no connection is answered with RST, and a RST with nothing",
			net:  routed("", "tcp=80"),
			send: [][]byte{probe{to: target4, port: 80, flags: wire.TCPFlagACK}.tcp(), probe{to: target4, port: 80, flags: wire.TCPFlagRST}.tcp()},
			want: []string{"+0s 10.0.9.9 tcp 80 flags 0x4"},
		},
		{
			name: "an open port of SCTP answers INIT with INIT ACK, a closed one with ABORT",
			net:  routed("", "sctp=5000"),
			send: [][]byte{probe{to: target4, port: 5000}.sctp(init), probe{to: target6, port: 5001}.sctp(init), probe{to: target4, port: 5000}.sctp(abort)},
			want: []string{"+0s 10.0.9.9 sctp 5000 chunk 2", "+0s 2001:db8:9::9 sctp 5001 chunk 6"},
		},
		{
			name: "an unknown protocol is unreachable",
			net:  routed("", ""),
			send: [][]byte{probe{to: target4}.packet(200, make([]byte, 8)), probe{to: target6}.packet(200, make([]byte, 8))},
			want: []string{"+0s 10.0.9.9 3/2", "+0s 2001:db8:9::9 4/1 0x6"},
		},
	})
}

func TestHostsThatAnswerOddly(t *testing.T) {
	runAll(t, []scenario{
		{
			name:  "a deaf host does not answer, though routers about it do",
			net:   routed("", "deaf"),
			send:  traces(2, probe{to: target4}),
			want:  []string{"+0s 10.0.1.1 11/0"},
			truth: []string{"t taken: deaf"},
		},
		{
			name: "ids and sequences of replies may be wrong",
			net:  routed("", "id=77@2 sequence=-1@3"),
			send: echoes(3, probe{to: target4, id: 7}),
			want: []string{"+0s 10.0.9.9 echo 7.1", "+0s 10.0.9.9 echo 77.2", "+0s 10.0.9.9 echo 7.2"},
		},
		{
			name: "a reply may be cut",
			net:  routed("", "cut=12@1"),
			send: echoes(2, probe{to: target4, size: 50}),
			want: []string{"+0s 10.0.9.9 echo 0.1", "+0s 10.0.9.9 echo 0.2"},
			check: func(t *testing.T, ds []Delivery) {
				if a, b := len(ds[0].Packet), len(ds[1].Packet); a != 32 || b != 78 {
					t.Errorf("lengths %d and %d", a, b)
				}
			},
		},
		{
			name: "the last node answers for all addresses of its path",
			net:  routed("", ""),
			send: [][]byte{probe{to: "10.0.9.77"}.echo(), probe{to: "10.0.9.78"}.udp()},
			want: []string{"+0s 10.0.9.77 echo 0.0", "+0s 10.0.9.78 3/3"},
		},
		{
			name: "a multicast and a broadcast address are answered by all hosts of the group, from their own",
			net:  "node a 10.0.0.1 fe80::1 delay=1ms\nnode b 10.0.0.2 fe80::2 delay=2ms\npath 224.0.0.1 10.0.0.255 ff02::1 all( a | b )",
			send: [][]byte{probe{to: "224.0.0.1"}.echo(), probe{to: "10.0.0.255"}.echo(), probe{to: "ff02::1"}.echo(), probe{to: "ff02::1", port: 9}.udp()},
			want: []string{
				"+2ms 10.0.0.1 echo 0.0", "+4ms 10.0.0.2 echo 0.0", "+2ms 10.0.0.1 echo 0.0", "+4ms 10.0.0.2 echo 0.0",
				"+2ms fe80::1 echo 0.0", "+4ms fe80::2 echo 0.0",
			},
		},
		{
			name: "options and extension headers may stand before an answer",
			net:  routed("", "options"),
			send: [][]byte{probe{to: target4}.echo(), probe{to: target6}.echo()},
			want: []string{"+0s 10.0.9.9 echo 0.0", "+0s 2001:db8:9::9 echo 0.0"},
			check: func(t *testing.T, ds []Delivery) {
				if a, b := ds[0].Packet[0], ds[1].Packet[6]; a != 0x46 || b != wire.ProtocolDestinationOptions {
					t.Errorf("header length %#x, next header %d", a, b)
				}
			},
		},
	})
}
