package icmplib

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/schema"
)

func readSchema(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(SchemaText())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestJSONIsAsInTheSchema holds all that marshals against docs/schema.json, with
// all fields set and with none.
func TestJSONIsAsInTheSchema(t *testing.T) {
	s := readSchema(t)
	route := Route{Name: "a", Address: testTarget, Hops: []Hop{sampleHop(), {Distance: 4}}, Graph: sampleGraph(), Err: ErrTimeout}
	long := keeping(4)
	for seq := range 9 {
		long.Add(reply(seq, ms))
	}
	late := *statsOf(fate(0, StatusNoReply), late(reply(0, ms)))
	for _, v := range []any{
		long, late, refused(), Stats{}, Host{}, Host{Name: "h", Err: ErrTimeout, Stats: long},
		Result{}, func() Result { r := sampleResult(); r.Seq = -1; return r }(), StreamResult{Tag: 1, Result: Result{Sent: sampleResult().Sent, Timestamp: &icmp.Timestamp{}}},
		Hop{}, sampleHop(), Route{}, route, translatedRoute(), Graph{}, *sampleGraph(),
		Snapshot{Route: route, Results: []Result{sampleResult()}, Events: []Event{{Kind: EventOutage}}}, Snapshot{},
		Event{Kind: EventRouteChange, Distance: 1}, Event{Kind: EventRecovery}, Event{Kind: EventAddressChange},
		MTUReport{}, MTUReport{LocalMTU: 9, Hops: []HopMTU{{MTU: 1, ReportedBy: testTarget}}, BlackHoles: []BlackHole{{}, {Replies: true, Unsure: true}}},
		LossReport{}, LossReport{From: 1, Hops: []HopLoss{{}}}, LossShare{},
	} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range s.Faults(reflect.TypeOf(v).Name(), data) {
			t.Errorf("%s\n%s", fault, data)
		}
	}
}

// otherWords are what fields could be called, too: here is how they are called.
var otherWords = map[string]string{
	"ip": "address", "host": "name", "hostname": "name", "sent_packets": "packets_sent", "received": "packets_received",
	"hop": "distance", "err": "error", "dup": "duplicate",
	"ttl_expired": "status", "rtt": "rtt_ms", "rtts": "rtts_ms", "min_ms": "min_rtt_ms", "avg_ms": "avg_rtt_ms", "max_ms": "max_rtt_ms",
}

// ownMeaning are the fields that two objects have with values of two kinds, and why.
var ownMeaning = []string{
	"late", "altered", "suspect", // told of one probe, and counted of many
	"from", "to", // addresses of an event, nodes of an edge, a distance of a LossReport
	"flows", // how many there are, or which
	"hops",  // of different reports
	"mark",  // whether this user may set one
}

func TestAFieldIsTheSameInEveryObject(t *testing.T) {
	type meaning struct{ object, kind string }
	fields := map[string]meaning{}
	readSchema(t).Each(func(name string, object *schema.Schema) {
		for field, of := range object.Properties {
			kind := of.Kind()
			if !regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`).MatchString(field) {
				t.Errorf("%s: %q is not in snake_case", name, field)
			}
			if right, ok := otherWords[field]; ok {
				t.Errorf("%s: %q is called %q elsewhere", name, field, right)
			}
			shares := []string{"packet_loss", "loss", "low", "high"}
			if fraction := strings.HasSuffix(kind, "number"); fraction != strings.HasSuffix(field, "_ms") && !slices.Contains(shares, field) {
				t.Errorf("%s: %q is %s: times are milliseconds with a fraction, and end in _ms", name, field, kind)
			}
			if known, seen := fields[field]; seen && known.kind != kind && !slices.Contains(ownMeaning, field) {
				t.Errorf("%q is %s in %s and %s in %s", field, kind, name, known.kind, known.object)
			}
			fields[field] = meaning{name, kind}
		}
	})
	for _, want := range []string{"address", "rtt_ms", "hops", "allowed"} {
		if _, ok := fields[want]; !ok {
			t.Errorf("%q was not found: this test does not see the fields", want)
		}
	}
}

// refused are probes that met an ICMP error.
func refused() Stats {
	return *statsOf(Result{Dst: testTarget, Seq: 0, Status: StatusUnreachable, Responder: testTarget, Type: icmp.V4DestinationUnreachable, Code: 1, RTT: ms, Sent: sampleResult().Sent})
}

// TestWhyAProbeFailedIsWritten wants what text says of a dead host in JSON, too.
func TestWhyAProbeFailedIsWritten(t *testing.T) {
	s := refused()
	back := again(t, s)
	if s.LastICMPError == nil || back.LastICMPError == nil || back.LastICMPError.Error() != s.LastICMPError.Error() {
		t.Errorf("%v, want %v", back.LastICMPError, s.LastICMPError)
	}
}

// translatedRoute is one that sees an address translator.
func translatedRoute() Route {
	sent := Quoted{Source: testTarget, SourcePort: 1}
	behind := Quoted{Source: testTarget.Next(), SourcePort: 1}
	r := Route{Name: "a", Address: testTarget}
	for i, q := range []Quoted{sent, behind, behind} {
		r.Hops = append(r.Hops, Hop{Distance: i + 1, Responders: []Responder{{Address: testTarget, Quoted: q, PacketsReceived: 1}}, sent: sent.header()})
	}
	return r
}

func TestRewritesAreWritten(t *testing.T) {
	data, err := json.Marshal(translatedRoute())
	if err != nil || !strings.Contains(string(data), `"rewrites":[{"fields":["source"],"after":1,"before":2,"nat":true,"sure":true}]`) {
		t.Errorf("%v, %s", err, data)
	}
	if data, _ = json.Marshal(Route{}); !strings.Contains(string(data), `"rewrites":null`) {
		t.Errorf("what is not known is %s", data)
	}
}
