package icmplib

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// again marshals v, reads that into a new value, and marshals it once more.
func again[T any](t *testing.T, v T) T {
	t.Helper()
	first, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatalf("%v of %s", err, first)
	}
	second, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if string(first) != string(second) {
		t.Errorf("written: %s\nread and written again: %s", first, second)
	}
	if !strings.HasPrefix(string(first), `{"schema":1,`) {
		t.Errorf("%s names no schema", first)
	}
	var newer T
	if err := json.Unmarshal([]byte(strings.Replace(string(first), `"schema":1`, `"schema":2`, 1)), &newer); err == nil || !strings.Contains(err.Error(), "schema 2") {
		t.Errorf("%T of a later schema: %v", v, err)
	}
	return back
}

func TestStatsAreReadAsTheyWereWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	for _, tt := range []struct{ n, limit int }{{0, 9}, {1, 9}, {4, 9}, {60, 1024}, {60, 9}, {3000, 9}} {
		s := keeping(tt.limit)
		for _, r := range randomRun(random, tt.n, 8) {
			s.Add(r)
		}
		back := again(t, s)
		if got, want := booksOf(&back), booksOf(&s); got != want {
			t.Errorf("%+v: %+v, want %+v", tt, got, want)
		}
		if got, want := figuresOf(&back), figuresOf(&s); !got.equal(want) {
			t.Errorf("%+v: %+v, want %+v", tt, got, want)
		}
		for q := 0.0; q <= 1; q += 0.05 {
			if back.Percentile(q) != s.Percentile(q) {
				t.Errorf("%+v: percentile %v is %v, want %v", tt, q, back.Percentile(q), s.Percentile(q))
			}
		}
		back.Add(reply(back.PacketsSent+back.SendErrors, time.Hour))
		if back.LastRTT() != time.Hour {
			t.Errorf("%+v: what is added afterwards is not the last: %v", tt, back.LastRTT())
		}
	}
}

// JSON of something else is not taken for an object without figures.
func TestForeignJSONIsNotRead(t *testing.T) {
	for _, into := range []json.Unmarshaler{
		&Stats{}, &Host{}, &Result{}, &StreamResult{}, &Hop{}, &Route{}, &Snapshot{}, &Event{}, &Graph{}, &GraphNode{},
		&MTUReport{}, &LossReport{}, &LossShare{},
	} {
		for _, text := range []string{`{}`, `{"ip":"192.0.2.1","loss":0}`, `{"Address":"192.0.2.1","PacketsSent":4}`, `{"packets_sent":null,"status":null}`} {
			if err := into.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), " is missing") {
				t.Errorf("%T is made of %s: %v", into, text, err)
			}
		}
		if err := into.UnmarshalJSON([]byte("null")); err != nil {
			t.Errorf("%T: %v", into, err)
		}
	}
	// Fields that came later may be missing.
	var s Stats
	if err := s.UnmarshalJSON([]byte(`{"schema":1,"packets_sent":3,"packets_received":2,"silent":1}`)); err != nil || s.PacketLoss() < 0.33 {
		t.Error(s.PacketLoss(), err)
	}
	var r Result
	if err := r.UnmarshalJSON([]byte(`{"dst":"192.0.2.1","status":"reply","rtt_ms":-1}`)); err == nil {
		t.Errorf("%v has a negative RTT", r.RTT)
	}
}

func TestContradictoryStatsAreNotRead(t *testing.T) {
	for _, text := range []string{
		`{"packets_sent":3,"packets_received":1}`,
		`{"packets_sent":1,"silent":1,"duplicates":-1}`,
		`{"packets_sent":1,"packets_received":1,"rtts_ms":[1],"min_rtt_ms":2,"avg_rtt_ms":2,"max_rtt_ms":2,"last_rtt_ms":2}`,
		`{"packets_sent":1,"packets_received":0,"silent":1,"rtts_ms":[2],"min_rtt_ms":2,"avg_rtt_ms":2,"max_rtt_ms":2,"last_rtt_ms":2}`,
		`{"packets_sent":"3"}`,
		`{"schema":7}`,
	} {
		for _, into := range []json.Unmarshaler{&Stats{}, &Host{}, &Hop{}} {
			if err := json.Unmarshal([]byte(text), into); err == nil {
				t.Errorf("%T is made of %s", into, text)
			}
		}
	}
}

