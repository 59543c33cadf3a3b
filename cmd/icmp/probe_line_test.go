package main

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func TestEachFlagOfProbeReachesTheLibrary(t *testing.T) {
	type options = icmplib.ProbeOptions
	type config = icmplib.Config
	for _, tt := range []struct {
		name  string
		lines [][]string // that mean the same
		want  func(o *options, c *config)
	}{
		{"nothing given is the defaults", [][]string{{}, {"-c", "3"}, {"-i", "0"}, {"-n"}, {"--json"}}, func(*options, *config) {}},
		{"a timeout", [][]string{{"-W", "3"}, {"--timeout", "3s"}}, func(o *options, _ *config) { o.Timeout = 3 * time.Second }},
		{"a TTL", [][]string{{"-t", "3"}, {"--ttl", "3"}}, func(o *options, _ *config) { o.Packet.TTL = 3 }},
		{"a traffic class", [][]string{{"-Q", "8"}, {"--traffic-class", "8"}}, func(o *options, _ *config) { o.Packet.TrafficClass = 8 }},
		{"a size", [][]string{{"-s", "8"}, {"--size", "8"}}, func(o *options, _ *config) { o.Packet.Size = 8 }},
		{"fragmentation forbidden", [][]string{{"-M", "do"}}, func(o *options, _ *config) { o.Packet.DontFragment = true }},
		{"a routing mark", [][]string{{"-m", "7"}, {"--mark", "7"}}, func(o *options, _ *config) { o.Packet.Mark = 7 }},
		{"ICMP", [][]string{{"--icmp"}, {"-P", "icmp"}}, func(*options, *config) {}},
		{"UDP to a port", [][]string{{"-U", "-p", "53"}, {"-P", "udp", "--port", "53"}},
			func(o *options, _ *config) { o.Packet.Protocol, o.Packet.Port = icmplib.UDP, 53 }},
		{"a service by UDP", [][]string{{"-U", "--service", "quic"}, {"--service", "quic"}},
			func(o *options, _ *config) {
				o.Packet.Protocol, o.Packet.Service, o.Packet.Size = icmplib.UDP, icmplib.QUIC, 0
			}},
		{"a name to ask for", [][]string{{"--service", "dns", "--service-name", "example.net", "-p", "5353"}},
			func(o *options, _ *config) {
				o.Packet.Protocol, o.Packet.Service, o.Packet.Size = icmplib.UDP, icmplib.DNS, 0
				o.Packet.ServiceName, o.Packet.Port = "example.net", 5353
			}},
		{"TCP from a port", [][]string{{"-T", "--source-port", "1024"}, {"--protocol", "tcp", "--source-port=1024"}},
			func(o *options, _ *config) {
				o.Packet.Protocol, o.Packet.SourcePort, o.Packet.Size = icmplib.TCP, 1024, 0
			}},
		{"SCTP in a flow", [][]string{{"-P", "sctp", "-l", "9"}, {"-P", "sctp", "--flow-label", "9"}},
			func(o *options, _ *config) {
				o.Packet.Protocol, o.Packet.FlowLabel, o.Packet.Size = icmplib.SCTP, 9, 0
			}},
		{"a raw socket", [][]string{{"--mode", "raw"}}, func(_ *options, c *config) { c.Mode = socket.Raw }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, line := range tt.lines {
				want, wantConfig := options{Timeout: 2 * time.Second, Packet: icmplib.Packet{TTL: 64, Size: 56}}, config{}
				tt.want(&want, &wantConfig)
				got, gotConfig, err := parseInto(t, &probeLine{}, line...).options()
				checkOptions(t, line, got, gotConfig, err, &want, &wantConfig)
			}
		})
	}
}

func TestTheFlagsOfProbeAreThoseOfPingAndTraceroute(t *testing.T) {
	ping, trace, own := shortNames(&pingFlags{}), shortNames(&tracerouteFlags{}), shortNames(&queryFlags{})
	for name, short := range shortNames(&probeLine{}) {
		want, ok := ping[name]
		if !ok {
			want, ok = trace[name]
		}
		if !ok {
			want, ok = own[name]
		}
		if name == "icmp" {
			want = "" // -I is ping's
		}
		if !ok || short != want {
			t.Errorf("--%s is -%s, want -%s", name, short, want)
		}
	}
}
