package main

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// parse reads a command line without targets.
func parse(t *testing.T, args ...string) *pingFlags {
	t.Helper()
	return parseInto(t, &pingFlags{}, args...)
}

// anInterface is one that this host has.
func anInterface(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skipf("this host has no interface: %v", err)
	}
	return all[0].Name
}

// defaults is what an empty command line means.
func defaults() (icmplib.PingOptions, icmplib.Config) {
	opts := icmplib.PingOptions{Count: -1, Interval: time.Second, Timeout: 2 * time.Second, NewIDAfter: 10}
	opts.Packet = icmplib.Packet{TTL: 64, Size: 56}
	return opts, icmplib.Config{}
}

type optionTest struct {
	name  string
	lines [][]string // that mean the same
	want  func(o *icmplib.PingOptions, c *icmplib.Config)
}

func optionTests(device string) []optionTest {
	type options = icmplib.PingOptions
	type config = icmplib.Config
	both := func(short, long, value string) [][]string {
		return [][]string{{short, value}, {"--" + long, value}, {"--" + long + "=" + value}}
	}
	return []optionTest{
		{"nothing given is the defaults, and no end", [][]string{{}}, func(*options, *config) {}},
		{"a count", both("-c", "count", "3"), func(o *options, _ *config) { o.Count = 3 }},
		{"with a deadline replies are counted", [][]string{{"-c", "3", "-w", "9"}}, func(o *options, _ *config) { o.Count = -1 }},
		{"but for the requests beside --replies", [][]string{{"-c", "3", "-w", "9", "--replies", "2"}}, func(o *options, _ *config) { o.Count = 3 }},
		{"a count of 0 is no end", both("-c", "count", "0"), func(o *options, _ *config) { o.Count = -1 }},
		{"an interval", both("-i", "interval", "0.2"), func(o *options, _ *config) { o.Interval = 200 * time.Millisecond }},
		{"an interval of 0 is none", both("-i", "interval", "0"), func(o *options, _ *config) { o.Interval = -1 }},
		{"a name that is followed", [][]string{{"--resolve-every", "60"}, {"--resolve-every=1m"}}, func(o *options, _ *config) { o.ResolveEvery = time.Minute }},
		{"another id earlier", [][]string{{"--new-id-after", "3"}}, func(o *options, _ *config) { o.NewIDAfter = 3 }},
		{"another id never", [][]string{{"--new-id-after", "0"}}, func(o *options, _ *config) { o.NewIDAfter = -1 }},
		{"a timeout", both("-W", "timeout", "500ms"), func(o *options, _ *config) { o.Timeout = 500 * time.Millisecond }},
		{"a size", both("-s", "size", "1400"), func(o *options, _ *config) { o.Packet.Size = 1400 }},
		{"a size of 0 is no payload", both("-s", "size", "0"), func(o *options, _ *config) { o.Packet.Size = -1 }},
		{"a TTL", both("-t", "ttl", "255"), func(o *options, _ *config) { o.Packet.TTL = 255 }},
		{"a traffic class", both("-Q", "traffic-class", "0xb8"), func(o *options, _ *config) { o.Packet.TrafficClass = 0xb8 }},
		{"IPv4 only", [][]string{{"-4"}, {"--ipv4"}}, func(o *options, _ *config) { o.Family = icmplib.IPv4 }},
		{"IPv6 only", [][]string{{"-6"}, {"--ipv6"}}, func(o *options, _ *config) { o.Family = icmplib.IPv6 }},
		{"a source", [][]string{{"-I", "127.0.0.1"}, {"--via", "127.0.0.1"}, {"--source", "127.0.0.1"}},
			func(o *options, _ *config) { o.Packet.Source = netip.MustParseAddr("127.0.0.1") }},
		{"an interface", [][]string{{"-I", device}, {"--via", device}, {"--interface", device}},
			func(o *options, _ *config) { o.Packet.Interface = device }},
		{"a source and an interface", [][]string{{"-I", device, "--source", "::1"}, {"-I", "::1", "--interface", device}},
			func(o *options, _ *config) { o.Packet.Interface, o.Packet.Source = device, netip.IPv6Loopback() }},
		{"fragmentation forbidden", append(both("-M", "pmtudisc", "do"), []string{"--dont-fragment"}), func(o *options, _ *config) { o.Packet.DontFragment = true }},
		{"fragmentation allowed", both("-M", "pmtudisc", "dont"), func(*options, *config) {}},
		{"a broadcast that is allowed", [][]string{{"-b"}, {"--broadcast"}}, func(o *options, _ *config) { o.Packet.Broadcast = true }},
		{"a routing mark", [][]string{{"-m", "4294967295"}, {"--mark", "4294967295"}}, func(o *options, _ *config) { o.Packet.Mark = 1<<32 - 1 }},
		{"a raw socket", [][]string{{"--mode", "raw"}}, func(_ *options, c *config) { c.Mode = socket.Raw }},
		{"a datagram socket", [][]string{{"--mode", "datagram"}}, func(_ *options, c *config) { c.Mode = socket.Datagram }},
		{"any socket", [][]string{{"--mode", "auto"}}, func(*options, *config) {}},
	}
}