// sampleResult has all fields that are written.
func sampleResult() Result {
	return Result{Dst: testTarget, Seq: 7, Status: StatusTTLExpired, Responder: netip.MustParseAddr("fe80::1%eth\"0"),
		RTT: 1234567, RTTSource: RTTKernel, Sent: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC), TTL: 3, ReplyTTL: 62,
		ReplyTrafficClass: 8, Size: 64, Type: icmp.V4TimeExceeded, Code: 1, MTU: 1400, MPLS: []icmp.MPLSLabel{{Label: 16000, TrafficClass: 5, BottomOfStack: true, TTL: 9}},
		Interfaces:   []icmp.InterfaceInfo{{Role: icmp.RoleNextHop, Index: 7, Address: testTarget, Name: "eth\"7", MTU: 1500}, {}},
		ExtendedEcho: &icmp.ExtendedEcho{State: icmp.NeighborStale, Active: true, IPv6: true},
		Timestamp:    &icmp.Timestamp{Originate: 1, Receive: 2, Transmit: 1<<32 - 1},
		Late:         true, Duplicate: true, Advises: true, Corrects: true, Altered: true, Unproven: true, Local: true, Suspect: true, NewID: true, Retransmitted: true,
		Cause: errors.New("no <buffer> \x01 é")}
}

func sampleHop() Hop {
	h := Hop{Distance: 3, Address: testTarget, Status: StatusTTLExpired, MTU: 1500, ReturnDistance: 4, Rewritten: 3, End: EndGap,
		MPLS: []icmp.MPLSLabel{{Label: 1, TTL: 1}},
		Responders: []Responder{{Address: testTarget, Local: true, PacketsReceived: 2, Status: StatusTTLExpired, Type: icmp.V4TimeExceeded, ReplyTTL: 60, RTTSource: RTTNoticed, MPLS: []icmp.MPLSLabel{{Label: 2}},
			Interfaces: []icmp.InterfaceInfo{{Name: "eth0"}}}}}
	h.Stats.Add(reply(0, ms))
	h.Stats.Add(reply(1, 3*ms))
	return h
}

func sampleGraph() *Graph {
	return &Graph{Flows: 2, Probes: 9, Complete: true, Hops: []GraphHop{{Distance: 1, Balancing: BalancingPerFlow, Nodes: []GraphNode{{Distance: 1, Address: testTarget, Flows: []int{0, 1}}}}},
		Edges: []GraphEdge{{From: 0, To: 1, Flows: []int{1}, Unsure: true}}, Diamonds: []Diamond{{Divergence: GraphPoint{Distance: 1, Address: testTarget}, Width: 2, MinLength: 1, MaxLength: 2}}}
}

func TestWhatMarshalsIsReadAgain(t *testing.T) {
	r := sampleResult()
	back := again(t, r)
	if back.Cause.Error() != r.Cause.Error() {
		t.Errorf("the cause is %q, want %q", back.Cause, r.Cause)
	}
	if back.Cause = r.Cause; !reflect.DeepEqual(back, r) {
		t.Errorf("%+v\nwant %+v", back, r)
	}
	if got := again(t, StreamResult{Tag: math.MaxUint64, Result: r}); got.Tag != math.MaxUint64 || got.Seq != 7 {
		t.Errorf("%+v", got)
	}
	h := sampleHop()
	if got := again(t, h); !reflect.DeepEqual(got.Responders, h.Responders) || got.Rewritten != h.Rewritten || got.End != h.End || figuresOf(&got.Stats).avg != 2*ms {
		t.Errorf("%+v\nwant %+v", got, h)
	}
	route := Route{Name: "a \"name\"", Address: testTarget, Reached: true, End: EndReached, Hops: []Hop{h, {Distance: 4}}, Graph: sampleGraph(), Err: ErrTimeout}
	if got := again(t, route); !reflect.DeepEqual(got.Graph, route.Graph) || len(got.Hops) != 2 || got.Name != route.Name || got.Err.Error() != ErrTimeout.Error() {
		t.Errorf("%+v\nwant %+v", got, route)
	}
	events := []Event{{Kind: EventRouteChange, Time: r.Sent, Round: 2, Distance: 3, To: testTarget}, {Kind: EventRecovery, Time: r.Sent, Round: 9, Duration: 90 * time.Second}}
	s := Snapshot{Round: 9, Time: r.Sent, Route: route, Results: []Result{r}, Events: events}
	if got := again(t, s); !reflect.DeepEqual(got.Events, events) || len(got.Results) != 1 || got.Results[0].Seq != 7 || len(got.Hops) != 2 || !got.Time.Equal(r.Sent) {
		t.Errorf("%+v\nwant %+v", got, s)
	}
	again(t, events[0])
	if got := again(t, *sampleGraph()); !reflect.DeepEqual(&got, sampleGraph()) {
		t.Errorf("%+v", got)
	}
	report := MTUReport{Address: testTarget, Name: "x", MTU: 1400, Reached: true, Exact: true, Hops: []HopMTU{{Distance: 1, MTU: 1500, Source: MTUReported, ReportedBy: testTarget}}, BlackHoles: []BlackHole{{After: 1, Before: 2, Passes: 3, Fails: 4}}}
	if got := again(t, report); !reflect.DeepEqual(got, report) {
		t.Errorf("%+v\nwant %+v", got, report)
	}
	loss := LossReport{Address: testTarget, Name: "x", Reached: true, Verdict: LossUnclear, From: 2, Hops: []HopLoss{{Distance: 1, Address: testTarget, Slow: LossShare{10, 9, 0.01, 0.3, 500 * ms}}}}
	if got := again(t, loss); !reflect.DeepEqual(got, loss) {
		t.Errorf("%+v\nwant %+v", got, loss)
	}
	host := Host{Name: "h", Address: testTarget, Err: ErrTimeout, Stats: *statsOf(reply(0, ms), fate(1, StatusNoReply))}
	if got := again(t, host); got.PacketLoss() != 0.5 || got.Name != "h" || got.Err == nil {
		t.Errorf("%+v", got)
	}
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	h := Host{Name: "192.0.2.1", Address: testTarget, Stats: *statsOf(reply(0, ms))}
	b := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b, _ = h.AppendJSON(b[:0]) }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

