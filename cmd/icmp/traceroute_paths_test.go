package main

// paths are those of a simulated network.
const paths = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1
	node r2 10.0.2.1 2001:db8:2::1
	node wall 10.0.3.1 2001:db8:3::1 refuse=prohibited
	node dark 10.0.4.1 2001:db8:4::1 silent
	node narrow 10.0.5.1 2001:db8:5::1 mtu=1300
	node t 10.0.9.9 2001:db8:9::9 udp-echo=7
	node a 10.0.6.1 2001:db8:6::1 mpls=16001/5/1
	node b 10.0.7.1 2001:db8:7::1
	node served 10.0.16.9 2001:db8:16::9 dns=53 ntp=123 quic=443,8443
	path 10.0.9.0/24 2001:db8:9::/64 r1 r2 t
	path 10.0.16.0/24 2001:db8:16::/64 r1 r2 served
	path 10.0.10.0/24 2001:db8:10::/64 r1 wall t
	path 10.0.11.0/24 2001:db8:11::/64 r1 dark dark dark dark t
	path 10.0.12.0/24 2001:db8:12::/64 r1 loop( r2 r1 )
	path 10.0.13.0/24 2001:db8:13::/64 r1 narrow t
	path 10.0.14.0/24 2001:db8:14::/64 r1 turn( a | b ) t
	path 10.0.15.0/24 2001:db8:15::/64 r1 a t
`

// routes are command lines, and what they print and return behind that network.
var routes = []struct {
	name string
	line string
	code int
	want string // a pattern for the whole output
}{
	{"a route to its end", "-n 10.0.9.9", exitAlive, `^traceroute to 10\.0\.9\.9, 30 hops max, icmp, 56 data bytes
  1 10\.0\.1\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
  2 10\.0\.2\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
  3 10\.0\.9\.9(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
reached: 10\.0\.9\.9 answers at distance 3
$`},
	{"IPv6, one probe each", "-n -q 1 2001:db8:9::9", exitAlive, `^traceroute to 2001:db8:9::9, 30 hops max, icmp, 56 data bytes
  1 2001:db8:1::1  [0-9.]+ ms
  2 2001:db8:2::1  [0-9.]+ ms
  3 2001:db8:9::9  [0-9.]+ ms
reached: 2001:db8:9::9 answers at distance 3
$`},
	{"by UDP", "-n -q 1 -U 10.0.9.9", exitAlive, `, udp, 56 data bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.2\.1 .*
  3 10\.0\.9\.9  [0-9.]+ ms
reached: `},
	{"to a server of QUIC", "-n -q 1 -U --service quic 10.0.16.9", exitAlive, `^traceroute to 10\.0\.16\.9, 30 hops max, udp, quic
  1 10\.0\.1\.1 .*
  2 10\.0\.2\.1 .*
  3 10\.0\.16\.9  [0-9.]+ ms
reached: `},
	{"to one at another port", "-n -q 1 --service quic -p 8443 2001:db8:16::9", exitAlive, `, udp, quic, port 8443
  1 2001:db8:1::1 .*
  2 2001:db8:2::1 .*
  3 2001:db8:16::9  [0-9.]+ ms
reached: `},
	{"which drops what it does not understand", "-n -q 1 -w 0.2 -U -p 443 -f 3 -m 3 10.0.16.9", exitDead, `
  3 \*
max-hops: `},
	{"from the second hop on", "-n -q 1 -f 2 10.0.9.9", exitAlive, `bytes
  2 10\.0\.2\.1 .*
  3 10\.0\.9\.9 .*
reached: `},
	{"to the second hop only", "-n -q 1 -m 2 10.0.9.9", exitDead, `bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.2\.1 .*
max-hops: 10\.0\.9\.9 is farther than 2 hops, or silent
$`},
	{"to a wall", "-n -q 1 10.0.10.1", exitDead, `bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.3\.1  [0-9.]+ ms
  3 10\.0\.3\.1  [0-9.]+ ms  !X
unreachable: 10\.0\.3\.1 at distance 3 reports Destination Unreachable: Communication Administratively Prohibited
$`},
	{"in a circle", "-n -q 1 10.0.12.1", exitDead, `(?s)bytes
  1 10\.0\.1\.1 .*
loop: routers forward the packet in a circle`},
	{"to a narrow link", "-n -q 1 -F --size 1400 10.0.13.1", exitDead, `
  3 10\.0\.5\.1  [0-9.]+ ms  !F-1300
unreachable: 10\.0\.5\.1 at distance 3 reports .* \(MTU 1300\)
$`},
	{"over two routers in turn, one of them behind a tunnel", "-n -f 2 -m 2 10.0.14.1", exitDead, `
  2 10\.0\.[67]\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms  \([12] of 3\)(  \[MPLS 16001 tc=5 ttl=1\])?
    10\.0\.[67]\.1  \([12] of 3\)(  \[MPLS 16001 tc=5 ttl=1\])?
max-hops: `},
	{"through a tunnel", "-n -q 1 10.0.15.1", exitAlive, `
  2 10\.0\.6\.1  [0-9.]+ ms  \[MPLS 16001 tc=5 ttl=1\]
  3 `},
	{"into the dark", "-n -q 1 -w 2 --gap 3 10.0.11.1", exitDead, `
  1 10\.0\.1\.1 .*
  2 \*
  3 \*
  4 \*
gap: no more answers, up to distance 4
$`},
}
