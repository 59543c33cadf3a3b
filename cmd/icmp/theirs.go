package main

import (
	"fmt"
	"strings"
)

// theirOption is an option of a well-known tool and its equivalent here.
type theirOption struct {
	flags string // as -c or -c, --count
	what  string // what it does there
	here  string // "same", or a sentence that names the flags to use or says why there is none
}

const same = "same"

// theirs are the options of the tools that the commands are named after, by command.
// docs/cli.md shows them as tables, and an error explains an option that is missing
// here or means something else.
var theirs = map[string]struct {
	tool    string
	options []theirOption
}{
	"ping": {"ping", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-a", "a bell per reply", "no: the table of several targets shows which ones answer"},
		{"-A", "as fast as replies come", "as --interval 0"},
		{"-b", "allow broadcast addresses", same},
		{"-B", "keep the source address", "no: --source sets one"},
		{"-c", "number of requests", same + "; with --deadline it counts replies, too; --replies always counts replies"},
		{"-C", "connect the socket", "no: errors of routers arrive without it"},
		{"-d", "SO_DEBUG", "no: Linux ignores it for ICMP"},
		{"-D", "time on each line", same},
		{"-e", "the identifier", "no: the library picks one that no other process uses"},
		{"-f", "flood", "as --interval 0 with --quiet; for many hosts, icmp multiping --rate"},
		{"-F", "IPv6 flow label", "as --flow-label of icmp probe and icmp traceroute, for UDP and TCP"},
		{"-h", "help", same},
		{"-i", "the interval", same}, {"-I", "interface or source address", same},
		{"-l", "a burst at the start", "no: --interval 0 sends as fast as replies come"},
		{"-L", "no multicast loop", "no: replies to multicast come from many hosts"},
		{"-m", "routing mark", same},
		{"-M", "do, dont, want: fragmentation", same + ", without want: --pmtudisc do or --pmtudisc dont is allowed"},
		{"-n", "no names", same},
		{"-N", "node information", "no: hosts no longer answer it"},
		{"-O", "requests still unanswered", same},
		{"-p", "pattern of the payload", same},
		{"-q", "the summary only", same}, {"-Q", "traffic class", same},
		{"-r", "no routes", "as --interface"},
		{"-R", "record route", "no: routers drop such packets; icmp traceroute finds routers"},
		{"-s", "bytes of payload", same},
		{"-S", "send buffer", "no: the library sizes it as needed"},
		{"-t", "time to live", same},
		{"-T", "IP timestamps", "no: routers drop such packets"},
		{"-U", "user-to-user latency", "no: round-trip times are those of the network, as far as the system supplies them: see accuracy.md"},
		{"-v", "more", same + "; with --json each reply is an object"},
		{"-V", "version", same},
		{"-w", "deadline", same + ", except that an ICMP error does not end it"},
		{"-W", "time to wait for a reply", same},
	}},
	"multiping": {"fping", []theirOption{
		{"-4, --ipv4", "IPv4 only", same}, {"-6, --ipv6", "IPv6 only", same},
		{"-a, --alive", "hosts that answer", same},
		{"-A, --addr", "addresses", "no: names always come with their addresses"},
		{"-b, --size", "bytes of payload", same},
		{"-B, --backoff", "growth of the timeout per try", same + ", with --retries"},
		{"-c, --count", "requests per host", same},
		{"-C, --vcount", "as -c, all round-trip times on one line", same},
		{"-D, --timestamp", "time on each line", same},
		{"-d, --rdns", "names of addresses", "no: a sweep looks up no names; icmp ping does"},
		{"-e, --elapsed", "round-trip times", "no: they are always shown"},
		{"-f, --file", "list of targets", same},
		{"-g, --generate", "targets of a network", "no: a TARGET may be a prefix or a range, such as 10.0.0.0/24 or 10.0.0.1-10.0.0.20"},
		{"-h", "help", same},
		{"-H, --ttl", "time to live", same},
		{"-i", "milliseconds between packets", "as --rate, packets per second; --interval is the time between requests to one host"},
		{"-I, --iface", "interface", same + ", or a source address"},
		{"-l, --loop", "until interrupted", same},
		{"-m, --all", "all addresses of a name", same},
		{"-M, --dontfrag", "no fragments", same},
		{"-n, --name", "names of addresses", "no: a sweep looks up no names; icmp ping does"},
		{"-N, --netdata", "output for netdata", "no: --json is for programs"},
		{"-o, --outage", "how long hosts were silent", same},
		{"-O, --tos", "traffic class", same},
		{"-p, --period", "time between requests to a host", same + ", with a unit: 500ms"},
		{"-q, --quiet", "the summary only", same},
		{"-Q, --squiet", "sums per interval", same},
		{"-r, --retry", "retries", same + "; without it, --count requests are sent even to hosts that answered"},
		{"-R, --random", "random payload", "no: it is always random"},
		{"-s, --stats", "the summary", same + "; text output always has it"},
		{"-S, --src", "source address", same},
		{"-t, --timeout", "time to wait for a reply", same + ", with a unit: 500ms"},
		{"-u, --unreach", "hosts that do not answer", same},
		{"-v, --version", "version", same},
		{"-x, --reachable", "whether N hosts are alive", same + ", and ends when they are"},
	}},
	"traceroute": {"traceroute", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-A, --as-path-lookups", "AS numbers", same + ", from DNS, or from a file with --asn-db"},
		{"-d, --debug", "SO_DEBUG", "no: Linux ignores it for ICMP"},
		{"-D, --dccp", "DCCP", "no: hosts do not answer it; --protocol has icmp, udp, tcp, sctp"},
		{"-e, --extensions", "MPLS and others", "no: they are always shown"},
		{"-f, --first", "first hop", same},
		{"-F, --dont-fragment", "no fragments", same},
		{"-g, --gateway", "source routing", "no: routers drop such packets; --gap ends the trace after silent hops"},
		{"-i, --interface", "interface", same},
		{"-I, --icmp", "ICMP", same + ", and the default"},
		{"-l, --flowlabel", "IPv6 flow label", same},
		{"-m, --max-hops", "last hop", same},
		{"-M, --module", "the method", "as --protocol"},
		{"-n", "no names", same},
		{"-N, --sim-queries", "probes at a time", "no: it adapts to the answers; --interval slows it down"},
		{"-O, --options", "options of a method", "no: --port and --source-port are flags"},
		{"-p, --port", "destination port", same + "; it stays constant, so all probes are one flow"},
		{"-P, --protocol", "protocol", same + ": icmp, udp, tcp or sctp"},
		{"-q, --queries", "probes per hop", same},
		{"-r", "no routes", "as --interface"},
		{"-s, --source", "source address", same},
		{"-t, --tos", "traffic class", same},
		{"-T, --tcp", "TCP", same}, {"-U, --udp", "UDP to one port", same + ", but the default port is 33434, not 53"},
		{"-UL", "UDPLITE", "no: hosts do not answer it; --udp is UDP"},
		{"-V, --version", "version", same},
		{"-w, --wait", "time to wait", same + ", such as 500ms or 5, without here and near: every probe waits the whole time, all hops in parallel; --fast probes a hop again sooner, from the times seen"},
		{"-z, --sendwait", "time between probes", same + ", with a unit: 100ms"},
		{"--back", "return distance", "no: it is always shown where it differs"},
		{"--fwmark", "routing mark", "as --mark"},
		{"--help", "help", same},
		{"--mtu", "path MTU", same},
		{"--sport", "source port", "as --source-port"},
		{"packetlen", "length of the packet", "as --size, in bytes of payload"},
	}},
	"mtr": {"mtr", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-a, --address", "source address", same},
		{"-b, --show-ips", "names and addresses", same + ", and the default"},
		{"-B, --bitpattern", "pattern of the payload", "no: the payload identifies each probe"},
		{"-c, --report-cycles", "rounds", same},
		{"-C, --csv", "CSV", same},
		{"-e, --mpls", "MPLS labels", "no: they are always shown; key d hides them"},
		{"-f, --first-ttl", "first hop", same},
		{"-F, --filename", "list of targets", same},
		{"-G, --gracetime", "time to wait at the end", "no: mtr waits up to --timeout for the last round, and ends earlier when all have answered"},
		{"-h, --help", "help", same},
		{"-i, --interval", "time between rounds", same},
		{"-I, --interface", "interface", same},
		{"-j, --json", "JSON", same},
		{"-l, --raw", "raw output", "no: --json is for programs"},
		{"-L, --localport", "source port", same},
		{"-m, --max-ttl", "last hop", same},
		{"-M, --mark", "routing mark", same},
		{"-n, --no-dns", "no names", same},
		{"-o, --order", "columns", same + ", without geometric mean, current and worst jitter"},
		{"-p, --split", "output for front ends", "no: --json is for programs; --port is -P"},
		{"-P, --port", "destination port", same},
		{"-Q, --tos", "traffic class", same},
		{"-r, --report", "a table at the end", same},
		{"-s, --psize", "size of the packet", "as --size, in bytes of payload: 28 less over IPv4, 48 less over IPv6"},
		{"-S, --sctp", "SCTP", "as --protocol sctp"},
		{"-t, --curses", "the screen", "no: it is the default on a terminal"},
		{"-T, --tcp", "TCP", same}, {"-u, --udp", "UDP", same},
		{"-U, --max-unknown", "silent hops before the end", "no: --max-hops bounds a route; --udp is -u"},
		{"-v, --version", "version", same},
		{"-w, --report-wide", "a table that cuts no names", same + ": no table cuts them"},
		{"-x, --xml", "XML", "no: --json is for programs"},
		{"-y, --ipinfo", "details of an address", "as --as-lookup, which shows only the AS number"},
		{"-z, --aslookup", "AS numbers", same + ", from DNS, or from a file with --asn-db"},
		{"-Z, --timeout", "time to wait for an answer", same},
		{"--displaymode", "graphs", "no: key c changes the columns"},
	}},
}

// names returns the flags of an option, with their hyphens.
func (o theirOption) names() []string { return strings.Split(o.flags, ", ") }

// isSame reports whether the option is the same here.
func (o theirOption) isSame() bool { return strings.HasPrefix(o.here, same) }

// explainTheirs explains a flag, given with its hyphens, of the tool that a command is
// named after; it returns "" if that tool has no such flag. A row of the table begins
// with "as" before the flags to use instead, and with "no" before the reason why there
// are none.
func explainTheirs(command, flag string) string {
	tool := theirs[command]
	for _, o := range tool.options {
		for _, name := range o.names() {
			if name == flag && !o.isSame() {
				here := strings.TrimPrefix(o.here, "no: ")
				if instead, ok := strings.CutPrefix(here, "as "); ok {
					here = "use " + instead
				}
				return fmt.Sprintf("%s of %s (%s): %s", flag, tool.tool, o.what, here)
			}
		}
	}
	return ""
}
