// Package icmplib measures networks with ICMP, UDP, TCP and SCTP probes: it pings one host
// or millions, traces and watches routes, and finds path MTUs.
//
// Each operation is one function call:
//
//	host, err := icmplib.Ping(ctx, "192.0.2.1", nil)
//	hosts, err := icmplib.MultiPing(ctx, []string{"192.0.2.1", "2001:db8::1"}, nil)
//	route, err := icmplib.Traceroute(ctx, "192.0.2.1", nil)
//
// Functions whose names end in Seq yield results as they arrive:
//
//	for result, err := range icmplib.PingSeq(ctx, "192.0.2.1", &icmplib.PingOptions{Count: -1}) {
//
// Calls that run at the same time share their sockets, and thousands of goroutines may call
// at once. An idle program holds no socket. If you need your own settings, such as a source
// address, a routing mark or a rate limit, or if you probe all the time, make a [Prober]
// with [NewProber]. It has every function as a method.
//
// # Results
//
// A [Result] describes one probe and how it ended. A [Host] sums up many, in [Stats] whose
// counters add up: every packet sent counts as received, silent, late, answered by an ICMP
// error, or unsettled at the end of the call. Silence and ICMP errors are data. An error
// means that the measurement itself could not work: a name that does not resolve, an option
// that cannot be used, a socket that may not be opened. Such errors say what to do next.
//
// Every result has a String method for people, and works with encoding/json for programs:
// names are in lower case, and values are in milliseconds if their names end in _ms.
//
// # Privileges
//
// No privilege is needed where the system allows datagram ICMP sockets: on macOS, and on
// Linux for the groups in net.ipv4.ping_group_range, which also governs IPv6. Otherwise a
// raw socket requires CAP_NET_RAW or root. By default, a Prober uses the first kind that
// works.
//
// # Times
//
// A round-trip time starts just before the kernel gets the packet, and ends when the kernel
// receives the answer. It is measured by the monotonic clock: neither a busy process nor a
// stepped clock changes it.
//
// # Where to look
//
//   - one host: [Ping], [PingSeq]; the result is a [Host], or each [Result]
//   - many hosts: [MultiPing], [MultiPingSeq]
//   - a route: [Traceroute], [TracerouteSeq]; the result is a [Route] of [Hop] values. With
//     Flows it has a [Graph] of all paths, and [Route.Rewrites] finds address translators
//   - many routes: [MultiTraceroute], [MultiTracerouteSeq]
//   - a route over time: [Monitor], which yields a [Snapshot] with each [Event] every
//     round, as mtr does
//   - loss, or a router's rate limit: [ExplainLoss]; the result is a [LossReport]
//   - the largest packet that gets through: [PathMTU]; the result is an [MTUReport]
//   - many hosts until you stop: [Prober.NewWatch], [Watch], [WatchEvent]
//   - single packets of any protocol: [Probe], or [Prober.NewStream] for very many; each
//     has a [Result] with its [Status]
//   - options: each operation has its own, such as [PingOptions]. Nil and zero fields mean
//     the defaults; a value that cannot be used is a [ConfigError]
//   - the shape of a packet, part of all options: [Packet], [Protocol]
//   - statistics: [Stats], part of Host and Hop
//   - names: [Resolve], [NameCache], [Family]
//   - what this process may do: [Prober.Capabilities]
//   - sockets, settings, counters: [Prober], [Config], [Prober.Counters]
//   - errors: [ErrTimeout], [ErrNameLookup], [ErrUnreachable], [ConfigError] and
//     [os.ErrPermission], by [errors.Is] and [errors.As]
//
// Package icmptest provides a Prober on a simulated network, for the tests of programs that
// use this package. Package socket provides the ICMP sockets, for building other tools.
// Package icmp builds and parses messages.
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
//	pinger.Stop()                         break, or cancel ctx
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
// The full tables, and the differences behind the names, are in
// https://github.com/goicmp/icmplib/blob/main/docs/migrating.md.
package icmplib
