package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/lab/schema"
)

func theSchema(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(icmplib.SchemaText())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkObjects holds each line against a definition of the schema.
func checkObjects(t *testing.T, definition, lines string) {
	t.Helper()
	s := theSchema(t)
	n := 0
	for line := range strings.Lines(lines) {
		n++
		for _, fault := range s.Faults(definition, []byte(line)) {
			t.Errorf("%s in %s", fault, line)
		}
	}
	if n == 0 {
		t.Errorf("there is no %s", definition)
	}
}

// object reads the only line into a map, for fields that the tool adds.
func object(t *testing.T, line string) map[string]any {
	t.Helper()
	o := map[string]any{}
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return o
}

func TestTheObjectOfAHostIsTheLibrarys(t *testing.T) {
	for _, h := range []*icmplib.Host{aliveHost(), silentHost(), failedHost(errors.New(`cannot resolve "<&>"`)), refusedHost(errNoRoute)} {
		var out, sweep strings.Builder
		(&jsonReporter{jsonWriter: jsonWriter{out: &out}}).summaries([]*icmplib.Host{h})
		jsonHosts{&jsonWriter{out: &sweep}}.host(h, hostDead)
		checkObjects(t, "Host", out.String())
		want, _ := json.Marshal(h)
		if out.String() != string(want)+"\n" || sweep.String() != out.String() {
			t.Errorf("got  %s%swant %s", &out, &sweep, want)
		}
	}
}

func TestTheObjectOfAResultIsTheLibrarysWithItsName(t *testing.T) {
	refused := icmplib.Result{Dst: target4, Status: icmplib.StatusNetworkUnreachable, Cause: errNoRoute}
	narrow := icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusPacketTooBig, Type: icmp.V4DestinationUnreachable, Code: 4, RTT: time.Millisecond, MTU: 1400}
	for _, r := range []icmplib.Result{reply(3, time.Second), refused, narrow, {Dst: target4, Status: icmplib.StatusNoReply, Suspect: true}} {
		var out, silent, probe strings.Builder
		(&jsonReporter{jsonWriter{out: &out}, true}).result(&icmplib.Host{Name: "www.example"}, r)
		(&jsonReporter{jsonWriter{out: &silent}, false}).result(&icmplib.Host{Name: "www.example"}, r)
		jsonProbes{&jsonWriter{out: &probe}, icmplib.UDP}.result("www.example", r)
		checkObjects(t, "Result", out.String()+probe.String())
		var back icmplib.Result
		if err := json.Unmarshal([]byte(probe.String()), &back); err != nil || back.Status != r.Status || back.Code != r.Code || back.RTT != r.RTT {
			t.Errorf("%v: %+v of %s", err, back, &probe)
		}
		if o := object(t, out.String()); o["name"] != "www.example" || silent.Len() > 0 {
			t.Errorf("%s and without --verbose %s", &out, &silent)
		}
		if o := object(t, probe.String()); o["protocol"] != "udp" || o["name"] != "www.example" {
			t.Errorf("got %s", &probe)
		}
	}
}

func TestTheObjectOfARouteIsTheLibrarys(t *testing.T) {
	for _, tt := range []struct {
		route *icmplib.Route
		err   error
	}{
		{aRoute(icmplib.EndReached, silentHop(), balancedHop(), finalHop()), nil},
		{aRoute(icmplib.EndUnreachable, narrowHop()), nil},
		{&icmplib.Route{Name: "failed"}, errNoName},
	} {
		var out strings.Builder
		report := jsonRoute{&jsonWriter{out: &out}, nil}
		report.start(tt.route)
		report.end(tt.route, tt.err)
		checkObjects(t, "Route", out.String())
		var back icmplib.Route
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || len(back.Hops) != len(tt.route.Hops) || back.End != tt.route.End || (back.Err == nil) != (tt.err == nil) {
			t.Errorf("%v: %+v of %s", err, back, &out)
		}
		if tt.route.Err != nil {
			t.Error("what is printed is changed")
		}
	}
}

