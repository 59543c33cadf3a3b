// Package icmptest runs the tests of programs that use icmplib without a network,
// privileges or waiting: its [Prober] sends packets through a simulated internet with
// routers, delay, loss, outages and other faults.
//
//	func TestTheThirdLossRaisesTheAlarm(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) { // in virtual time
//			p := icmptest.NewProber(t, `
//				client 192.0.2.1
//				node web 198.51.100.7 delay=10ms lose@4-6
//				path 198.51.100.7/32 web
//			`, nil)
//			watch(t.Context(), p, "web", alarm) // the code under test
//		})
//	}
//
// [Prober.Truth] returns what the network did to each packet. The page
// https://github.com/goicmp/icmplib/blob/main/docs/testing-your-program.md shows how to make
// a program testable, and more networks.
//
// The same text always describes the same behaviour: each node numbers the packets as they
// arrive, so lose@3 loses the third one whatever else changes, and random choices come from
// the seed.
//
// # Describing a network
//
//	client 192.0.2.1 2001:db8::1
//	node r1 10.0.1.1 delay=5ms
//	node r2 10.0.2.1 delay=5ms jitter=1ms silent
//	node t  10.0.9.9 delay=10ms lose@3,6 udp=53 tcp=80
//	path 10.0.9.0/24 r1 r2 t
//
// A line begins with its kind; # begins a comment.
//
//	seed N
//	client ADDRESS...
//	node NAME ADDRESS... WORD...
//	path PREFIX... ELEMENT...
//	spoof WORD...
//	noise replies|errors|garbage|malformed WORD...
//
// The last node of a path answers for all addresses of its prefixes. A node's own
// addresses are reachable without a path of their own: by the first path that leads
// through it or, if none does, as those of a neighbour. An element is a node's name
// or branches, kind( a b | c ): flow( and flow:source+ports( take one by a hash of
// header fields (source, destination, protocol, ports, checksum, id, label, class),
// destination( by that address, turn( one after the other, random( by the seed, all(
// takes every one, loop( never ends. time:10m,20m( a | b | c ) is a route that
// changes: it takes the first branch for ten minutes from the first packet of the
// network, then the second, and the last from twenty minutes on.
//
// A word is name, name=value, or either with @when behind it, which limits it
// to some of the packets that arrive at the node: @3 @3-5 @3- @2,4 @every/3
// @10% @all, each possibly behind a kind of packet: @udp @icmp+v6:2
//
// The link that leads to a node:
//
//	delay=5ms,7ms back-delay=9ms jitter=1ms
//	back-mtu=1400
//	lose@ late=20ms@ duplicate=1@ alter=OFFSET@ corrupt@
//
// The faults are those of packets from the client; with back- before them those
// of answers on that link, where those larger than back-mtu vanish; with answer-
// those of the node's own packets.
//
// How it forwards:
//
//	tunnel zero-ttl mtu=1400 black-hole hide-mtu tell-mtu=1300
//	refuse=CODE@ warn=CODE@
//	nat-source=ADDR nat-destination=ADDR nat-source-port= nat-destination-port=
//	nat-id= nat-checksum= nat-ip-id= nat-label= nat-class= nat-df nat-options
//	nat-quotes nat-one-way
//
// A CODE is network, host, protocol, port, source-route, network-unknown,
// host-unknown, host-isolated, network-prohibited, host-prohibited,
// network-service, host-service, prohibited, precedence-violation,
// precedence-cutoff, scope, policy, reject-route, quench, redirect:GATEWAYS,
// time, reassembly-time, parameter:POINTER, option-missing, bad-length, or
// numbers: 3/13 (IPv4) or 3/13,1/1 (both). After refuse the packet ends; after
// warn it goes on.
//
// What it does as a host:
//
//	deaf@ udp=53 udp-echo=7 tcp=22,80 sctp=5000 dns=53 ntp=123 quic=443
//	id=+1@ sequence=7@
//
// A server of dns, ntp or quic drops what it does not understand.
//
// How its own packets look:
//
//	silent@ from=ADDR@ ttl=255 back-hops=3 rate=10 burst=5 cut=4@ options
//	quote=8|28|all quote-ttl=0 quote-class=0
//	mpls=LABEL/CLASS/TTL,... interface=in|sub|out|next,INDEX,ADDR,NAME,MTU
//	object=CLASS/TYPE/HEX extensions=old|bad-checksum|no-checksum
//
// A spoofer, and noise:
//
//	on@ from=ADDR delay=1ms guesses=10 spread=3 blind ttl=64
//	rate=100 from=ADDR options
package icmptest
