package icmplib

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var (
	textRouter = netip.MustParseAddr("198.51.100.1")
	textTarget = netip.MustParseAddr("192.0.2.1")
	textTime   = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
)

// textHop is a hop that answered two probes, after 1 ms and after 2 ms.
func textHop(distance int, from netip.Addr, status Status) Hop {
	h := Hop{Distance: distance, Status: StatusNoReply}
	for seq := range 2 {
		h.Add(Result{
			Dst: textTarget, Responder: from, Status: status, RTT: time.Duration(seq+1) * time.Millisecond,
			Seq: seq, TTL: distance, Sent: textTime,
		})
	}
	return h
}

func textRoute() Route {
	silent := Hop{Distance: 2, Status: StatusNoReply}
	return Route{
		Address: textTarget, Name: "example.org", Reached: true, End: EndReached,
		Hops: []Hop{textHop(1, textRouter, StatusTTLExpired), silent, textHop(3, textTarget, StatusReply)},
	}
}

func TestReportsAreTextForPeople(t *testing.T) {
	route := textRoute()
	change := Event{Kind: EventRouteChange, Round: 7, Distance: 3, From: textRouter, To: textTarget}
	const text = `example.org (192.0.2.1): reached
  1  198.51.100.1  2 of 2 answered, 1.500 ms avg
  2  *
  3  192.0.2.1  2 of 2 answered, 1.500 ms avg`
	for _, tt := range []struct {
		what fmt.Stringer
		want string
	}{
		{&route, text},
		{&Route{Name: "no..name", Err: errors.New("an empty label")}, "no..name: unknown\n  error  an empty label"},
		{&Snapshot{Round: 7, Route: route, Events: []Event{change}}, "round 7, " + text + "\n  round 7: route-change at hop 3, from 198.51.100.1 to 192.0.2.1"},
		{Event{Kind: EventRouteChange, Round: 1, Distance: 2, From: textRouter}, "round 1: route-change at hop 2, from 198.51.100.1 to *"},
		{Event{Kind: EventOutage, Round: 9}, "round 9: outage"},
		{Event{Kind: EventRecovery, Round: 12, Duration: 3200 * time.Millisecond}, "round 12: recovery after 3.2s"},
		{Event{Kind: EventAddressChange, Round: 61, From: textRouter, To: textTarget}, "round 61: address-change from 198.51.100.1 to 192.0.2.1"},
		{&MTUReport{
			Address: textTarget, Name: "192.0.2.1", MTU: 1400, Reached: true, Confirmed: true, Exact: true,
			Hops:       []HopMTU{{1, textRouter, 1400, MTUReported, textRouter}, {Distance: 2}, {3, textTarget, 1400, MTUKept, netip.Addr{}}},
			BlackHoles: []BlackHole{{After: 1, Before: 3, Passes: 1400, Fails: 1401}},
		}, `192.0.2.1: 1400 bytes, confirmed, exact
  1  198.51.100.1  1400 reported by 198.51.100.1
  2  *
  3  192.0.2.1  1400 kept
  black hole between hops 1 and 3: 1400 bytes pass, 1401 do not`},
		{&MTUReport{Address: textTarget, MTU: 576}, "192.0.2.1: 576 bytes, as far as the farthest router that answers, not confirmed, or more"},
		{&LossReport{
			Address: textTarget, Name: "example.org", Reached: true, Verdict: LossFound, From: 3,
			Hops: []HopLoss{
				{Distance: 1, Address: textRouter, Verdict: LossLimited, Path: LossNone, Slow: LossShare{PacketsSent: 10, PacketsAnswered: 10}, Fast: LossShare{PacketsSent: 10, PacketsAnswered: 4}},
				{Distance: 2},
				{Distance: 3, Address: textTarget, Verdict: LossFound, Path: LossFound, Slow: LossShare{PacketsSent: 10, PacketsAnswered: 9}, Fast: LossShare{PacketsSent: 10, PacketsAnswered: 9}},
			},
		}, `example.org (192.0.2.1): loss from hop 3 on
  1  198.51.100.1  way none, answers rate-limited: 0.0 % lost, at the fast rate 60.0 %
  2  *
  3  192.0.2.1  way loss, answers loss: 10.0 % lost, at the fast rate 10.0 %`},
		{&LossReport{Name: "example.org", Reached: true, Verdict: LossNone}, "example.org: no loss"},
		{&LossReport{Name: "example.org"}, "example.org: unclear, not reached"},
	} {
		if got := tt.what.String(); got != tt.want {
			t.Errorf("%s\nwant\n%s", got, tt.want)
		}
	}
}

