package main

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// parseTraceroute reads a command line without a target.
func parseTraceroute(t *testing.T, args ...string) *tracerouteFlags {
	t.Helper()
	return parseInto(t, &tracerouteFlags{}, args...)
}

// tracerouteDefaults is what an empty command line means.
func tracerouteDefaults() (icmplib.TracerouteOptions, icmplib.Config) {
	return icmplib.TracerouteOptions{
		FirstHop: 1, MaxHops: 30, Count: 3, Interval: 50 * time.Millisecond, Timeout: 2 * time.Second,
		Packet: icmplib.Packet{Size: 56},
	}, icmplib.Config{}
}

type routeOptionTest struct {
	name  string
	lines [][]string // that mean the same
	want  func(o *icmplib.TracerouteOptions, c *icmplib.Config)
}

func routeOptionTests(device string) []routeOptionTest {
	type options = icmplib.TracerouteOptions
	type config = icmplib.Config
	both := func(short, long, value string) [][]string {
		return [][]string{{short, value}, {"--" + long, value}, {"--" + long + "=" + value}}
	}
	return []routeOptionTest{
		{"nothing given is the defaults", [][]string{{}}, func(*options, *config) {}},
		{"a first hop", both("-f", "first-hop", "5"), func(o *options, _ *config) { o.FirstHop = 5 }},
		{"a last hop", both("-m", "max-hops", "255"), func(o *options, _ *config) { o.MaxHops = 255 }},
		{"a number of queries", [][]string{{"-q", "1000"}, {"--count", "1000"}, {"--queries", "1000"}}, func(o *options, _ *config) { o.Count = 1000 }},
		{"the same as the other commands have it", [][]string{{"--count", "9"}}, func(o *options, _ *config) { o.Count = 9 }},
		{"a time to wait", [][]string{{"-w", "500ms"}, {"--timeout", "500ms"}, {"--wait", "0.5"}}, func(o *options, _ *config) { o.Timeout = 500 * time.Millisecond }},
		{"the same as the other commands have it", [][]string{{"--timeout", "3"}}, func(o *options, _ *config) { o.Timeout = 3 * time.Second }},
		{"an interval", both("-z", "interval", "0.2"), func(o *options, _ *config) { o.Interval = 200 * time.Millisecond }},
		{"an interval of 0 is none", both("-z", "interval", "0"), func(o *options, _ *config) { o.Interval = -1 }},
		{"a gap", [][]string{{"--gap", "5"}}, func(o *options, _ *config) { o.GapLimit = 5 }},
		{"one answer of each hop", [][]string{{"--fast"}}, func(o *options, _ *config) { o.Fast = true }},
		{"IPv4 only", [][]string{{"-4"}, {"--ipv4"}}, func(o *options, _ *config) { o.Family = icmplib.IPv4 }},
		{"IPv6 only", [][]string{{"-6"}, {"--ipv6"}}, func(o *options, _ *config) { o.Family = icmplib.IPv6 }},
		{"ICMP", [][]string{{"-I"}, {"--icmp"}, {"-P", "icmp"}, {"-I", "--protocol", "icmp"}}, func(*options, *config) {}},
		{"UDP", [][]string{{"-U"}, {"--udp"}, {"-P", "udp"}}, func(o *options, _ *config) { o.Packet.Protocol = icmplib.UDP }},
		{"TCP, whose probes have no payload", [][]string{{"-T"}, {"--tcp"}, {"--protocol", "tcp"}},
			func(o *options, _ *config) { o.Packet.Protocol, o.Packet.Size = icmplib.TCP, 0 }},
		{"SCTP, the same", [][]string{{"-P", "sctp"}}, func(o *options, _ *config) { o.Packet.Protocol, o.Packet.Size = icmplib.SCTP, 0 }},
		{"ports", [][]string{{"-U", "-p", "53", "--source-port", "1024"}, {"-P", "udp", "--port", "53", "--source-port=1024"}},
			func(o *options, _ *config) {
				o.Packet.Protocol, o.Packet.Port, o.Packet.SourcePort = icmplib.UDP, 53, 1024
			}},
		{"a flow label", [][]string{{"-U", "-l", "0xfffff"}, {"-U", "--flow-label", "1048575"}},
			func(o *options, _ *config) { o.Packet.Protocol, o.Packet.FlowLabel = icmplib.UDP, 0xfffff }},
		{"a source", both("-s", "source", "127.0.0.1"), func(o *options, _ *config) { o.Packet.Source = netip.MustParseAddr("127.0.0.1") }},
		{"an interface", both("-i", "interface", device), func(o *options, _ *config) { o.Packet.Interface = device }},
		{"a traffic class", both("-t", "traffic-class", "0xb8"), func(o *options, _ *config) { o.Packet.TrafficClass = 0xb8 }},
		{"the same as IPv4 called it", [][]string{{"--tos", "16"}}, func(o *options, _ *config) { o.Packet.TrafficClass = 16 }},
		{"fragmentation forbidden", [][]string{{"-F"}, {"--dont-fragment"}}, func(o *options, _ *config) { o.Packet.DontFragment = true }},
		{"a size", [][]string{{"--size", "1400"}}, func(o *options, _ *config) { o.Packet.Size = 1400 }},
		{"a size of 0 is no payload", [][]string{{"--size", "0"}}, func(o *options, _ *config) { o.Packet.Size = -1 }},
		{"a routing mark", [][]string{{"--mark", "7"}}, func(o *options, _ *config) { o.Packet.Mark = 7 }},
		{"a raw socket", [][]string{{"--mode", "raw"}}, func(_ *options, c *config) { c.Mode = socket.Raw }},
	}
}