func TestTheObjectOfMTRIsASnapshotWithAllEvents(t *testing.T) {
	var out strings.Builder
	outcome := anOutcome(icmplib.EndReached, silentHop(), finalHop())
	outcome.last.Results = []icmplib.Result{reply(0, 1)}
	jsonMTR{&jsonWriter{out: &out}, nil}.outcomes([]*mtrOutcome{outcome, {Subject: live.Subject{Name: "a", Flow: 2}, err: errors.New("no permission")}})
	checkObjects(t, "Snapshot", out.String())
	first, second, _ := strings.Cut(out.String(), "\n")
	var s icmplib.Snapshot
	if err := json.Unmarshal([]byte(first), &s); err != nil || s.Round != 3 || len(s.Events) != 3 || len(s.Results) != 0 || len(s.Hops) != 2 || !s.Reached {
		t.Errorf("%v: %s", err, first)
	}
	if o := object(t, first); o["start"] != "2026-01-02T03:04:05Z" {
		t.Errorf("it began at %v", o["start"])
	}
	if o := object(t, second); o["error"] != "no permission" || o["start"] != nil || o["flow"] != 2.0 {
		t.Errorf("got %s", second)
	}
}

// printed has a command line of each kind of output, and what each line of that is by the
// schema; if it is one word, all lines are that. What follows a slash is on standard error.
var printed = []struct{ line, definitions string }{
	{"doctor --json", "Doctor"},

	{"ping --json -c 2 -i 10ms -W 50ms 10.0.9.9 10.0.10.1 no..name", "Host"},
	{"ping --json -v -c 2 -i 10ms 10.0.9.9", "Result Result Host"},
	{"ping --json -v -c 1 -W 50ms 10.0.10.1", "Result Host"}, // refused on the way
	{"ping --json -v -c 1 -W 50ms 10.0.11.1 -t 2", "Result Host"},
	{"ping --json -v -c 1 255.255.255.255", "Result Host"}, // not sent

	{"multiping --json -c 1 -t 50ms 10.0.9.9 10.0.10.1 no..name", "Host"},
	{"multiping --json --alive -c 1 10.0.9.9 no..name", "Host"},
	{"multiping --json --unreachable -c 1 10.0.9.9 no..name", "Host"},
	{"multiping --json --results 2 --outage -p 20ms 10.0.9.9 10.0.11.1", "Host"},
	{"multiping --json --stats -c 1 -t 50ms 10.0.9.9 10.0.10.1", "Host / Sweep"},
	{"multiping --json --stats -c 1 --shuffle --shard 0/1 --seed 3 10.0.9.9", "Host / Sweep"},

	{"probe --json -c 2 -i 10ms 10.0.9.9", "Result"},
	{"probe --json -t 2 10.0.15.1", "Result"},
	{"probe --json -t 2 -W 50ms 10.0.11.1", "Result"},
	{"probe --json -M do -s 1400 2001:db8:13::1", "Result"},
	{"probe --json 255.255.255.255", "Result"},
	{"probe --json -U -p 7 10.0.9.9", "Result"},
	{"probe --json -U -t 1 2001:db8:9::9", "Result"},
	{"probe --json -T -p 80 10.0.9.9", "Result"},
	{"probe --json -P sctp -p 80 10.0.9.9", "Result"},
	{"probe --json --service dns 10.0.16.9", "Result"},
	{"probe --json --service ntp 10.0.16.9", "Result"},
	{"probe --json --service quic 10.0.16.9", "Result"},
	{"probe --json --type timestamp 127.0.0.1", "Result"},
	{"probe --json --type extended-echo --interface-name lo 127.0.0.1", "Result"},
	{"probe --json --type extended-echo --interface-index 9999 ::1", "Result"},

	{"traceroute --json -q 1 10.0.9.9", "Route"},
	{"traceroute --json -q 2 -T -p 80 2001:db8:15::1", "Route"},
	{"traceroute --json -q 1 --service quic 10.0.16.9", "Route"},
	{"traceroute --json -q 1 10.0.9.9 10.0.10.1 no..name", "Route"},
	{"traceroute --json -q 1 no..name", "Route"},
	{"traceroute --json -q 1 -w 50ms --gap 2 10.0.11.1", "Route"},
	{"traceroute --json -q 1 10.0.12.1", "Route"}, // a loop
	{"traceroute --json --mode raw --nat -q 1 10.0.15.1", "Route"},
	{"traceroute --json --flows 4 -q 1 -U 10.0.9.9", "Route"},
	{"traceroute --json --flows all -q 1 -U 10.0.14.1", "Route"},
	{"traceroute --json --mtu 10.0.9.9", "MTUReport"},
	{"traceroute --json --mtu 10.0.13.1", "MTUReport"}, // a narrow link
	{"traceroute --json --mtu no..name", "MTUReport"},
	{"traceroute --json --loss -q 10 -z 5ms 10.0.9.9", "LossReport"},
	{"traceroute --json --loss no..name", "LossReport"},

	{"mtr --json -c 2 -i 10ms 10.0.9.9 10.0.10.1 no..name", "Snapshot"},
	{"mtr --json -c 2 -i 10ms -u 10.0.15.1", "Snapshot"},
	{"mtr --json -c 4 -i 10ms -Z 50ms --outage 2 10.0.11.1", "Snapshot"},
}

