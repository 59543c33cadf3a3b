package main

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// settingsOf reads a configuration as load does.
func settingsOf(text string) (*settings, error) {
	c, err := parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return c.settings(newHostFiles("", nil))
}

func mustSettings(t *testing.T, text string) *settings {
	t.Helper()
	s, err := settingsOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAMistakeInTheConfigurationIsToldWithItsLineAndItsCure(t *testing.T) {
	const host = "targets:\n- hosts: [192.0.2.1]\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing at all", "", []string{"no targets", "add targets:"}},
		{"a target without hosts", "targets:\n- labels: {a: b}\n", []string{"no hosts", "add hosts:"}},
		{"an unknown field", "default: {}\n" + host, []string{"line 1", `"default"`, "defaults, targets, probe"}},
		{"an unknown field of a target", host + "  intervall: 1s\n", []string{"line 3", `"intervall"`, "hosts, files, labels, interval, "}},
		{"an unknown field of the prober", "prober:\n  speed: 3\n" + host, []string{"line 2", `"speed"`, "mode, rate"}},
		{"a field twice", host + "  ttl: 1\n  ttl: 2\n", []string{"line 4", `"ttl" already defined at line 3`}},
		{"a time without unit", host + "  timeout: 2\n", []string{"line 3", `"2"`, "500ms"}},
		{"no time", host + "  interval: -1s\n", []string{"line 3", `"-1s"`, "500ms"}},
		{"an interval too short", host + "  interval: 1ms\n", []string{"line 3", "10ms or more"}},
		{"a timeout too long", host + "  timeout: 2h\n", []string{"line 3", "Timeout is 2h0m0s", "up to 1h"}},
		{"resolving too often", "resolve_interval: 10ms\n" + host, []string{"line 1", "1s or more"}},
		{"an unknown family", host + "  family: ipv5\n", []string{"line 3", "any, ipv4, ipv6 or both"}},
		{"an unknown protocol", host + "  protocol: igmp\n", []string{"line 3", "icmp, udp, tcp or sctp"}},
		{"down at once", host + "  down_after: 0\n", []string{"line 3", "1 or more"}},
		{"a loss that is no part", host + "  trace_loss: 20\n", []string{"line 3", `"20"`, "20% or 0.2"}},
		{"no yes and no no", host + "  trace_on_trouble: maybe\n", []string{"line 3", "true or false"}},
		{"rounds too close together", host + "  route_interval: 100ms\n", []string{"line 3", "1s or more"}},
		{"too many hops", host + "  route_hops: 65\n", []string{"line 3", "1 to 64"}},
		{"no hops", host + "  route_hops: 0\n", []string{"line 3", "1 to 64"}},
		{"path MTUs too often", host + "  path_mtu_interval: 1s\n", []string{"line 3", "1m0s or more"}},
		{"a path MTU by TCP", host + "  protocol: tcp\n  path_mtu_interval: 1h\n", []string{"line 4", "icmp and udp"}},
		{"a path MTU by TCP in a module", "modules: {a: {protocol: tcp, path_mtu: true}}\n", []string{"line 1", "module a", "icmp and udp"}},
		{"one family and any", host + "- hosts: [192.0.2.1]\n  family: ipv4\n", []string{"line 3", "line 2 already", "different labels or families"}},
		{"any and one family", "targets:\n- hosts: [192.0.2.1]\n  family: ipv4\n- hosts: [192.0.2.1]\n", []string{"line 4", "line 2 already"}},
		{"a module of both families", "modules: {a: {family: both}}\n", []string{"line 1", "module a", "any, ipv4 or ipv6"}},
		{"what a module has not", "modules: {a: {addresses: all}}\n", []string{"line 1", `"addresses"`, "count, route"}},
		{"an unknown choice of addresses", host + "  addresses: some\n", []string{"line 3", "all or first"}},
		{"an unknown mode", "prober: {mode: cooked}\n" + host, []string{"line 1", "auto, datagram or raw"}},
		{"a source that is no address", "prober: {source4: eth0}\n" + host, []string{"line 1", "an IP address"}},
		{"a source of the other family", "prober: {source4: \"::1\"}\n" + host, []string{"Source4 is ::1", "an IPv4 address"}},
		{"an interface that is not there", "prober: {interface: nosuch0}\n" + host, []string{"Interface is nosuch0", "an interface of this host"}},
		{"a mark of more than 32 bits", "prober: {mark: 0x100000000}\n" + host, []string{"line 1", "0x7"}},
		{"a number beyond all bounds", host + "  size: 4294967296\n", []string{"line 3", "a whole number"}},
		{"no number", host + "  ttl: many\n", []string{"line 3", `"many"`, "a whole number"}},
		{"a ttl of nothing", host + "  ttl: 0\n", []string{"line 3", "1 to 255"}},
		{"a ttl too big", host + "  ttl: 256\n", []string{"line 3", "TTL is 256", "1 to 255"}},
		{"a ttl too big among the defaults", "defaults:\n  ttl: 256\n" + host, []string{"line 2", "TTL is 256"}},
		{"a size too big", host + "  size: 70000\n", []string{"line 3", "Size is 70000", "65507"}},
		{"a class too big", host + "  traffic_class: 256\n", []string{"line 3", "0 to 255"}},
		{"a port without protocol", host + "  port: 80\n", []string{"line 3", "Port is 80", "ICMP, which has no ports"}},
		{"a port too big", host + "  protocol: tcp\n  port: 65616\n", []string{"line 4", "1 to 65535"}},
		{"a payload that TCP has not", host + "  protocol: tcp\n  size: 9\n", []string{"line 4", "no payload"}},
		{"a host twice", host + "- hosts:\n  - 192.0.2.7\n  - 192.0.2.1\n", []string{"line 5", "line 2 already", "different labels or families"}},
		{"a host twice, with an empty label", host + "- hosts: [192.0.2.1]\n  labels: {site: \"\"}\n", []string{"line 3", "line 2 already"}},
		{"a name that is none", "targets:\n- hosts: [a..b]\n", []string{"line 2", `"a..b"`, "empty label"}},
		{"an address of the other family", host + "  family: ipv6\n", []string{"line 2", "IPv6 is asked for"}},
		{"a list for a host", "targets:\n- hosts: [[a]]\n", []string{"line 2", "a name or an address"}},
		{"a label that cannot be one", host + "  labels: {data-center: x}\n", []string{"line 2", `"data-center"`, "letters, digits and underscores"}},
		{"a label of ours", host + "  labels: {address: x}\n", []string{"line 2", `"address"`, "use another name"}},
		{"buckets out of order", "classic_buckets: [0.1, 0.01]\n" + host, []string{"classic_buckets has 0.01", "in ascending order"}},
		{"no YAML", "targets: [", []string{"line 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := settingsOf(tt.text)
			if err == nil {
				t.Fatal("it is accepted")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestWhatATargetDoesNotSayTheDefaultsDo(t *testing.T) {
	s := mustSettings(t, `
resolve_interval: 5m
defaults: {interval: 3s, timeout: 4s, family: ipv6, size: 0, new_id_after: 0}
targets:
- hosts: [one.example, two.example]
  labels: {site: x}
- hosts: [192.0.2.1]
  family: ipv4
  interval: 200ms
  addresses: first
  down_after: 7
  new_id_after: 20
  protocol: udp
  port: 53
  ttl: 9
  size: 100
  traffic_class: 184
`)
	if len(s.jobs) != 3 {
		t.Fatalf("there are %d jobs, want 3", len(s.jobs))
	}
	if name := s.jobs[1]; name.host != "two.example" || name.labels["site"] != "x" {
		t.Errorf("the second of the first group is %+v", name)
	}
	for _, tt := range []struct {
		what string
		got  job
		want icmplib.WatchProbing
	}{
		{"from the defaults", s.jobs[1], icmplib.WatchProbing{
			Interval: 3 * time.Second, Timeout: 4 * time.Second, Family: icmplib.IPv6, AllAddresses: true, ResolveEvery: 5 * time.Minute,
			NewIDAfter: -1, Packet: icmplib.Packet{Size: -1},
		}},
		{"of its own", s.jobs[2], icmplib.WatchProbing{
			Interval: 200 * time.Millisecond, Timeout: 4 * time.Second, Family: icmplib.IPv4, ResolveEvery: 5 * time.Minute, DownAfter: 7, NewIDAfter: 20,
			Packet: icmplib.Packet{Protocol: icmplib.UDP, Port: 53, TTL: 9, Size: 100, TrafficClass: 184},
		}},
	} {
		if !reflect.DeepEqual(tt.got.probing, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.what, tt.got.probing, tt.want)
		}
	}
}

func TestWhatTheProberIsToldIsInItsConfig(t *testing.T) {
	s := mustSettings(t, `
prober: {mode: raw, rate: 100, source4: 192.0.2.1, source6: "2001:db8::1", mark: 0xffffffff}
targets: [{hosts: [192.0.2.9]}]
`)
	want := icmplib.Config{
		Mode: socket.Raw, Rate: 100, Mark: 1<<32 - 1,
		Source4: netip.MustParseAddr("192.0.2.1"), Source6: netip.MustParseAddr("2001:db8::1"),
	}
	if !reflect.DeepEqual(s.shape.prober, want) {
		t.Errorf("it is %+v, want %+v", s.shape.prober, want)
	}
}

func TestAHostMayBeThereTwiceWhereALabelTheProtocolOrTheFamilyTellsThemApart(t *testing.T) {
	s := mustSettings(t, `
targets:
- hosts: [192.0.2.1]
- hosts: [192.0.2.1]
  protocol: tcp
- hosts: [192.0.2.1]
  labels: {class: fast}
  traffic_class: 184
- hosts: [two.example]
  family: ipv4
- hosts: [two.example]
  family: ipv6
- hosts: [both.example]
  family: both
`)
	if len(s.jobs) != 7 {
		t.Errorf("there are %d jobs, want 7", len(s.jobs))
	}
}

func TestTheExamplesAreRight(t *testing.T) {
	files, err := filepath.Glob("../../docs/examples/exporter/icmp-exporter*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, file := range files {
		if _, s, err := load(file, newHostFiles(file, nil)); err != nil || len(s.jobs) == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Text that would do something to a terminal, or break a line, is refused.
func TestNamesAndLabelsArePrintable(t *testing.T) {
	for _, text := range []string{
		"targets:\n  - hosts: [\"a\\eb\"]\n",
		"targets:\n  - hosts: [a]\n    labels: {site: \"a\\0b\"}\n",
		"targets:\n  - hosts: [a]\n    labels: {site: \"a\\nb\"}\n",
	} {
		_, err := settingsOf(text)
		if err == nil || !strings.Contains(err.Error(), "cannot be used") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
