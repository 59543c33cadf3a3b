// Package socket gives ICMP sockets that send echo requests and receive their
// replies and the errors they meet, with and without privileges; and any other
// message where the system allows it.
//
// # Two kinds of socket
//
// A datagram socket ([Datagram]) needs no privilege where the system allows
// it: on Linux for the groups in net.ipv4.ping_group_range, which governs IPv6
// too, on macOS and, by the IP Helper API, on Windows for everybody. A raw socket ([Raw]) needs root or CAP_NET_RAW.
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
// # Other messages
//
// [icmp.Request] has a Message to be sent in place of an echo request, and
// [Config] the Types to receive. A raw socket sends and receives all of them: with
// [icmp.AllTypes] it is a sniffer. A datagram socket of Linux has extended echo (RFC
// 8335) beside echo.
//
// # Time
//
// A reply's Time is its arrival in the kernel. Subtract the request's Time to
// get a round-trip time that is free of the time that the reply waited for its
// reader, and that a step of the wall clock cannot change. With SendTimestamps
// its KernelRTT, where that is not 0, is also free of the time that the request
// took to get to the network driver.
//
// # What is where
//
//   - to open one: [Listen] for either version, [ListenICMPv4], [ListenICMPv6],
//     [Config]
//   - to use it: [Conn], which [ICMPv4] and [ICMPv6] are: Send and
//     Receive, SendBatch and ReceiveBatch for many packets a system call
//   - kinds: [Mode], [ParseMode]
//   - what went wrong: [OpError], with the operation, the address and the cause;
//     where the system denied the socket it says how to have it allowed
//
// From icmplib for Python: ICMPv4Socket and ICMPv6Socket are ListenICMPv4 and
// ListenICMPv6, and receive(request, timeout) is Receive with a context that
// ends.
package socket
