package icmptest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
	"github.com/goicmp/icmplib/socket"
)

// t is what an Example has in place of a test's *testing.T: it ends the program
// where a test would end.
var t testing.TB = exampleTB{}

type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {} // the process ends
func (exampleTB) Fatalf(s string, a ...any) { panic(fmt.Sprintf(s, a...)) }

const pair = `
client 192.0.2.1 2001:db8::1
node r1 203.0.113.1 2001:db8:1::1 delay=5ms
node web 198.51.100.7 2001:db8:9::7 delay=5ms lose@2 udp=53 tcp=80 sctp=5000
node Six 2001:db8:6::6 delay=5ms
path 198.51.100.0/24 2001:db8:9::/64 r1 web
path 2001:db8:6::/64 r1 Six
`

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestEachOperationWorksInBothFamiliesAndModes(t *testing.T) {
	for _, mode := range []socket.Mode{socket.Auto, socket.Datagram, socket.Raw} {
		for _, family := range []icmplib.Family{icmplib.IPv4, icmplib.IPv6} {
			inBubble(t, fmt.Sprint(mode, "/", family), func(t *testing.T) {
				p := icmptest.NewProber(t, pair, &icmplib.Config{Mode: mode})
				ctx := t.Context()
				host, err := p.Ping(ctx, "web", &icmplib.PingOptions{Count: 3, Family: family})
				if err != nil || host.PacketsReceived != 2 || host.MinRTT() != 20*time.Millisecond {
					t.Errorf("ping: %v, %v", host, err)
				}
				for _, protocol := range []icmplib.Protocol{icmplib.ICMP, icmplib.UDP, icmplib.TCP} {
					opts := &icmplib.TracerouteOptions{Family: family, Packet: icmplib.Packet{Protocol: protocol}}
					route, err := p.Traceroute(ctx, "web", opts)
					if err != nil || len(route.Hops) != 2 || !route.Reached {
						t.Errorf("traceroute by %v: %v, %v", protocol, route, err)
					}
				}
				report, err := p.PathMTU(ctx, "web", &icmplib.PathMTUOptions{Family: family})
				if err != nil || report.MTU == 0 {
					t.Errorf("path MTU: %+v, %v", report, err)
				}
			})
		}
	}
}

func TestNamesAreThoseOfTheNodes(t *testing.T) {
	inBubble(t, "nodes", func(t *testing.T) {
		for _, cfg := range []*icmplib.Config{nil, {Names: &icmplib.NameCache{}}} {
			p := icmptest.NewProber(t, pair, cfg)
			for _, tt := range []struct {
				name   string
				family icmplib.Family
				want   string
			}{
				{"web", icmplib.AnyFamily, "198.51.100.7"},
				{"WEB.", icmplib.IPv6, "2001:db8:9::7"},
				{"six", icmplib.AnyFamily, "2001:db8:6::6"},
				{"six", icmplib.IPv4, ""},
				{"nobody", icmplib.AnyFamily, ""},
			} {
				addrs, err := p.Resolve(t.Context(), tt.name, tt.family)
				if tt.want == "" {
					if !errors.Is(err, icmplib.ErrNameLookup) {
						t.Errorf("%s %v: %v, %v", tt.name, tt.family, addrs, err)
					}
				} else if err != nil || len(addrs) != 1 || addrs[0] != netip.MustParseAddr(tt.want) {
					t.Errorf("%s %v: %v, %v", tt.name, tt.family, addrs, err)
				}
			}
		}
	})
}

func TestTheTruthIsWhatHappened(t *testing.T) {
	inBubble(t, "truth", func(t *testing.T) {
		p, start := icmptest.NewProber(t, pair, nil), time.Now()
		if _, err := p.Ping(t.Context(), "web", &icmplib.PingOptions{Count: 3, Interval: time.Second}); err != nil {
			t.Fatal(err)
		}
		truth := p.Truth()
		if len(truth) != 3 {
			t.Fatalf("%d packets are known, and 3 were sent", len(truth))
		}
		for i, lost := range []bool{false, true, false} {
			got := &truth[i]
			if got.Did(icmptest.Dropped) != lost || got.Did(icmptest.Delivered) == lost {
				t.Errorf("packet %d: %v", i, got)
			}
			if want := start.Add(time.Duration(i) * time.Second); !got.Sent.Equal(want) || got.Destination.String() != "198.51.100.7" || got.TTL != 64 {
				t.Errorf("packet %d: %+v", i, got)
			}
		}
		if s := truth[1].String(); !strings.HasSuffix(s, "\n\t+10ms web dropped: lost") {
			t.Error(s)
		}
		p.ForgetTruth()
		if n := len(p.Truth()); n != 0 {
			t.Errorf("%d packets are known after they were forgotten", n)
		}
	})
}

