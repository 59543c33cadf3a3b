// Package icmplib measures networks with ICMP: it pings hosts, one or very
// many, and tells what became of every packet.
//
// The functions of the package are one call each:
//
//	host, err := icmplib.Ping(ctx, "192.0.2.1", nil)
//	hosts, err := icmplib.MultiPing(ctx, []string{"192.0.2.1", "2001:db8::1"}, nil)
//	route, err := icmplib.Traceroute(ctx, "192.0.2.1", nil)
//
// Calls that run at the same time share their sockets, and so may thousands of
// goroutines; a program that is idle holds none. A program with settings of its
// own, a source address, a routing mark, a rate, makes a [Prober] with
// [NewProber]. It has the same as methods, and more: results one by one as they
// come ([Prober.PingSeq], [Prober.MultiPingSeq], [Prober.TracerouteSeq]), single
// packets of any protocol ([Prober.Probe], [Prober.NewStream]), and what this
// process may do ([Prober.Capabilities]).
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
//   - one host: [Ping], [Prober.PingSeq], [PingOptions]; the result is a [Host]
//   - very many: [MultiPing], [Prober.MultiPingSeq], [MultiPingOptions]
//   - the way to one: [Traceroute], [Prober.TracerouteSeq], [TracerouteOptions];
//     the result is a [Route], whose elements are of type [Hop]
//   - single packets: [Prober.Probe], [Prober.NewStream], [ProbeOptions]; each
//     has a [Result] with its [Status]
//   - the shape of a packet, in all of these options: [Packet], [Protocol]
//   - figures: [Stats], which Host and Hop share
//   - names: [Resolve], [NameCache], [Family]
//   - sockets and settings: [Prober], [Config], [Prober.Capabilities],
//     [Prober.Counters]
//   - errors: [ErrTimeout], [ErrNameLookup], [ErrUnreachable], [ConfigError] and
//     [os.ErrPermission], by [errors.Is] and [errors.As]
//
// Package socket has the ICMP sockets, for tools of one's own; package icmp
// builds and parses the messages.
//
// # Coming from another library
//
// From icmplib for Python:
//
//	ping(address, count=4, interval=1)    Ping(ctx, address, &PingOptions{Count: 4, Interval: time.Second})
//	multiping(addresses)                  MultiPing(ctx, addresses, nil)
//	traceroute(address)                   Traceroute(ctx, address, nil)
//	host.avg_rtt, host.packet_loss        host.AvgRTT(), host.PacketLoss()
//	except NameLookupError                errors.Is(err, ErrNameLookup)
//
// From pro-bing:
//
//	pinger.Run()                          Ping(ctx, address, nil)
//	pinger.OnRecv                         for result, err := range prober.PingSeq(ctx, address, nil)
//	pinger.Statistics()                   the Host that Ping returns
//	pinger.SetPrivileged(true)            NewProber(&Config{Mode: socket.Raw})
//
// From mtrpacket for Python:
//
//	await mtr.probe(host, ttl=3)          prober.Probe(ctx, addr, &ProbeOptions{Packet: Packet{TTL: 3}})
//	result.result, result.time_ms         result.Status.String(), result.RTT
//
// The whole tables, and what is different behind the names, are in
// docs/migrating.md.
package icmplib
