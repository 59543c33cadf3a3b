// Package socket gives ICMP sockets that send echo requests and receive their
// replies and the errors they meet, with and without privileges.
//
// # Two kinds of socket
//
// A datagram socket ([Datagram]) needs no privilege where the system allows
// it: on Linux for the groups in net.ipv4.ping_group_range, which governs IPv6
// too, on macOS for everybody. A raw socket ([Raw]) needs root or CAP_NET_RAW.
// [Auto] takes the first that the system grants. Both send the same packets
// and report the same replies, errors included: the kernel hands the errors of
// a datagram socket out through its error queue, which this package reads
// behind [ICMPv4.Receive].
//
// # One socket, any number of hosts
//
// A socket is not bound to a destination. Its id, which every request carries,
// is the only thing that is its own, and no other socket of this process or,
// in datagram mode, of the machine has the same; the kernel drops the replies
// to other ids. Which reply answers which request is for the caller to match:
// [ICMPv4.Receive] does it for one request, the Prober of package icmplib for
// any number.
//
// # Time
//
// A reply's Time is its arrival in the kernel. Subtract the request's Time to
// get a round-trip time that is free of the time that the reply waited for its
// reader, and that a step of the wall clock cannot change. With SendTimestamps
// its KernelRTT, where that is not 0, is also free of the time that the request
// took to get to the network driver.
package socket
