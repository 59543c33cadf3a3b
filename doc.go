// Package icmplib measures networks with ICMP: it pings hosts, one or very
// many, and tells what became of every packet.
//
// The functions of the package are one call each:
//
//	host, err := icmplib.Ping(ctx, "192.0.2.1", nil)
//	hosts, err := icmplib.MultiPing(ctx, []string{"192.0.2.1", "2001:db8::1"}, nil)
//	route, err := icmplib.Traceroute(ctx, "192.0.2.1", nil)
//
// Results one by one, as they come, are for the functions whose names end in Seq:
//
//	for result, err := range icmplib.PingSeq(ctx, "192.0.2.1", &icmplib.PingOptions{Count: -1}) {
//
// Calls that run at the same time share their sockets, and so may thousands of
// goroutines; a program that is idle holds none. A program with settings of its
// own, a source address, a routing mark, a rate, and one that probes all the time,
// makes a [Prober] with [NewProber]. It has each of the functions as a method.
//
// # Results
//
// A [Result] is one probe and its fate; a [Host] sums up many, in [Stats] whose
// books balance: every packet sent is received, silent, late, met by an ICMP
// error, or unsettled when the call ended. Silence and ICMP errors are data. An
// error is what kept the machinery from working: a name that does not resolve,
// an option that cannot be used, a socket that may not be opened. Such errors
// say what to do next.
//
// What the functions return is text for people by its String method, and for
// other programs by encoding/json: names in lower case, and milliseconds where a
// name ends in _ms.
//
// # Privileges
//
// Where the system allows datagram ICMP sockets, no privilege is needed: macOS
// does, and so does Linux for the groups in net.ipv4.ping_group_range, which
// governs IPv6, too. Otherwise a raw socket takes CAP_NET_RAW or root. By
// default the first that works is used.
//
// # Times
//
// A round-trip time runs from the moment before the kernel was given the packet
// to the moment at which the kernel received the answer, on the monotonic
// clock: neither a busy process nor a stepped clock changes it.
//
// # What is where
//
//   - one host: [Ping], [PingSeq]; the result is a [Host], or each [Result]
//   - very many hosts: [MultiPing], [MultiPingSeq]
//   - the way to a host: [Traceroute], [TracerouteSeq]; the result is a [Route],
//     whose elements are of type [Hop]. With Flows it has a [Graph] of all ways,
//     and [Route.Rewrites] finds address translators
//   - the ways to very many: [MultiTraceroute], [MultiTracerouteSeq]
//   - the way to a host, watched: [Monitor], which yields a [Snapshot] with each
//     [Event] every round, as mtr does
//   - loss on the way, or a router's rate limit: [ExplainLoss]; the result is a
//     [LossReport]
//   - how large packets can be: [PathMTU]; the result is a [MTUReport]
//   - to watch many hosts for ever: [Prober.NewWatch], [Watch], [WatchEvent]
//   - single packets of any protocol: [Probe], and for very many
//     [Prober.NewStream]; each has a [Result] with its [Status]
//   - options: each operation's are named for it, such as [PingOptions]. Nil and
//     zero fields mean the defaults; what cannot be used is a [ConfigError]
//   - the shape of a packet, in all of these options: [Packet], [Protocol]
//   - figures: [Stats], which Host and Hop share
//   - names: [Resolve], [NameCache], [Family]
//   - what this process may do: [Prober.Capabilities]
//   - sockets, settings, counters: [Prober], [Config], [Prober.Counters]
//   - errors: [ErrTimeout], [ErrNameLookup], [ErrUnreachable], [ConfigError] and
//     [os.ErrPermission], by [errors.Is] and [errors.As]
//
// Package icmptest has a Prober in a simulated network, for the tests of programs
// that use this one. Package socket has the ICMP sockets, for tools of one's own; package icmp
// builds and parses the messages.
//
// # Coming from another library
//
// From icmplib for Python:
//
//	ping(address, count=4, interval=1)    Ping(ctx, address, &PingOptions{Count: 4, Interval: time.Second})
//	multiping(addresses)                  MultiPing(ctx, addresses, nil)
//	traceroute(address)                   Traceroute(ctx, address, nil)
//	for a in addresses: traceroute(a)     MultiTraceroute(ctx, addresses, nil)
//	host.avg_rtt, host.packet_loss        host.AvgRTT(), host.PacketLoss()
//	except NameLookupError                errors.Is(err, ErrNameLookup)
//
// From pro-bing:
//
//	pinger.Run()                          Ping(ctx, address, nil)
//	pinger.OnRecv                         for result, err := range PingSeq(ctx, address, nil)
//	pinger.Statistics()                   the Host that Ping returns
//	pinger.SetPrivileged(true)            NewProber(&Config{Mode: socket.Raw})
//	pinger.Stop()                         break, or the end of ctx
//
// From mtrpacket for Python:
//
//	await mtr.probe(host, ttl=3)          Probe(ctx, addr, &ProbeOptions{Packet: Packet{TTL: 3}})
//	result.result, result.time_ms         result.Status.String(), result.RTT
//	a probe for each ttl, again and again Monitor(ctx, address, nil)
//
// From twisted-mtr for Python:
//
//	TraceRoute.trace, of many targets     for route, err := range MultiTracerouteSeq(ctx, targets, nil)
//
// The whole tables, and what is different behind the names, are in
// https://github.com/goicmp/icmplib/blob/main/docs/migrating.md.
package icmplib