func TestMergedStatsAreThoseOfAll(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 32))
	for _, n := range []int{0, 3, 300, 3000} {
		var all Stats
		shards := make([]Stats, 3)
		for _, r := range randomRun(random, n, 0) {
			all.Add(r)
			shards[(r.Seq+9)%3].Add(r)
		}
		var sum Stats
		for i := range shards {
			sum.Merge(&shards[i])
		}
		got, want := booksOf(&sum), booksOf(&all)
		if got.received != want.received || got.sent != want.sent || sum.PacketLoss() != all.PacketLoss() {
			t.Errorf("%d: %+v, want %+v", n, got, want)
		}
		if sum.MinRTT() != all.MinRTT() || sum.MaxRTT() != all.MaxRTT() || (sum.AvgRTT()-all.AvgRTT()).Abs() > 1 || sum.MaxLateRTT() != all.MaxLateRTT() {
			t.Errorf("%d: %v to %v, want %v to %v", n, sum.MinRTT(), sum.MaxRTT(), all.MinRTT(), all.MaxRTT())
		}
		for q := 0.0; q <= 1; q += 0.05 {
			got, want := sum.Percentile(q), all.Percentile(q)
			if math.Abs(float64(got-want)) > float64(want)/100 {
				t.Errorf("%d: percentile %v is %v, want %v", n, q, got, want)
			}
		}
	}
}

func FuzzStatsJSON(f *testing.F) {
	f.Add([]byte(`{"schema":1,"packets_sent":2,"packets_received":2,"min_rtt_ms":1,"avg_rtt_ms":1.5,"max_rtt_ms":2,"last_rtt_ms":2,"rtts_ms":[1,2]}`))
	f.Add([]byte(`{"packets_sent":2,"packets_received":2,"min_rtt_ms":1,"avg_rtt_ms":1.5,"max_rtt_ms":2,"last_rtt_ms":2,"histogram":[{"rtt_ms":1,"count":1},{"rtt_ms":2,"count":1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Stats
		if json.Unmarshal(data, &s) != nil {
			return
		}
		first, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Stats
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatalf("%v of %s", err, first)
		}
		if booksOf(&back) != booksOf(&s) || back.MaxRTT() != s.MaxRTT() || len(back.RTTs()) != len(s.RTTs()) {
			t.Errorf("%s became %+v", first, back)
		}
	})
}

// What can be read is written, read and written again to the same text, whatever marshals.
func FuzzJSON(f *testing.F) {
	samples := []any{
		Host{Name: "h", Err: ErrTimeout}, Stats{}, sampleResult(), StreamResult{Tag: 1, Result: sampleResult()}, sampleHop(),
		Route{Name: "a", Address: testTarget, Hops: []Hop{sampleHop()}, Graph: sampleGraph(), Err: ErrTimeout},
		Snapshot{Round: 1, Results: []Result{sampleResult()}, Events: []Event{{Kind: EventOutage}}},
		Event{Kind: EventRecovery, Duration: time.Second}, *sampleGraph(),
		MTUReport{LocalMTU: 9, Hops: []HopMTU{{MTU: 1, ReportedBy: testTarget}}, BlackHoles: []BlackHole{{}}},
		LossReport{From: 1, Hops: []HopLoss{{}}},
	}
	for i, sample := range samples {
		data, err := json.Marshal(sample)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		typ := reflect.TypeOf(samples[int(kind)%len(samples)])
		read := func(data []byte) (any, error) {
			v := reflect.New(typ)
			return v.Interface(), json.Unmarshal(data, v.Interface())
		}
		v, err := read(data)
		if err != nil {
			return
		}
		first, err := json.Marshal(v)
		if err != nil {
			return // such as a number that is not finite
		}
		back, err := read(first)
		if err != nil {
			t.Fatalf("%v: %v of %s", typ, err, first)
		}
		if second, err := json.Marshal(back); err != nil || string(second) != string(first) {
			t.Errorf("%v: %v\n%s became\n%s", typ, err, first, second)
		}
	})
}
