// Package transport sends UDP datagrams, TCP SYNs and SCTP INITs with a chosen
// TTL and receives what answers them: the ICMP errors of routers and hosts, and
// the direct answers. It matches nothing: which probe an [Arrival] is about is
// for the caller to find out from ports, destination, checksum, payload and
// [Arrival.Identity].
//
// It works on Linux; elsewhere [Listen] fails with errors.ErrUnsupported.
//
// # With privileges: raw sockets
//
// A [Conn] has two raw sockets. One, of the protocol, sends probes and receives
// direct answers; the other receives ICMP errors. Filters in the kernel leave
// them what is about the Conn's own source ports. The kernel writes the IP
// header; TTL, traffic class, source address and flow label go with each packet.
// Everything behind the IP header is made here, checksum included: the kernel
// does not touch it, no network card completes it, and so a router quotes what
// was built. Raw sockets deliver IPv4 packets with their header, IPv6 packets
// without.
//
// For the checksum, the source address has to be known: the kernel is asked for
// it by connecting a UDP socket, and the answer is kept for some seconds. A
// packet is then tied to that address, so that a change of routes makes a send
// fail, and be tried again from the new address, but never makes a wrong
// checksum.
//
// The source ports are held by sockets that are bound and not connected, and
// that drop what comes. Nobody else can use the ports, and the kernel does not
// answer UDP replies with port unreachable. To a SYN-ACK, for which there is
// neither a connection nor a listener, it answers RST, bound port or not: the
// peer is left with no half-open connection. SCTP ports are held where the
// kernel has SCTP loaded. Nothing need be done about an INIT ACK: the peer keeps
// no state before the COOKIE ECHO (RFC 9260 section 5.1.3). As long as a raw
// SCTP socket is open, a host without SCTP does not answer INITs to itself with
// protocol unreachable.
//
// The checksums of direct answers are verified here, for the kernel does it only
// for a packet's owner. What comes from this host, or over a virtual link, has
// but the sum of the pseudo-header, as nothing ever completed it; that is
// accepted too.
//
// # Without: UDP
//
// There is an ordinary UDP socket for each source port. ICMP errors come through
// its error queue (ip(7), IP_RECVERR), in which the kernel hands out the
// destination with its port, the router, type and code, RFC 4884 extensions and
// what is quoted behind the UDP header. So the quote has no checksum, TTL or
// length; its Transport is the payload, with the zeros that a router filled it
// up with before extensions; of an 8-byte quote it is empty. Tell probes apart by
// ports, or by the payload where it is quoted. A Packet Too Big comes only where
// DontFragment is set.
//
// # Without: TCP
//
// Each probe is a connect that does not wait, on a socket of its own. A
// router's error comes through that socket's error queue, with the TCP header as
// far as it was quoted, and ends the connection. An acceptance is closed at once
// by RST, and its time is the round-trip time that the kernel measured. A
// refusal has no time of its own: it is that of the reading. Neither has a TTL.
// The sequence number is the kernel's, which also drops errors that quote
// another; the Identity of an arrival is what its probe had. Packets too big are
// acted upon by the kernel, and not reported.
//
// Two connections cannot have ports and addresses in common, so a constant flow
// and several probes in flight to one destination exclude each other: SendBatch
// then fails with EADDRNOTAVAIL or EADDRINUSE. A SYN is sent again after a
// second, for the kernel accepts no smaller number of retries: see
// [Arrival.Retransmitted]. A connection that nothing comes of ends with the
// [Probe.Timeout], while somebody receives.
//
// # Without: SCTP
//
// This fails with errors.ErrUnsupported: few kernels have SCTP loaded, and it
// would have to make associations.
//
// # Time
//
// Arrivals carry the kernel's time of arrival as in package socket. The
// wall-clock stamp is used only to know how long a packet waited to be read.
package transport