func TestEveryCommandThatPrintsObjectsIsHeldAgainstTheSchema(t *testing.T) {
	for _, cmd := range newRootCommand(nil).Commands() {
		isHeld := slices.ContainsFunc(printed, func(p struct{ line, definitions string }) bool {
			return strings.HasPrefix(p.line, cmd.Name()+" --json")
		})
		if prints := cmd.Flags().Lookup("json") != nil; prints != isHeld {
			t.Errorf("%s prints objects: %v, in the list of those that are checked: %v", cmd.Name(), prints, isHeld)
		}
	}
}

func TestWhatIsPrintedIsInTheSchema(t *testing.T) {
	setup := func(t *testing.T) {
		if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_enable_probe", []byte("1"), 0); err != nil {
			t.Skip(err)
		}
		netlab.Carry(t, netsim.MustParse(paths), netlab.Device{})
	}
	netlab.Test(t, netlab.Config{PingGroups: true, Setup: setup}, func(t *testing.T) {
		for _, tt := range printed {
			got := runLine(t.Context(), strings.Fields(tt.line)...)
			definitions, onStderr, both := strings.Cut(tt.definitions, " / ")
			t.Run(tt.line, func(t *testing.T) {
				words, lines := strings.Fields(definitions), slices.Collect(strings.Lines(got.stdout))
				if len(words) == 1 {
					words = slices.Repeat(words, max(1, len(lines)))
				}
				if len(words) != len(lines) {
					t.Fatalf("%d lines, want %d (exit code %d):\n%s%s", len(lines), len(words), got.code, got.stdout, got.stderr)
				}
				for i, line := range lines {
					checkObjects(t, words[i], line)
				}
				if both {
					checkObjects(t, onStderr, got.stderr)
				}
			})
		}
	})
}

func TestTheSchemaIsPrinted(t *testing.T) {
	got := runLine(t.Context(), "schema")
	got.check(t, exitAlive)
	if got.stdout != icmplib.SchemaText() {
		t.Errorf("got %s", got.stdout)
	}
}

// unmarshalable has no JSON.
type unmarshalable struct{}

func (unmarshalable) AppendJSON([]byte) ([]byte, error) { return nil, errors.New("no JSON") }

func TestWhatHasNoJSONIsAnError(t *testing.T) {
	var out strings.Builder
	(&jsonWriter{out: &out}).write(unmarshalable{}, jsonField{"name", "x"})
	if out.String() != `{"error":"no JSON"}`+"\n" {
		t.Errorf("got %s", &out)
	}
}

// csvColumns returns what each column of the only line has, by the names of the header.
func csvColumns(t *testing.T, text string) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%v in %s", err, text)
	}
	var lines []map[string]string
	for _, row := range rows[1:] {
		line := map[string]string{}
		for i, cell := range row {
			line[rows[0][i]] = cell
		}
		lines = append(lines, line)
	}
	return lines
}

// checkColumns wants some columns to be as given.
func checkColumns(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if cell, ok := got[name]; !ok || cell != want[name] {
			t.Errorf("%s is %q, want %q", name, cell, want[name])
		}
	}
}

