package main

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func parseMultiping(t *testing.T, args ...string) *multipingFlags {
	t.Helper()
	return parseInto(t, &multipingFlags{}, args...)
}

func TestEachFlagOfMultipingReachesTheLibrary(t *testing.T) {
	type options = icmplib.MultiPingOptions
	device := anInterface(t)
	for _, tt := range []struct {
		name string
		line string
		want func(o *options, c *icmplib.Config)
	}{
		{"nothing given is the defaults of the library", "", func(*options, *icmplib.Config) {}},
		{"a count", "-c 5", func(o *options, _ *icmplib.Config) { o.Count = 5 }},
		{"an interval", "-p 200ms", func(o *options, _ *icmplib.Config) { o.Interval = 200 * time.Millisecond }},
		{"no interval", "--interval 0", func(o *options, _ *icmplib.Config) { o.Interval = -1 }},
		{"a timeout", "-t 0.3", func(o *options, _ *icmplib.Config) { o.Timeout = 300 * time.Millisecond }},
		{"a rate", "--rate 100", func(o *options, _ *icmplib.Config) { o.Rate = 100 }},
		{"no limit", "--rate 0", func(o *options, _ *icmplib.Config) { o.Rate = -1 }},
		{"a size", "-b 100", func(o *options, _ *icmplib.Config) { o.Packet.Size = 100 }},
		{"a TTL", "-H 3", func(o *options, _ *icmplib.Config) { o.Packet.TTL = 3 }},
		{"a traffic class", "-O 184", func(o *options, _ *icmplib.Config) { o.Packet.TrafficClass = 184 }},
		{"IPv4 only", "-4", func(o *options, _ *icmplib.Config) { o.Family = icmplib.IPv4 }},
		{"IPv6 only", "-6", func(o *options, _ *icmplib.Config) { o.Family = icmplib.IPv6 }},
		{"an interface", "-I " + device, func(o *options, _ *icmplib.Config) { o.Packet.Interface = device }},
		{"the same with its own flag", "--interface " + device, func(o *options, _ *icmplib.Config) { o.Packet.Interface = device }},
		{"a source", "--source 192.0.2.7", func(o *options, _ *icmplib.Config) { o.Packet.Source = target4 }},
		{"no fragments", "-M", func(o *options, _ *icmplib.Config) { o.Packet.DontFragment = true }},
		{"a mark", "--mark 9", func(o *options, _ *icmplib.Config) { o.Packet.Mark = 9 }},
		{"broadcasts", "--broadcast", func(o *options, _ *icmplib.Config) { o.Packet.Broadcast = true }},
		{"retries", "-r 3", func(o *options, _ *icmplib.Config) { o.Count = 1 }},
		{"results", "-C 5", func(o *options, c *icmplib.Config) { o.Count, o.Interval, c.Rate = 5, time.Second, 10_000 }},
		{"a loop", "-l -p 0.2 --rate 7", func(o *options, c *icmplib.Config) { o.Interval, o.Rate, c.Rate = 200*time.Millisecond, 7, 7 }},
		{"raw sockets", "--mode raw", func(_ *options, c *icmplib.Config) { c.Mode = socket.Raw }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := options{Count: 2, Interval: 500 * time.Millisecond, Timeout: 2 * time.Second, Rate: 10_000}
			want.Packet = icmplib.Packet{TTL: 64, Size: 56}
			var wantConfig icmplib.Config
			tt.want(&want, &wantConfig)
			line := strings.Fields(tt.line)
			got, gotConfig, err := parseMultiping(t, line...).options()
			checkOptions(t, line, got, gotConfig, err, &want, &wantConfig)
		})
	}
}

func TestTheShortNamesAreThoseOfFping(t *testing.T) {
	want := map[string]string{
		"count": "c", "interval": "p", "timeout": "t", "rate": "", "file": "f", "all-addresses": "",
		"shuffle": "", "seed": "", "shard": "", "alive": "a", "unreachable": "u", "size": "b", "ttl": "H",
		"traffic-class": "O", "ipv4": "4", "ipv6": "6", "via": "I", "source": "S", "interface": "", "pmtudisc": "", "dont-fragment": "M",
		"mark": "", "broadcast": "",
		"check-source": "", "mode": "", "record": "", "quiet": "q", "json": "", "csv": "",
		"stats": "s", "retries": "r", "backoff": "B", "every-address": "m", "reachable": "x", "loop": "l",
		"summary-every": "Q", "results": "C", "outage": "o", "timestamp": "D", "trace-on-loss": "",
	}
	checkShortNames(t, &multipingFlags{}, want)
}

func TestTheOrderThatIsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name string
		line string
		want order
	}{
		{"as given by default", "", order{shards: 1}},
		{"shuffled as before", "--shuffle --seed 9", order{shards: 1, shuffle: true, seed: 9}},
		{"a share", "--shard 2/5", order{shard: 2, shards: 5}},
		{"the only share", "--shard 0/1", order{shards: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseMultiping(t, strings.Fields(tt.line)...).order(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("shuffled anew", func(t *testing.T) {
		f := parseMultiping(t, "--shuffle")
		if one, two := f.order(), f.order(); one.seed == two.seed || one.seed == 0 {
			t.Errorf("the seeds are %d and %d", one.seed, two.seed)
		}
	})
}

func TestWhichHostsArePrintedAndHow(t *testing.T) {
	const all, alive, others = "alive dead noname", "alive", "dead noname"
	fates := map[string]hostFate{"alive": hostAlive, "dead": hostDead, "noname": hostNoName}
	for _, tt := range []struct {
		name   string
		line   string
		shows  string
		report hostReporter
		sumsUp bool
	}{
		{"text", "", all, textHosts{}, true},
		{"hosts that answer", "-a", alive, nameHosts{}, true},
		{"those that are not", "-u", others, nameHosts{}, true},
		{"the summary only", "-q", "", textHosts{}, true},
		{"JSON", "--json", all, jsonHosts{}, false},
		{"JSON of those that are alive", "--json --alive", alive, jsonHosts{}, false},
		{"CSV of those that are not", "--csv --unreachable", others, csvHosts{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parseMultiping(t, strings.Fields(tt.line)...)
			for name, fate := range fates {
				if got, want := f.shows(fate), strings.Contains(" "+tt.shows+" ", " "+name+" "); got != want {
					t.Errorf("%s is printed: %v", name, got)
				}
			}
			if f.shows(hostOpen) {
				t.Error("a host that is still open is printed")
			}
			if got := f.reporter(io.Discard); reflect.TypeOf(got) != reflect.TypeOf(tt.report) {
				t.Errorf("the reporter is a %T", got)
			}
			if f.sumsUp() != tt.sumsUp {
				t.Errorf("it sums up: %v", f.sumsUp())
			}
		})
	}
}

func FuzzShard(f *testing.F) {
	for _, text := range []string{"0/1", "3/4", "4/4", "-1/2", "1/", "/", "x/2", "1/2/3", "18446744073709551614/18446744073709551615"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again shardFlag
		if s.Set(text) != nil {
			return
		}
		if s.index >= s.of {
			t.Errorf("%q is %+v", text, s)
		}
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%q is %+v, and %q is %+v, %v", text, s, s.String(), again, err)
		}
	})
}
