package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
)

func TestJSONRoute(t *testing.T) {
	for _, tt := range []struct {
		name  string
		route *icmplib.Route
		err   error
		want  string
	}{
		{
			"that reached its target", aRoute(icmplib.EndReached, silentHop(), finalHop()), nil,
			`{"target":"192.0.2.7","name":"www.example","reached":true,"end":"reached","hops":[` +
				`{"distance":2,"addresses":[],"rtts_ms":[],"packets_sent":3,"packets_received":0,"packet_loss":1,"send_errors":0,"suspect":0,` +
				`"min_rtt_ms":null,"avg_rtt_ms":null,"max_rtt_ms":null,"jitter_ms":null,"mpls":[],"status":"no-reply",` +
				`"mtu":null,"rewritten":[],"return_distance":null},` +
				`{"distance":4,"addresses":["192.0.2.7"],"rtts_ms":[20,22],"packets_sent":2,"packets_received":2,"packet_loss":0,"send_errors":0,"suspect":0,` +
				`"min_rtt_ms":20,"avg_rtt_ms":21,"max_rtt_ms":22,"jitter_ms":2,"mpls":[],"status":"reply",` +
				`"mtu":null,"rewritten":[],"return_distance":null}],"rewrites":null,"error":null}`,
		},
		{
			"with several responders and labels", aRoute(icmplib.EndLoop, balancedHop()), nil,
			`{"target":"192.0.2.7","name":"www.example","reached":false,"end":"loop","hops":[` +
				`{"distance":3,"addresses":["198.51.100.1","198.51.100.2"],"rtts_ms":[12.3,12.5],"packets_sent":3,"packets_received":2,` +
				`"packet_loss":0.3333333333333333,"send_errors":0,"suspect":0,"min_rtt_ms":12.3,"avg_rtt_ms":12.4,"max_rtt_ms":12.5,"jitter_ms":0.2,` +
				`"mpls":[{"label":16001,"traffic_class":5,"bottom_of_stack":false,"ttl":1},` +
				`{"label":24,"traffic_class":0,"bottom_of_stack":true,"ttl":2}],"status":"ttl-expired",` +
				`"mtu":null,"rewritten":["source","traffic-class"],"return_distance":2}],"rewrites":null,"error":null}`,
		},
		{
			"to a link that is too narrow", aRoute(icmplib.EndUnreachable, narrowHop()), nil,
			`{"target":"192.0.2.7","name":"www.example","reached":false,"end":"unreachable","hops":[` +
				`{"distance":2,"addresses":["2001:db8::1"],"rtts_ms":[5],"packets_sent":1,"packets_received":1,"packet_loss":0,"send_errors":0,"suspect":0,` +
				`"min_rtt_ms":5,"avg_rtt_ms":5,"max_rtt_ms":5,"jitter_ms":0,"mpls":[],"status":"packet-too-big",` +
				`"mtu":1400,"rewritten":[],"return_distance":null}],"rewrites":null,"error":null}`,
		},
		{
			"that could not be traced", &icmplib.Route{Name: "failed"}, errors.New(`cannot resolve "<&>"`),
			`{"target":"","name":"failed","reached":false,"end":"unknown","hops":[],"rewrites":null,"error":"cannot resolve \"<&>\""}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			report := jsonRoute{&jsonReporter{out: &out}}
			report.start(tt.route)
			for i := range tt.route.Hops {
				report.hop(tt.route, &tt.route.Hops[i])
			}
			report.end(tt.route, tt.err)
			if out.String() != tt.want+"\n" {
				t.Errorf("got  %s\nwant %s", &out, tt.want)
			}
		})
	}
}

func TestCSVRoute(t *testing.T) {
	for _, tt := range []struct {
		name  string
		route *icmplib.Route
		want  []string
	}{
		{"a router", aRoute(icmplib.EndUnknown, routerHop()), []string{
			"192.0.2.7,www.example,1,198.51.100.1,ttl-expired,11,0,3,3,3,0,0,0,1.23 1.45 0.98,0.98,1.22,1.45,0.345,,,",
		}},
		{"silence", aRoute(icmplib.EndUnknown, silentHop()), []string{
			"192.0.2.7,www.example,2,,no-reply,,,0,3,0,1,0,0,,,,,,,,",
		}},
		{"two responders", aRoute(icmplib.EndUnknown, balancedHop()), []string{
			`192.0.2.7,www.example,3,198.51.100.1,ttl-expired,11,0,1,3,2,0.3333333333333333,0,0,12.3 12.5,12.3,12.4,12.5,0.2,"L=16001,E=5,S=0,T=1 L=24,E=0,S=1,T=2",,source traffic-class`,
			`192.0.2.7,www.example,3,198.51.100.2,ttl-expired,11,0,1,3,2,0.3333333333333333,0,0,12.3 12.5,12.3,12.4,12.5,0.2,,,source traffic-class`,
		}},
		{"a link that is too narrow", aRoute(icmplib.EndUnreachable, narrowHop()), []string{
			"192.0.2.7,www.example,2,2001:db8::1,packet-too-big,2,0,1,1,1,0,0,0,5,5,5,5,0,,1400,",
		}},
		{"no hop", aRoute(icmplib.EndUnknown), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			report := newCSVRoute(&out)
			report.start(tt.route)
			for i := range tt.route.Hops {
				report.hop(tt.route, &tt.route.Hops[i])
			}
			report.end(tt.route, nil)
			got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if want := append([]string{strings.Join(csvRouteHeader, ",")}, tt.want...); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", &out, strings.Join(want, "\n"))
			}
			for _, line := range got {
				if quoted := strings.Contains(line, `"`); !quoted && strings.Count(line, ",") != len(csvRouteHeader)-1 {
					t.Errorf("fields are missing in %s", line)
				}
			}
		})
	}
}