func TestANodeThatNoPathLeadsThroughIsANeighbour(t *testing.T) {
	inBubble(t, "neighbour", func(t *testing.T) {
		p := icmptest.NewProber(t, `
			client 192.0.2.1 2001:db8::1
			node web 198.51.100.7 2001:db8:7::7 delay=10ms lose@3
		`, nil)
		for _, family := range []icmplib.Family{icmplib.IPv4, icmplib.IPv6} {
			host, err := p.Ping(t.Context(), "web", &icmplib.PingOptions{Count: 2, Family: family})
			if err != nil {
				t.Fatal(err)
			}
			if want := 2 - int(family)/6; host.PacketsReceived != want || host.MinRTT() != 20*time.Millisecond {
				t.Errorf("%v\nwant %d received", host, want)
			}
		}
	})
}

// Twice the same: what the network does, and which way a flow takes.
func TestTheSameTextDoesTheSame(t *testing.T) {
	const random = `
client 192.0.2.1
seed 7
node a 203.0.113.1 delay=1ms jitter=3ms
node b 203.0.113.2 delay=2ms
node t 198.51.100.7 delay=5ms lose@30% duplicate@10%
path 198.51.100.7/32 flow( a | b ) t
`
	run := func(t *testing.T) (all string) {
		synctest.Test(t, func(t *testing.T) {
			p := icmptest.NewProber(t, random, nil)
			host, err := p.Ping(t.Context(), "t", &icmplib.PingOptions{Count: 50})
			if err != nil {
				t.Fatal(err)
			}
			all = host.String()
			for _, packet := range p.Truth() {
				all += "\n" + packet.String()
			}
		})
		return all
	}
	if first, second := run(t), run(t); first != second {
		t.Errorf("first\n%s\nthen\n%s", first, second)
	}
}

func TestWhatASimulatedNetworkLacksIsRefused(t *testing.T) {
	inBubble(t, "operations", func(t *testing.T) {
		p := icmptest.NewProber(t, "client 192.0.2.1\nnode t 198.51.100.7 2001:db8::7\npath 198.51.100.7/32 t", &icmplib.Config{Mode: socket.Datagram})
		if _, err := p.Ping(t.Context(), "2001:db8::7", nil); !errors.Is(err, syscall.EAFNOSUPPORT) || !strings.Contains(err.Error(), `"client"`) {
			t.Errorf("without an IPv6 address: %v", err)
		}
		opts := &icmplib.PingOptions{Packet: icmplib.Packet{Source: netip.MustParseAddr("192.0.2.9")}}
		if _, err := p.Ping(t.Context(), "t", opts); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("from an address that is not the client's: %v", err)
		}
		can := p.Capabilities()
		if err := can.Can(icmplib.ICMP, icmplib.IPv4); err != nil {
			t.Error(err)
		}
		if can.Mark == nil || can.Can(icmplib.ICMP, icmplib.IPv6) == nil {
			t.Errorf("%+v", can)
		}
	})
	for name, refused := range map[string]struct {
		network string
		cfg     *icmplib.Config
		want    string
	}{
		"a text":       {"client 192.0.2.1\nnode", nil, "line 2"},
		"no client":    {"node t 198.51.100.7", nil, "client"},
		"an interface": {pair, &icmplib.Config{Interface: "lo"}, "Interface"},
		"a mark":       {pair, &icmplib.Config{Mark: 1}, "Mark"},
		"a config":     {pair, &icmplib.Config{Mode: 99}, "Mode"},
	} {
		if said := refusal(refused.network, refused.cfg); !strings.Contains(said, refused.want) {
			t.Errorf("%s: %q, and %q is wanted", name, said, refused.want)
		}
	}
}

// refusal is what NewProber ends a test with.
func refusal(network string, cfg *icmplib.Config) (said string) {
	defer func() { said = fmt.Sprint(recover()) }()
	icmptest.NewProber(refuser{}, network, cfg)
	return ""
}

type refuser struct{ exampleTB }

func (refuser) Fatal(a ...any) { panic(fmt.Sprint(a...)) }

func TestItIsClosedWhenTheTestEnds(t *testing.T) {
	var kept *icmptest.Prober
	inBubble(t, "test", func(t *testing.T) { kept = icmptest.NewProber(t, pair, nil) })
	if _, err := kept.Ping(context.Background(), "web", nil); err == nil {
		t.Error("it still pings")
	}
}
