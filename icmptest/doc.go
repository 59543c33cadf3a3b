// Package icmptest tests programs that use icmplib, without a network, privileges or
// waiting: its [Prober] sends packets through a simulated internet with routers, delay,
// loss, outages and other faults.
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
// The same text always gives the same behaviour: each node numbers the packets as they
// arrive, so lose@3 always loses the third one, and random choices depend only on the seed.
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
// addresses need no path of their own: they are reachable by the first path that leads
// through the node or, if none does, as a neighbour's.
//
// An element is the name of a node, or branches: kind( a b | c ). The kind says which
// branch a packet takes:
//
//   - flow( the one that a hash of header fields chooses; flow:source+ports( hashes
//     only these (of source, destination, protocol, ports, checksum, id, label, class)
//   - destination( the one that the destination address chooses
//   - turn( one after another
//   - random( a random one, by the seed
//   - all( every one
//   - loop( its only branch again and again, without end
//   - time:10m,20m( a | b | c ) the first for ten minutes from the first packet of the
//     network, then the second, and the last from twenty minutes on: a route that changes
//
// A word is name or name=value. A suffix @when limits it to some of the packets that
// arrive at the node: @3 @3-5 @3- @2,4 @every/3 @10% @all. A kind of packet may come
// first: @udp @icmp+v6:2
//
// Words for the link that leads to the node:
//
//	delay=5ms,7ms back-delay=9ms jitter=1ms
//	back-mtu=1400
//	lose@ late=20ms@ duplicate=1@ alter=OFFSET@ corrupt@
//
// These faults apply to packets from the client. With the prefix back-, they apply to
// answers on that link, which drops answers larger than back-mtu; with the prefix answer-,
// they apply to the node's own packets.
//
// Words for how the node forwards:
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
// numbers: 3/13 (IPv4) or 3/13,1/1 (both). Both words answer with the error; refuse
// drops the packet, warn lets it continue.
//
// Words for the node as a host:
//
//	deaf@ udp=53 udp-echo=7 tcp=22,80 sctp=5000 dns=53 ntp=123 quic=443
//	id=+1@ sequence=7@
//
// A server of dns, ntp or quic drops requests that it does not understand.
//
// Words for the node's own packets:
//
//	silent@ from=ADDR@ ttl=255 back-hops=3 rate=10 burst=5 cut=4@ options
//	quote=8|28|all quote-ttl=0 quote-class=0
//	mpls=LABEL/CLASS/TTL,... interface=in|sub|out|next,INDEX,ADDR,NAME,MTU
//	object=CLASS/TYPE/HEX extensions=old|bad-checksum|no-checksum
//
// Words for spoof, and for noise:
//
//	on@ from=ADDR delay=1ms guesses=10 spread=3 blind ttl=64
//	rate=100 from=ADDR options
package icmptest
