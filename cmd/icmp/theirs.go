package main

import (
	"fmt"
	"strings"
)

// theirOption is an option of a tool that people know, and what it is here.
type theirOption struct {
	flags string // as -c or -c, --count
	what  string // what it does there
	here  string // "same", or a sentence that names the flags to use or says why there is none
}

const same = "same"

// theirs are the options of the tools after which the commands are called, by the
// command. docs/cli.md has them as tables; who uses one that is not here, or means
// something else, is told.
var theirs = map[string]struct {
	tool    string
	options []theirOption
}{
	"ping": {"ping", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-a", "a bell for each reply", "no: the table of several targets shows who answers"},
		{"-A", "as fast as replies come", "as --interval 0"},
		{"-b", "broadcast addresses allowed", same},
		{"-B", "keep the source address", "no: --source sets one"},
		{"-c", "how many", same + ", also that it counts replies where there is a --deadline; --replies always does"},
		{"-C", "connect the socket", "no: errors of routers are received without"},
		{"-d", "SO_DEBUG", "no: Linux ignores it for ICMP"},
		{"-D", "time of each line", same},
		{"-e", "the identifier", "no: it is chosen so that no other process has it"},
		{"-f", "flood", "as --interval 0 with --quiet; of many hosts icmp multiping --rate"},
		{"-F", "IPv6 flow label", "as --flow-label of icmp probe and icmp traceroute, which send UDP and TCP with one"},
		{"-h", "help", same},
		{"-i", "the interval", same}, {"-I", "interface or source address", same},
		{"-l", "so many at once at the beginning", "no: --interval 0 sends as fast as replies come"},
		{"-L", "no loop of multicast", "no: replies to multicast come from many"},
		{"-m", "routing mark", same},
		{"-M", "do, dont, want: fragmentation", same + "; want is neither: --pmtudisc do or --pmtudisc dont is allowed"},
		{"-n", "no names", same},
		{"-N", "node information", "no: hosts have ceased to answer it"},
		{"-O", "requests without an answer yet", same},
		{"-p", "pattern of the payload", same},
		{"-q", "the summary only", same}, {"-Q", "traffic class", same},
		{"-r", "no routes", "as --interface"},
		{"-R", "record route", "no: routers drop it; icmp traceroute finds them"},
		{"-s", "bytes of payload", same},
		{"-S", "send buffer", "no: it is sized by need"},
		{"-t", "time to live", same},
		{"-T", "time stamps of IP", "no: routers drop it"},
		{"-U", "user-to-user latency", "no: round-trip times are those of the network, as far as the system tells them: see accuracy.md"},
		{"-v", "more", same + "; with --json each reply is an object"},
		{"-V", "version", same},
		{"-w", "when to end", same + ", but an ICMP error does not end it"},
		{"-W", "time to wait for a reply", same},
	}},
	"multiping": {"fping", []theirOption{
		{"-4, --ipv4", "IPv4 only", same}, {"-6, --ipv6", "IPv6 only", same},
		{"-a, --alive", "those that are alive", same},
		{"-A, --addr", "addresses", "no: names are shown with their addresses"},
		{"-b, --size", "bytes of payload", same},
		{"-B, --backoff", "by how much each try waits longer", same + ", with --retries"},
		{"-c, --count", "requests to each", same},
		{"-C, --vcount", "so many, all round-trip times in a line", same},
		{"-D, --timestamp", "time of each line", same},
		{"-d, --rdns", "names of addresses", "no: a sweep looks nothing up; icmp ping does"},
		{"-e, --elapsed", "round-trip times", "no: they are always shown"},
		{"-f, --file", "list of targets", same},
		{"-g, --generate", "targets of a network", "no: a TARGET may be a prefix or a range, as 10.0.0.0/24 or 10.0.0.1-10.0.0.20"},
		{"-h", "help", same},
		{"-H, --ttl", "time to live", same},
		{"-i", "milliseconds between packets", "as --rate, packets per second; --interval is from one request to a host to the next"},
		{"-I, --iface", "interface", same + ", or a source address"},
		{"-l, --loop", "for ever", same},
		{"-m, --all", "all addresses of a name", same},
		{"-M, --dontfrag", "no fragments", same},
		{"-n, --name", "names of addresses", "no: a sweep looks nothing up; icmp ping does"},
		{"-N, --netdata", "output for netdata", "no: --json is for programs"},
		{"-o, --outage", "for how long it was silent", same},
		{"-O, --tos", "traffic class", same},
		{"-p, --period", "from one request to a host to the next", same + ", with a unit: 500ms"},
		{"-q, --quiet", "the summary only", same},
		{"-Q, --squiet", "sums of intervals", same},
		{"-r, --retry", "retries", same + "; without it --count requests are sent, whoever answers"},
		{"-R, --random", "random payload", "no: it always is"},
		{"-s, --stats", "the summary", same + "; as text it is always shown"},
		{"-S, --src", "source address", same},
		{"-t, --timeout", "time to wait for a reply", same + ", with a unit: 500ms"},
		{"-u, --unreach", "those that are not", same},
		{"-v, --version", "version", same},
		{"-x, --reachable", "whether so many are alive", same + ", and ends when they are"},
	}},
	"traceroute": {"traceroute", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-A, --as-path-lookups", "autonomous systems", same + ", by DNS, or with --asn-db from a file"},
		{"-d, --debug", "SO_DEBUG", "no: Linux ignores it for ICMP"},
		{"-D, --dccp", "DCCP", "no: nobody answers it; --protocol has icmp, udp, tcp, sctp"},
		{"-e, --extensions", "MPLS and others", "no: they are always shown"},
		{"-f, --first", "first hop", same},
		{"-F, --dont-fragment", "no fragments", same},
		{"-g, --gateway", "source routing", "no: routers drop it; --gap ends the trace after silent hops"},
		{"-i, --interface", "interface", same},
		{"-I, --icmp", "ICMP", same + ", and the default"},
		{"-l, --flowlabel", "IPv6 flow label", same},
		{"-m, --max-hops", "last hop", same},
		{"-M, --module", "the method", "as --protocol"},
		{"-n", "no names", same},
		{"-N, --sim-queries", "probes at a time", "no: as many as hops answer in time; --interval slows down"},
		{"-O, --options", "options of a method", "no: --port and --source-port have flags of their own"},
		{"-p, --port", "destination port", same + "; it is constant, so that all probes are one flow"},
		{"-P, --protocol", "protocol", same + ": icmp, udp, tcp or sctp"},
		{"-q, --queries", "probes to a hop", same},
		{"-r", "no routes", "as --interface"},
		{"-s, --source", "source address", same},
		{"-t, --tos", "traffic class", same},
		{"-T, --tcp", "TCP", same}, {"-U, --udp", "UDP to one port", same + ", but to 33434 and not 53 where --port names none"},
		{"-UL", "UDPLITE", "no: nobody answers it; --udp is UDP"},
		{"-V, --version", "version", same},
		{"-w, --wait", "time to wait", same + ", as 500ms or 5; without here and near: no answer is a loss before the time is over, which all hops wait together, and --fast asks a hop again by the times that were seen"},
		{"-z, --sendwait", "from one probe to the next", same + ", with a unit: 100ms"},
		{"--back", "return distance", "no: it is always shown where it differs"},
		{"--fwmark", "routing mark", "as --mark"},
		{"--help", "help", same},
		{"--mtu", "path MTU", same},
		{"--sport", "source port", "as --source-port"},
		{"packetlen", "length of the packet", "as --size, the bytes of payload"},
	}},
	"mtr": {"mtr", []theirOption{
		{"-4", "IPv4 only", same}, {"-6", "IPv6 only", same},
		{"-a, --address", "source address", same},
		{"-b, --show-ips", "names and addresses", same + ", and the default"},
		{"-B, --bitpattern", "pattern of the payload", "no: it makes each probe recognisable"},
		{"-c, --report-cycles", "rounds", same},
		{"-C, --csv", "CSV", same},
		{"-e, --mpls", "MPLS labels", "no: they are always shown; key d hides them"},
		{"-f, --first-ttl", "first hop", same},
		{"-F, --filename", "list of targets", same},
		{"-G, --gracetime", "time to wait at the end", "no: every probe of the last round has its --timeout, and the end comes with the last answer if all do"},
		{"-h, --help", "help", same},
		{"-i, --interval", "from round to round", same},
		{"-I, --interface", "interface", same},
		{"-j, --json", "JSON", same},
		{"-l, --raw", "raw output", "no: --json is for programs"},
		{"-L, --localport", "source port", same},
		{"-m, --max-ttl", "last hop", same},
		{"-M, --mark", "routing mark", same},
		{"-n, --no-dns", "no names", same},
		{"-o, --order", "columns", same + "; geometric mean, current and worst jitter are not among them"},
		{"-p, --split", "output for front ends", "no: --json is for programs; --port is -P"},
		{"-P, --port", "destination port", same},
		{"-Q, --tos", "traffic class", same},
		{"-r, --report", "a table at the end", same},
		{"-s, --psize", "size of the packet", "as --size, the bytes of payload: 28 less over IPv4, 48 less over IPv6"},
		{"-S, --sctp", "SCTP", "as --protocol sctp"},
		{"-t, --curses", "the screen", "no: it is the default on a terminal"},
		{"-T, --tcp", "TCP", same}, {"-u, --udp", "UDP", same},
		{"-U, --max-unknown", "silent hops before the end", "no: --max-hops bounds a route; --udp is -u"},
		{"-v, --version", "version", same},
		{"-w, --report-wide", "a table whose names are not cut", same + ": they never are"},
		{"-x, --xml", "XML", "no: --json is for programs"},
		{"-y, --ipinfo", "what is known of an address", "as --as-lookup, which has the number alone"},
		{"-z, --aslookup", "autonomous systems", same + ", by DNS, or with --asn-db from a file"},
		{"-Z, --timeout", "time to wait for an answer", same},
		{"--displaymode", "graphs", "no: key c changes the columns"},
	}},
}

// names returns the flags of an option, with their hyphens.
func (o theirOption) names() []string { return strings.Split(o.flags, ", ") }

// isSame reports whether the option is the same here.
func (o theirOption) isSame() bool { return strings.HasPrefix(o.here, same) }

// explainTheirs returns what to say of a flag of the tool after which a command is
// called, "" if it has none of that name. The flag is given with its hyphens. What stands
// in the table begins with "as" where something else is to be used, and with "no" before
// the reason why there is nothing.
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
