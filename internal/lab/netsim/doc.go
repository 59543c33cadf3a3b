// Package netsim is a simulated internet for tests: a client, routers and
// hosts, IPv4 and IPv6, with what goes wrong in real networks.
//
// A [Network] is given the IP packets that the client sends, and says which
// packets come back and when. It has no goroutine and no clock: the same
// packets at the same times have the same answers, bit for bit. What is random
// comes from the seed of its description. Its log is the ground truth about
// each packet: what was in it, and what was done to it where.
//
// It is used in two ways: in memory by a [Conn] or, for UDP, TCP and SCTP, a
// [TransportConn], which stand in for sockets, also inside a testing/synctest
// bubble; and behind the real kernel, where a TUN device or a pair of virtual
// interfaces carries the packets.
//
// How a network is described stands in the documentation of package icmptest, for
// others describe theirs in the same words.
package netsim
