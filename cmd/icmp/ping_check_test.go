package main

import (
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// badLines are command lines that cannot be used.
var badLines = []struct {
	name string
	line string
	says []string
}{
	{"no such command", "pong 127.0.0.1", []string{`unknown command "pong": did you mean icmp ping?`}},
	{"a command of another name", "fping 127.0.0.1", []string{`unknown command "fping": did you mean icmp multiping?`}},
	{"help for no command", "help fping", []string{`unknown command "fping": did you mean icmp multiping?`}},
	{"a flag that is almost one", "ping --intervall 1 127.0.0.1", []string{"--intervall: did you mean --interval?", "Try 'icmp ping --help'."}},
	{"the beginning of a flag", "ping --hist 127.0.0.1", []string{"did you mean --histogram?"}},
	{"no such flag", "ping --nosuch 127.0.0.1", []string{"unknown flag: --nosuch"}},
	{"no such short flag", "ping -Z 127.0.0.1", []string{"'Z'"}},
	{"a flag without its value", "ping 127.0.0.1 -c", []string{"'c' in -c"}},
	{"no target", "ping -c 1", []string{"TARGET", "names or addresses"}},
	{"a count that is no number", "ping -c x 127.0.0.1", []string{"--count", `"x"`, "a whole number"}},
	{"a negative count", "ping -c -1 127.0.0.1", []string{"--count", "-1", "0 or more"}},
	{"a pattern that is none", "ping -p xyz ::1", []string{"--pattern", `"xyz"`, "1 to 16 bytes in hexadecimal"}},
	{"a pattern that is too long", "ping -p 0102030405060708090a0b0c0d0e0f1011 ::1", []string{"--pattern", "1 to 16 bytes"}},
	{"open requests of none", "ping -O -q ::1", []string{"--open and --json, --csv or --quiet exclude"}},
	{"open requests without an interval", "ping -O -i 0 ::1", []string{"--open and --interval 0 exclude"}},
	{"fewer than no replies", "ping --replies -1 ::1", []string{"--replies", "-1", "0 or more"}},
	{"another id after fewer than none", "ping --new-id-after -1 ::1", []string{"--new-id-after", "-1", "0 or more"}},
	{"another id in a ping with an end", "ping -c 3 --new-id-after 5 ::1", []string{"--count and --resolve-every or --new-id-after exclude"}},
	{"a name that is followed to the end", "ping -c 3 --resolve-every 60 localhost", []string{"--count and --resolve-every or --new-id-after exclude"}},
	{"look-ups without a pause", "ping --resolve-every 999ms localhost", []string{"--resolve-every 999ms: 1s or more"}},
	{"a time before objects", "ping -D --json ::1", []string{"--timestamp and --json or --csv exclude"}},
	{"a histogram in JSON", "ping --json --histogram ::1", []string{"--histogram and --json or --csv exclude each other"}},
	{"two formats", "ping --json --csv ::1", []string{"--json and --csv exclude each other"}},
	{"open requests in CSV", "ping --csv -O ::1", []string{"--open and --json, --csv or --quiet exclude each other"}},
	{"times of lines of CSV", "ping --csv -D ::1", []string{"--timestamp and --json or --csv exclude each other"}},
	{"an interval that is no time", "ping -i soon 127.0.0.1", []string{"--interval", `"soon"`, "such as 0.2"}},
	{"a negative interval", "ping -i -1 127.0.0.1", []string{"--interval", `"-1"`, "0 or more"}},
	{"a timeout of 0", "ping -W 0 127.0.0.1", []string{"--timeout", "0s", "more than 0"}},
	{"a timeout of more than an hour", "ping -W 3601 127.0.0.1", []string{"--timeout", "1h0m1s", "up to 1h"}},
	{"a negative size", "ping -s -1 127.0.0.1", []string{"--size", "-1", "0 to 65507"}},
	{"a size over the maximum", "ping -s 65508 127.0.0.1", []string{"--size", "65508", "0 to 65507"}},
	{"a TTL of 0", "ping -t 0 127.0.0.1", []string{"--ttl", "0", "1 to 255"}},
	{"a TTL over 255", "ping -t 256 127.0.0.1", []string{"--ttl", "256", "1 to 255"}},
	{"a negative traffic class", "ping -Q -1 127.0.0.1", []string{"--traffic-class", "-1", "0 to 255"}},
	{"a traffic class over 255", "ping -Q 256 127.0.0.1", []string{"--traffic-class", "256", "0 to 255"}},
	{"both families", "ping -4 -6 localhost", []string{"--ipv4", "--ipv6", "one of them"}},
	{"neither yes nor no", "ping --ipv4=x localhost", []string{"--ipv4", `"x"`, "true or false"}},
	{"neither an interface nor an address", "ping -I nosuch0 127.0.0.1", []string{"--via", `"nosuch0"`, "an interface or an address"}},
	{"an interface that there is not", "ping --interface nosuch0 127.0.0.1", []string{"--interface", `"nosuch0"`, "an interface of this host"}},
	{"a source that is no address", "ping --source lo 127.0.0.1", []string{"--source", `"lo"`, "an address of this host"}},
	{"a source of the other family", "ping --source ::1 127.0.0.1", []string{"--source", "::1", "an address of the family of the target 127.0.0.1"}},
	{"the same with the short flag", "ping -I 127.0.0.1 ::1", []string{"--via", "127.0.0.1", "an address of the family of the target ::1"}},
	{"a source that is not ours", "ping --source 192.0.2.99 127.0.0.1", []string{"--source", "192.0.2.99", "an address of this host"}},
	{"two sources", "ping -I 127.0.0.1 --source 127.0.0.2 127.0.0.1", []string{"--via 127.0.0.1", "--source 127.0.0.2", "one of them"}},
	{"two interfaces", "ping -I lo --interface lo0 127.0.0.1", []string{"--interface", `"lo0"`}},
	{"whatever else about fragmentation", "ping -M want 127.0.0.1", []string{"--pmtudisc", `"want"`, "do or dont"}},
	{"a letter of ping that is not here", "ping -f 127.0.0.1", []string{"there is no -f here: -f of ping (flood): use --interval 0"}},
	{"a letter of fping that is not here", "multiping -g 127.0.0.1 127.0.0.3", []string{"there is no -g here: -g of fping", "10.0.0.1-10.0.0.20", "Try 'icmp multiping --help'."}},
	{"milliseconds of fping", "multiping -p 1000 127.0.0.1", []string{"--interval", "fping reads 1000 as milliseconds", "1000ms or 1000s is allowed"}},
	{"and its time to wait", "multiping -t 500 127.0.0.1", []string{"--timeout", "500ms or 500s is allowed"}},
	{"random payload of fping", "multiping -R 127.0.0.1", []string{"there is no -R here: -R of fping"}},
	{"milliseconds of traceroute", "traceroute -z 100 127.0.0.1", []string{"--interval", "100ms or 100s is allowed"}},
	{"the packetlen of traceroute", "traceroute 127.0.0.1 1500", []string{"packetlen", "--size"}},
	{"three times of traceroute", "traceroute -w 5,3,10 127.0.0.1", []string{"--timeout", `"5,3,10"`, "one time is allowed, such as 5"}},
	{"source routing", "traceroute -g 127.0.0.2 127.0.0.1", []string{"-g of traceroute (source routing): routers drop such packets"}},
	{"a size of mtr", "mtr -s 1000 -r 127.0.0.1", []string{"there is no -s here: -s of mtr", "use --size", "28 less"}},
	{"output of mtr", "mtr -x 127.0.0.1", []string{"there is no -x here: -x of mtr (XML): --json is for programs"}},
	{"a long flag of mtr", "mtr --psize 100 127.0.0.1", []string{"there is no --psize here", "--size"}},
	{"a mark over 32 bits", "ping --mark 4294967296 127.0.0.1", []string{"--mark", `"4294967296"`, "0 to 4294967295"}},
	{"no such mode", "ping --mode tcp 127.0.0.1", []string{"--mode", `"tcp"`, "auto, datagram or raw"}},
}

func TestABadCommandLineIsRefusedBeforeAnythingIsSent(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, tt := range badLines {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), strings.Fields(tt.line)...)
				got.checkRefusal(t, tt.says)
				if strings.Contains(got.stdout, "PING") {
					t.Errorf("it began all the same:\n%s", got.stdout)
				}
			})
		}
		if n := packetsSent(t); n != 0 {
			t.Errorf("%d packets were sent", n)
		}
		runLine(t.Context(), "ping", "-c", "1", "127.0.0.1").check(t, exitAlive)
		if n := packetsSent(t); n != 2 {
			t.Errorf("after a good command line %d packets were sent, want the request and its reply", n)
		}
	})
}

func TestTheLongestTimeoutIsThatOfTheLibrary(t *testing.T) {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer prober.Close()
	for _, tt := range []struct {
		name    string
		timeout string
		refused bool
	}{
		{"an hour", "3600", false},
		{"a nanosecond more", "3600000000001ns", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, "-W", tt.timeout)
			if _, _, err := f.options(); (err != nil) != tt.refused {
				t.Errorf("the command says %v", err)
			}
			_, err := prober.Ping(t.Context(), "no..name", &icmplib.PingOptions{Timeout: f.timeout})
			if got := exitCode(err) == exitUsage; got != tt.refused {
				t.Errorf("the library says %v", err)
			}
		})
	}
}