func TestResultsAreWholeInJSON(t *testing.T) {
	route := textRoute()
	host := Host{Name: "example.org", Address: textTarget, Stats: route.Hops[2].Stats}
	result := Result{Dst: textTarget, Responder: textTarget, Status: StatusReply, RTT: time.Millisecond, TTL: 64, Sent: textTime}
	const (
		figures = `"packets_sent":2,"packets_received":2,"packet_loss":0,"silent":0,"icmp_errors":0,"late":0,"unsettled":0,` +
			`"duplicates":0,"altered":0,"advised":0,"send_errors":0,"suspect":0,"min_rtt_ms":1,"avg_rtt_ms":1.5,"max_rtt_ms":2,` +
			`"last_rtt_ms":2,"median_rtt_ms":1,"p95_rtt_ms":2,"p99_rtt_ms":2,"stddev_rtt_ms":0.707107,"jitter_ms":1,"interarrival_jitter_ms":0.0625,"rtts_ms":[1,2]`
		resultFields = `"dst":"192.0.2.1","seq":0,"status":"reply","responder":"192.0.2.1","rtt_ms":1,"sent":"2024-01-01T00:00:00Z","ttl":64,"type":null,"code":0,"error":null}`
	)
	for _, tt := range []struct {
		what any
		want string
	}{
		{host.Stats, `{"schema":1,` + figures + `}`},
		{&host, `{"schema":1,"name":"example.org","address":"192.0.2.1","is_alive":true,"error":null,` + figures + `}`},
		{result, `{"schema":1,` + resultFields},
		{StreamResult{Tag: 5, Result: result}, `{"schema":1,"tag":5,` + resultFields},
		{route.Hops[2], `{"schema":1,"distance":3,"address":"192.0.2.1","status":"reply","responders":[{"address":"192.0.2.1","packets_received":2,"status":"reply","type":null,"code":0}],"mpls":[],"rewritten":[],` + figures + `}`},
		{Route{Name: "no..name", Err: errors.New("an empty label")}, `{"schema":1,"name":"no..name","address":"","reached":false,"end":"unknown","hops":[],"rewrites":null,"error":"an empty label"}`},
		{Snapshot{Round: 7, Time: textTime, Route: Route{Name: "a"}}, `{"schema":1,"round":7,"time":"2024-01-01T00:00:00Z","name":"a","address":"","reached":false,"end":"unknown","hops":[],"rewrites":null,"error":null,"results":[],"events":[]}`},
		{Event{Kind: EventRouteChange, Time: textTime, Round: 7, Distance: 3, To: textTarget}, `{"schema":1,"kind":"route-change","time":"2024-01-01T00:00:00Z","round":7,"distance":3,"from":"","to":"192.0.2.1"}`},
		{Event{Kind: EventRecovery, Time: textTime, Round: 9, Duration: time.Second}, `{"schema":1,"kind":"recovery","time":"2024-01-01T00:00:00Z","round":9,"duration_ms":1000}`},
		{Event{Kind: EventAddressChange, Time: textTime, Round: 9, From: textRouter, To: textTarget}, `{"schema":1,"kind":"address-change","time":"2024-01-01T00:00:00Z","round":9,"from":"198.51.100.1","to":"192.0.2.1"}`},
		{RewritePoint{Fields: RewriteSource, After: 1, Before: 2}, `{"fields":"source","after":1,"before":2,"sure":false}`},
		{MTUReport{Address: textTarget, MTU: 576}, `{"schema":1,"address":"192.0.2.1","name":"","mtu":576,"reached":false,"confirmed":false,"exact":false,"hops":[],"black_holes":[]}`},
		{&LossReport{Name: "a"}, `{"schema":1,"address":"","name":"a","reached":false,"verdict":"unclear","hops":[]}`},
		{HopMTU{Distance: 1, MTU: 1400, Source: MTUMeasured}, `{"distance":1,"address":"","mtu":1400,"source":"measured"}`},
		{LossShare{PacketsSent: 10, PacketsAnswered: 9, Low: 0.01, High: 0.4, Interval: time.Second}, `{"packets_sent":10,"packets_answered":9,"loss":0.1,"low":0.01,"high":0.4,"interval_ms":1000}`},
		{[]any{IPv6, AnyFamily, RTTClock}, `["IPv6","any","clock"]`},
	} {
		got, err := json.Marshal(tt.what)
		if err != nil || string(got) != tt.want {
			t.Errorf("%T: %v\n%s\nwant\n%s", tt.what, err, got, tt.want)
		}
	}
}

func TestWordsAreReadBack(t *testing.T) {
	for _, want := range []Family{AnyFamily, IPv4, IPv6} {
		var got Family
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v is read as %v, %v", want, got, err)
		}
	}
	for source, word := range rttSources.Words {
		var got RTTSource
		if err := got.UnmarshalText([]byte(word)); err != nil || got != RTTSource(source) {
			t.Errorf("%s is read as %v, %v", word, got, err)
		}
	}
	var family Family
	var source RTTSource
	_, noFamily := Family(5).MarshalText()
	_, noSource := RTTSource(9).MarshalText()
	errs := []error{family.UnmarshalText([]byte("ipx")), source.UnmarshalText([]byte("guess")), noFamily, noSource}
	if slices.Contains(errs, nil) {
		t.Errorf("one of these has a word: %v", errs)
	}
}
