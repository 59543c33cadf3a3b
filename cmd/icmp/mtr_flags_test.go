package main

import (
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
	"github.com/goicmp/icmplib/socket"
)

// parseMTR reads a command line without a target.
func parseMTR(t *testing.T, line string) *mtrFlags {
	t.Helper()
	return parseInto(t, &mtrFlags{}, strings.Fields(line)...)
}

// mtrDefaults is what an empty command line means.
func mtrDefaults() icmplib.MonitorOptions {
	return icmplib.MonitorOptions{
		Interval: time.Second, FirstHop: 1, MaxHops: 30, Timeout: 2 * time.Second, Outage: 3,
		Packet: icmplib.Packet{Size: 56},
	}
}

func TestEachFlagOfMTRReachesTheLibrary(t *testing.T) {
	type options = icmplib.MonitorOptions
	device := anInterface(t)
	for _, tt := range []struct {
		name  string
		lines string // that mean the same, one a line
		want  func(o *options)
	}{
		{"nothing given is the defaults", "", func(*options) {}},
		{"rounds", "-c 5\n--count 5\n--report-cycles=5", func(o *options) { o.Rounds = 5 }},
		{"10 rounds where nobody looks on", "--report\n-r\n-j\n--json\n-C\n--csv", func(o *options) { o.Rounds = 10 }},
		{"a wide report", "-w\n-rwzbc 10\n--report-wide", func(o *options) { o.Rounds = 10 }},
		{"or as many as are asked for", "-r -c 7", func(o *options) { o.Rounds = 7 }},
		{"or no end", "--json -c 0", func(*options) {}},
		{"an interval", "-i 200ms\n--interval 0.2", func(o *options) { o.Interval = 200 * time.Millisecond }},
		{"a time to wait", "-Z 500ms\n--timeout 0.5", func(o *options) { o.Timeout = 500 * time.Millisecond }},
		{"a first hop", "-f 5\n--first-hop 5\n--first-ttl 5", func(o *options) { o.FirstHop = 5 }},
		{"one behind the default of the last", "-f 40", func(o *options) { o.FirstHop, o.MaxHops = 40, 40 }},
		{"a last hop", "-m 255\n--max-hops 255\n--max-ttl 255", func(o *options) { o.MaxHops = 255 }},
		{"an outage", "--outage 9", func(o *options) { o.Outage = 9 }},
		{"a name that is followed", "--resolve-every 60\n--resolve-every=1m", func(o *options) { o.ResolveEvery = time.Minute }},
		{"no outages", "--outage 0", func(o *options) { o.Outage = -1 }},
		{"IPv4 only", "-4\n--ipv4", func(o *options) { o.Family = icmplib.IPv4 }},
		{"IPv6 only", "-6\n--ipv6", func(o *options) { o.Family = icmplib.IPv6 }},
		{"UDP", "-u\n--udp\n--protocol udp", func(o *options) { o.Packet.Protocol = icmplib.UDP }},
		{"TCP, whose probes have no payload", "-T\n--tcp\n--protocol tcp", func(o *options) { o.Packet.Protocol, o.Packet.Size = icmplib.TCP, 0 }},
		{"ports", "-u -P 53 -L 1024\n-u -P 53 --localport 1024", func(o *options) {
			o.Packet.Protocol, o.Packet.Port, o.Packet.SourcePort = icmplib.UDP, 53, 1024
		}},
		{"a service", "-u --service ntp\n--service ntp", func(o *options) {
			o.Packet.Protocol, o.Packet.Service, o.Packet.Size = icmplib.UDP, icmplib.NTP, 0
		}},
		{"a flow label", "-u --flow-label 7", func(o *options) { o.Packet.Protocol, o.Packet.FlowLabel = icmplib.UDP, 7 }},
		{"a source", "-a 127.0.0.1\n--address 127.0.0.1", func(o *options) { o.Packet.Source = netip.MustParseAddr("127.0.0.1") }},
		{"an interface", "-I " + device + "\n--interface " + device, func(o *options) { o.Packet.Interface = device }},
		{"a traffic class", "-Q 184\n--tos 184", func(o *options) { o.Packet.TrafficClass = 184 }},
		{"fragmentation forbidden", "--dont-fragment", func(o *options) { o.Packet.DontFragment = true }},
		{"a size", "--size 1400", func(o *options) { o.Packet.Size = 1400 }},
		{"a size of 0 is no payload", "--size 0", func(o *options) { o.Packet.Size = -1 }},
		{"a routing mark", "-M 7\n--mark 7", func(o *options) { o.Packet.Mark = 7 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := mtrDefaults()
			tt.want(&want)
			for line := range strings.SplitSeq(tt.lines, "\n") {
				f := parseMTR(t, line)
				if err := f.check(); err != nil {
					t.Errorf("%q: %v", line, err)
					continue
				}
				if got := f.monitorOptions(f.settings()); !reflect.DeepEqual(*got, want) {
					t.Errorf("%q\ngot  %+v\nwant %+v", line, *got, want)
				}
			}
		})
	}
	f := parseMTR(t, "--mode raw")
	if err := f.check(); err != nil || f.config().Mode != socket.Raw {
		t.Errorf("--mode raw: %v, %v", f.config().Mode, err)
	}
}

func TestWhatMTRCannotMeanIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"-c -1":                            "--count -1: 0 or more",
		"-i 0":                             "--interval 0s: 1ms or more",
		"-f 0":                             "--first-hop 0: 1 to 255",
		"-f 9 -m 8":                        "--max-hops 8: 9 (the first hop) to 255",
		"-m 256":                           "--max-hops 256: 1 (the first hop) to 255",
		"-Z 0":                             "--timeout 0s: more than 0",
		"--resolve-every 10ms":             "--resolve-every 10ms: 1s or more, or 0 for never, is allowed",
		"--outage -1":                      "--outage -1: 0 or more",
		"--flows all":                      "--flows all: 1 to 64; icmp traceroute --flows all",
		"--flows 65":                       "--flows 65: 1 to 64",
		"--flows 2 --csv":                  "--json, which names the flow, is allowed",
		"-u --flows 2 --flow-label 7":      "--flows and --flow-label exclude each other",
		"-u --flows 4 --source-port 65533": "--source-port 65533: up to 65532",
		"-o LX":                            `--order "LX": some of the letters LDRSNBAWVMI is allowed`,
		"-o L --json":                      "--order and --json or --csv exclude each other",
		"-b -n":                            "--show-ips and --numeric exclude each other",
		"--report --json":                  "exclude each other",
		"--csv --json":                     "exclude each other",
		"-4 -6":                            "exclude each other",
		"-u -T":                            "exclude each other",
		"-P 80":                            "--port 80: none with icmp",
		"--size 99999":                     "--size 99999",
		"--interface nowhere9999":          "an interface of this host",
	} {
		if err := parseMTR(t, line).check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func TestAnotherProtocolTakesAlongWhatItCanHave(t *testing.T) {
	f := parseMTR(t, "-u -P 53 --source-port 1024 --size 100")
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		to    icmplib.Protocol
		want  icmplib.Packet
		words string
	}{
		{icmplib.ICMP, icmplib.Packet{Size: 100}, "icmp"},
		{icmplib.UDP, icmplib.Packet{Protocol: icmplib.UDP, Size: 100, Port: 53, SourcePort: 1024}, "udp port 53"},
		{icmplib.TCP, icmplib.Packet{Protocol: icmplib.TCP, Port: 53, SourcePort: 1024}, "tcp port 53"},
	} {
		s := live.Settings{Protocol: tt.to}
		if got := f.monitorOptions(s).Packet; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", tt.to, got, tt.want)
		}
		if got := f.probes(s); got != tt.words {
			t.Errorf("%v is called %q, want %q", tt.to, got, tt.words)
		}
	}
	f = parseMTR(t, "--size 0")
	if got := f.monitorOptions(live.Settings{Protocol: icmplib.UDP}).Packet.Size; got != minSizeUDP {
		t.Errorf("UDP with %d bytes, want %d, the least", got, minSizeUDP)
	}
}

func TestEachOutputFlagOfMTRReachesItsReporter(t *testing.T) {
	for line, holds := range map[string]func(r mtrReporter) bool{
		"":                func(r mtrReporter) bool { return r.(*textMTR).names != nil },
		"--report -n":     func(r mtrReporter) bool { return r.(*textMTR).names == nil },
		"--no-dns":        func(r mtrReporter) bool { return r.(*textMTR).names == nil },
		"--json":          func(r mtrReporter) bool { _, ok := r.(jsonMTR); return ok },
		"--csv --numeric": func(r mtrReporter) bool { _, ok := r.(csvMTR); return ok },
	} {
		if !holds(parseMTR(t, line).reporter(io.Discard)) {
			t.Errorf("%q has another reporter", line)
		}
	}
}

func TestAScreenIsDrawnWhereThereIsOne(t *testing.T) {
	for _, tt := range []struct {
		line     string
		terminal bool
		kind     string
		want     string // of the message; "": it is drawn
	}{
		{"", true, "xterm", ""},
		{"", true, "", ""}, // as on Windows
		{"", true, "dumb", "no screen"},
		{"", false, "xterm", "not a terminal"},
		{"--report", true, "dumb", ""},
		{"--json", false, "", ""},
	} {
		err := parseMTR(t, tt.line).checkScreen(tt.terminal, tt.kind)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q on %q: %v", tt.line, tt.kind, err)
		}
	}
}

func TestTheScreenSuitsTheTerminal(t *testing.T) {
	utf8 := map[string]string{"LANG": "de_DE.UTF-8", "TERM": "xterm"}
	for _, tt := range []struct {
		name    string
		line    string
		env     map[string]string
		colours bool
		ascii   bool
	}{
		{"colours and Unicode", "", utf8, true, false},
		{"without colours", "--no-color", utf8, false, false},
		{"without colours for all programs", "", map[string]string{"LANG": "C.utf8", "TERM": "xterm", "NO_COLOR": "1"}, false, false},
		{"on a terminal that has none", "", map[string]string{"LANG": "C.utf8", "TERM": "dumb"}, false, false},
		{"in ASCII", "--ascii", utf8, true, true},
		{"in another locale", "", map[string]string{"LANG": "de_DE.ISO-8859-1", "TERM": "xterm"}, true, true},
		{"where one variable overrides another", "", map[string]string{"LC_ALL": "C", "LANG": "C.UTF-8", "TERM": "xterm"}, true, true},
		{"where an empty one does not", "", map[string]string{"LC_ALL": "", "LC_CTYPE": "C.UTF-8", "LANG": "C", "TERM": "xterm"}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parseMTR(t, tt.line)
			got := f.screen([]string{"a.example"}, func(name string) string { return tt.env[name] })
			if got.Colours != tt.colours || got.ASCII != tt.ascii {
				t.Errorf("colours %t, ASCII %t", got.Colours, got.ASCII)
			}
		})
	}
}