func TestEachFlagOfTracerouteReachesTheLibrary(t *testing.T) {
	for _, tt := range routeOptionTests(anInterface(t)) {
		t.Run(tt.name, func(t *testing.T) {
			want, wantConfig := tracerouteDefaults()
			tt.want(&want, &wantConfig)
			for _, line := range tt.lines {
				got, gotConfig, err := parseTraceroute(t, line...).options()
				checkOptions(t, line, got, gotConfig, err, &want, &wantConfig)
			}
		})
	}
}

func TestEachOutputFlagOfTracerouteReachesTheReporter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines [][]string
		holds func(r routeReporter) bool
	}{
		{"text with names is the default", [][]string{{}}, func(r routeReporter) bool { return r.(*textRoute).names != nil }},
		{"numbers only", [][]string{{"-n"}, {"--numeric"}}, func(r routeReporter) bool { return r.(*textRoute).names == nil }},
		{"JSON", [][]string{{"--json"}}, func(r routeReporter) bool { _, ok := r.(jsonRoute); return ok }},
		{"CSV", [][]string{{"--csv"}}, func(r routeReporter) bool { _, ok := r.(csvRoute); return ok }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, line := range tt.lines {
				f := parseTraceroute(t, line...)
				opts, _, err := f.options()
				if err != nil {
					t.Fatal(err)
				}
				if r, err := f.reporter(io.Discard, opts); err != nil || !tt.holds(r) {
					t.Errorf("%q, %v", line, err)
				}
			}
		})
	}
}

func TestTheShortNamesAreThoseOfTraceroute(t *testing.T) {
	want := map[string]string{
		"first-hop": "f", "max-hops": "m", "count": "q", "timeout": "w", "interval": "z", "protocol": "P", "icmp": "I",
		"udp": "U", "tcp": "T", "port": "p", "service": "", "service-name": "", "source-port": "", "flow-label": "l", "ipv4": "4", "ipv6": "6", "source": "s",
		"interface": "i", "traffic-class": "t", "dont-fragment": "F", "size": "", "mark": "", "gap": "", "fast": "",
		"mode": "", "record": "", "numeric": "n", "json": "", "csv": "", "loss": "", "mtu": "", "nat": "",
		"file": "", "rate": "", "hop-rate": "", "parallel": "",
		"flows": "", "dot": "", "svg": "", "asn": "", "as-lookup": "A", "asn-db": "",
	}
	checkShortNames(t, &tracerouteFlags{}, want)
}