// Each field of JSON has a column, save lists of objects, and those that the header splits
// up or a flag adds.
func TestTheColumnsAreTheFieldsOfJSON(t *testing.T) {
	s := theSchema(t)
	for _, tt := range []struct {
		header      []string
		definitions []string
		others      []string
	}{
		{csvHostHeader, []string{"Host"}, []string{"schema", "histogram", "last_icmp_error",
			"outage_ms", "interval_settled", "interval_received", "interval_min_rtt_ms", "interval_avg_rtt_ms", "interval_max_rtt_ms"}},
		{csvResultHeader, []string{"Result"}, []string{"schema", "extended_echo", "timestamp"}},
		{csvHopHeader, []string{"Route", "Hop", "Responder"}, []string{"schema", "histogram", "last_icmp_error", "hops", "rewrites", "graph", "responders", "as_numbers"}},
	} {
		for _, definition := range tt.definitions {
			for _, field := range s.Fields(definition) {
				if !slices.Contains(tt.header, field) && !slices.Contains(tt.others, field) {
					t.Errorf("%s of %s has no column", field, definition)
				}
			}
		}
	}
	for _, field := range s.Fields("ICMPError") {
		if !slices.Contains(csvHostHeader, "last_icmp_error_"+field) {
			t.Errorf("%s of the last ICMP error has no column", field)
		}
	}
}

func TestCSVHosts(t *testing.T) {
	dead := &icmplib.Host{Name: "dead", Address: target4}
	dead.Add(icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusUnreachable, Type: icmp.V4DestinationUnreachable, Code: 1, RTT: time.Millisecond, Sent: someTime})
	var out strings.Builder
	report := newCSVHosts(&out)
	report.host(hostOf("www.example", reply(0, 10*time.Millisecond), silence1, reply(2, 12500*time.Microsecond)), hostAlive)
	report.host(&icmplib.Host{Name: `a,"b"`, Err: errors.New("one\ntwo"), Address: netip.Addr{}}, hostDead)
	report.host(dead, hostDead)
	lines := csvColumns(t, out.String())
	checkColumns(t, lines[0], map[string]string{
		"name": "www.example", "address": "192.0.2.7", "is_alive": "true", "error": "", "packets_sent": "3", "packets_received": "2",
		"packet_loss": "0.3333333333333333", "silent": "1", "min_rtt_ms": "10", "avg_rtt_ms": "11.25", "max_rtt_ms": "12.5", "last_rtt_ms": "12.5",
		"median_rtt_ms": "10", "p95_rtt_ms": "12.5", "stddev_rtt_ms": "1.767767", "jitter_ms": "2.5", "rtts_ms": "10 12.5", "max_late_rtt_ms": "",
		"last_icmp_error_type": "",
	})
	checkColumns(t, lines[1], map[string]string{"name": `a,"b"`, "address": "", "is_alive": "false", "error": "one\ntwo", "packets_sent": "0", "avg_rtt_ms": "", "rtts_ms": ""})
	checkColumns(t, lines[2], map[string]string{"icmp_errors": "1", "last_icmp_error_responder": "198.51.100.1", "last_icmp_error_type": "3", "last_icmp_error_code": "1", "last_icmp_error_mtu": ""})
}

// A line of CSV says what the object of the same result does.
func TestCSVResults(t *testing.T) {
	narrow := icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusPacketTooBig, Type: icmp.V4DestinationUnreachable, Code: 4,
		RTT: time.Millisecond, RTTSource: icmplib.RTTKernel, Sent: someTime, TTL: 64, MTU: 1400, MPLS: []icmp.MPLSLabel{{Label: 7, TTL: 1}}, Late: true, NewID: true}
	asked := icmplib.Result{Dst: target4, Status: icmplib.StatusReply, ExtendedEcho: &icmp.ExtendedEcho{Active: true, IPv4: true}, Timestamp: &icmp.Timestamp{Receive: 9}}
	var out strings.Builder
	report := newCSVPing(&out, true)
	for _, r := range []icmplib.Result{reply(3, 1500*time.Microsecond), narrow, {Dst: target4, Status: icmplib.StatusNetworkUnreachable, Cause: errNoRoute}, asked} {
		report.result(&icmplib.Host{Name: "www.example"}, r)
	}
	report.summaries([]*icmplib.Host{aliveHost()})
	lines := csvColumns(t, out.String())
	if len(lines) != 4 {
		t.Fatalf("%d lines:\n%s", len(lines), &out)
	}
	checkColumns(t, lines[0], map[string]string{"name": "www.example", "dst": "192.0.2.7", "seq": "3", "status": "reply", "rtt_ms": "1.5", "late": "false", "error": "", "mtu": "", "protocol": "icmp"})
	checkColumns(t, lines[1], map[string]string{"status": "packet-too-big", "responder": "198.51.100.1", "type": "3", "code": "4", "mtu": "1400", "rtt_source": "kernel",
		"sent": someTime.Format(time.RFC3339Nano), "ttl": "64", "mpls": narrow.MPLS[0].String(), "late": "true", "new_id": "true", "duplicate": "false"})
	checkColumns(t, lines[2], map[string]string{"status": "no-route-network", "responder": "", "rtt_ms": "", "sent": "", "type": "", "error": errNoRoute.Error()})
	checkColumns(t, lines[3], map[string]string{"extended_echo_active": "true", "extended_echo_ipv4": "true", "extended_echo_ipv6": "false", "timestamp_receive": "9", "timestamp_originate": "0"})
}