func TestEachFlagReachesTheLibrary(t *testing.T) {
	for _, tt := range optionTests(anInterface(t)) {
		t.Run(tt.name, func(t *testing.T) {
			want, wantConfig := defaults()
			tt.want(&want, &wantConfig)
			for _, line := range tt.lines {
				got, gotConfig, err := parse(t, line...).options()
				checkOptions(t, line, got, gotConfig, err, &want, &wantConfig)
			}
		})
	}
}

func TestEachOutputFlagReachesTheReporter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines [][]string
		holds func(r reporter) bool
	}{
		{"text with names is the default", [][]string{{}, {"-v"}}, func(r reporter) bool {
			text, ok := r.(*textReporter)
			return ok && text.names != nil && !text.quiet && text.size == 56
		}},
		{"numbers only", [][]string{{"-n"}, {"--numeric"}}, func(r reporter) bool {
			return r.(*textReporter).names == nil
		}},
		{"the summary only", [][]string{{"-q"}, {"--quiet"}}, func(r reporter) bool {
			return r.(*textReporter).quiet
		}},
		{"the size is told", [][]string{{"-s", "8"}, {"--size", "8"}}, func(r reporter) bool {
			return r.(*textReporter).size == 8
		}},
		{"nothing is drawn for a program", [][]string{{}, {"--histogram=false"}}, func(r reporter) bool {
			return !r.(*textReporter).drawn
		}},
		{"unless asked", [][]string{{"--histogram"}, {"--histogram", "-q"}}, func(r reporter) bool {
			return r.(*textReporter).drawn
		}},
		{"JSON per target", [][]string{{"--json"}}, func(r reporter) bool {
			return !r.(*jsonReporter).replies
		}},
		{"CSV per target", [][]string{{"--csv"}}, func(r reporter) bool {
			return r.(csvPing).results == nil
		}},
		{"CSV per reply", [][]string{{"--csv", "-v"}, {"--csv", "--verbose"}}, func(r reporter) bool {
			return r.(csvPing).results != nil
		}},
		{"JSON per reply, too", [][]string{{"--json", "-v"}, {"--json", "--verbose"}}, func(r reporter) bool {
			return r.(*jsonReporter).replies
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, line := range tt.lines {
				if r := parse(t, line...).reporter(terminal{out: io.Discard}, nil, nil); !tt.holds(r) {
					t.Errorf("%q makes %+v", line, r)
				}
			}
		})
	}
}

func TestTheShortNamesAreThoseOfPing(t *testing.T) {
	want := map[string]string{
		"count": "c", "interval": "i", "timeout": "W", "size": "s", "ttl": "t", "traffic-class": "Q",
		"ipv4": "4", "ipv6": "6", "via": "I", "source": "", "interface": "", "pmtudisc": "M", "dont-fragment": "",
		"mark": "m", "broadcast": "b",
		"check-source": "", "mode": "", "record": "", "numeric": "n", "quiet": "q", "verbose": "v", "json": "", "csv": "",
		"deadline": "w", "replies": "", "resolve-every": "", "new-id-after": "", "pattern": "p", "timestamp": "D", "open": "O",
		"histogram": "", "lines": "", "ascii": "", "no-color": "",
	}
	checkShortNames(t, &pingFlags{}, want)
}
