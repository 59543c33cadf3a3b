// Package transport sends UDP datagrams, TCP SYNs and SCTP INITs with a chosen
// TTL and receives the answers: the ICMP errors of routers and hosts, and the
// direct answers. It does not match them: the caller finds the probe that an
// [Arrival] is about by ports, destination, checksum, payload and
// [Arrival.Identity].
//
// It works on Linux; elsewhere [Listen] fails with errors.ErrUnsupported.
//
// # With privileges: raw sockets
//
// A [Conn] has two raw sockets. One, of the protocol, sends probes and receives
// direct answers; the other receives ICMP errors. Filters in the kernel pass
// only packets about the Conn's own source ports. The kernel writes the IP
// header; TTL, traffic class, source address and flow label go with each packet.
// This package builds everything after the IP header, including the checksum:
// neither the kernel nor a network card changes it, so a router quotes exactly
// these bytes. Raw sockets deliver IPv4 packets with their header, IPv6 packets
// without.
//
// The checksum requires the source address. The package asks the kernel for it by
// connecting a UDP socket, and keeps the answer for some seconds. It then sends
// the packet from that address. If routes have changed, the send fails, and is
// tried again from the new address; the checksum is never wrong.
//
// Sockets that are bound but not connected hold the source ports, and drop all
// packets. No other process can use the ports, and the kernel does not answer UDP
// replies with port unreachable. It answers a SYN-ACK, for which there is neither
// a connection nor a listener, with RST, so that the peer keeps no half-open
// connection. SCTP ports are held if the kernel has SCTP loaded. An INIT ACK needs
// no answer: the peer keeps no state before the COOKIE ECHO (RFC 9260 section
// 5.1.3). While a raw SCTP socket is open, a host without SCTP does not answer
// INITs to itself with protocol unreachable.
//
// The package verifies the checksums of direct answers, because the kernel does so
// only for the socket that owns the port. Packets from this host or over a virtual
// link may have only the sum of the pseudo-header, because nothing completed their
// checksum; the package accepts that, too.
//
// # Without: UDP
//
// There is an ordinary UDP socket for each source port. ICMP errors come through
// its error queue (ip(7), IP_RECVERR), in which the kernel hands out the
// destination with its port, the router, type and code, RFC 4884 extensions and
// the part of the quote after the UDP header. So the quote has no checksum, TTL
// or length. Its Transport is the payload, including the zeros with which a router
// pads it before extensions; it is empty for an 8-byte quote. Distinguish probes by
// ports, or by the payload if it is quoted. A Packet Too Big comes only with
// DontFragment.
//
// # Without: TCP
//
// Each probe is a non-blocking connect on its own socket. A router's error comes
// through that socket's error queue, with the quoted part of the TCP header, and
// ends the connection. An accepted connection is closed at once by RST, and its
// time is the round-trip time that the kernel measured. A refusal has no time of
// its own: its time is that of the read. Neither has a TTL. The kernel chooses the
// sequence number, and drops errors that quote another one; the Identity of an
// arrival is that of its probe. The kernel handles Packet Too Big, and does not
// report it.
//
// Two connections cannot have the same ports and addresses, so a constant flow
// excludes several probes in flight to one destination: SendBatch then fails with
// EADDRNOTAVAIL or EADDRINUSE. The kernel sends a SYN again after a second, because
// it accepts no smaller number of retries: see [Arrival.Retransmitted]. A
// connection without an answer ends after [Probe.Timeout], while a goroutine
// receives.
//
// # Without: SCTP
//
// This fails with errors.ErrUnsupported: few kernels have SCTP loaded, and the
// package would have to make associations.
//
// # Time
//
// Arrivals have the kernel's time of arrival, as in package socket. The wall-clock
// stamp only serves to compute how long a packet waited to be read.
package transport