func TestCSVOfAPingIsThatOfItsHosts(t *testing.T) {
	var out, sweep strings.Builder
	report := newCSVPing(&out, false)
	report.start(nil)
	report.result(aliveHost(), reply(0, 1))
	report.end(nil)
	report.summaries([]*icmplib.Host{aliveHost(), silentHost()})
	hosts := newCSVHosts(&sweep)
	hosts.host(aliveHost(), hostAlive)
	hosts.host(silentHost(), hostDead)
	if out.String() != sweep.String() {
		t.Errorf("got\n%swant\n%s", &out, &sweep)
	}
}

func TestCSVHops(t *testing.T) {
	var out strings.Builder
	report := csvRoute{newCSVHops(&out, nil)}
	report.end(aRoute(icmplib.EndReached, routerHop(), silentHop(), balancedHop(), finalHop()), nil)
	report.end(&icmplib.Route{Name: "failed"}, errors.New("one"))
	csvMTR(report).outcomes([]*mtrOutcome{anOutcome(icmplib.EndUnreachable, narrowHop())})
	lines := csvColumns(t, out.String())
	if len(lines) != 7 {
		t.Fatalf("%d lines:\n%s", len(lines), &out)
	}
	checkColumns(t, lines[0], map[string]string{
		"name": "www.example", "address": "192.0.2.7", "reached": "true", "end": "reached", "round": "", "distance": "1", "responder": "198.51.100.1",
		"status": "ttl-expired", "type": "11", "code": "0", "answers": "3", "packets_sent": "3", "rtts_ms": "1.23 1.45 0.98", "jitter_ms": "0.345",
	})
	checkColumns(t, lines[1], map[string]string{"distance": "2", "responder": "", "status": "no-reply", "type": "", "packets_received": "0", "rtts_ms": "", "avg_rtt_ms": ""})
	checkColumns(t, lines[2], map[string]string{"distance": "3", "responder": "198.51.100.1", "answers": "1", "mpls": "L=16001,E=5,S=0,T=1 L=24,E=0,S=1,T=2", "rewritten": "source traffic-class", "return_distance": "2"})
	checkColumns(t, lines[3], map[string]string{"distance": "3", "responder": "198.51.100.2", "answers": "1", "mpls": "", "packets_sent": "3"})
	checkColumns(t, lines[5], map[string]string{"name": "failed", "error": "one", "distance": "", "packets_sent": ""})
	checkColumns(t, lines[6], map[string]string{"round": "3", "status": "packet-too-big", "type": "2", "mtu": "1400", "reached": "false"})
}

func TestTheInterfacesOfARouterHaveACell(t *testing.T) {
	var out strings.Builder
	hop := routerHop()
	hop.Responders[0].Interfaces = []icmp.InterfaceInfo{{Name: "eth7", Index: 7}}
	csvRoute{newCSVHops(&out, nil)}.end(aRoute(icmplib.EndReached, hop), nil)
	if got := csvColumns(t, out.String())[0]["interfaces"]; !strings.Contains(got, "eth7 index=7") {
		t.Errorf("got %q", got)
	}
}
