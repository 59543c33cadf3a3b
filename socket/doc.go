// Package socket provides ICMP sockets, with and without privileges. They send echo
// requests, receive the replies and the errors about them, and carry any other ICMP
// message where the system allows it.
//
// # Two kinds of socket
//
// A datagram socket ([Datagram]) needs no privilege where the system allows it: on Linux
// for the groups in net.ipv4.ping_group_range, which also governs IPv6, and for everyone on
// macOS and, through the IP Helper API, on Windows. A raw socket ([Raw]) requires root,
// CAP_NET_RAW or, on Windows, an administrator. [Auto] uses the first kind that the system
// grants. Both kinds send the same packets and report the same replies and errors: the
// kernel puts the errors of a datagram socket into its error queue, which this package
// reads in [ICMPv4.Receive].
//
// # One socket, any number of hosts
//
// A socket is not bound to a destination. Every request carries the socket's id, which no
// other socket of this process has and, in datagram mode on Linux, no other socket of the
// host. The kernel drops replies to other ids. The caller matches replies to requests:
// [ICMPv4.Receive] does it for one request, and the Prober of package icmplib for any
// number.
//
// # Other messages
//
// The Message of an [icmp.Request] replaces the echo request, and the Types of a [Config]
// select what to receive. A raw socket sends and receives all types: with [icmp.AllTypes]
// it is a sniffer. On Linux, a datagram socket also carries extended echo (RFC 8335).
//
// # Time
//
// A reply's Time is its arrival in the kernel. Subtract the request's Time to get a
// round-trip time that excludes the reply's wait for its reader, and that a step of the
// wall clock cannot change. With SendTimestamps, a KernelRTT other than 0 also excludes the
// time that the request took to reach the network driver.
//
// # Where to look
//
//   - to open one: [Listen] for either version, [ListenICMPv4], [ListenICMPv6],
//     [Config]
//   - to use it: [Conn], implemented by [ICMPv4] and [ICMPv6]: Send and Receive, and
//     SendBatch and ReceiveBatch for many packets per system call
//   - kinds: [Mode], [ParseMode]
//   - errors: [OpError], with the operation, the address and the cause; if the system
//     denied the socket, [PermissionError] says how to get the permission
//
// From icmplib for Python: ICMPv4Socket and ICMPv6Socket are ListenICMPv4 and
// ListenICMPv6, and receive(request, timeout) is Receive with a context that has a
// deadline.
package socket
