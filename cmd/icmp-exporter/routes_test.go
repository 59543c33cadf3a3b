package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/schema"
)

// page asks for /routes.
func (w *testWorld) page(query, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/routes"+query, nil)
	r.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	newDaemon("", w.exporter, w.log, newHostFiles("", w.log)).routes().ServeHTTP(answer, r)
	return answer
}

// inSchema holds what /routes answers against the schema.
func (w *testWorld) inSchema(answer *httptest.ResponseRecorder) {
	s, err := schema.Parse(icmplib.SchemaText())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, fault := range s.Faults("RoutesPage", answer.Body.Bytes()) {
		w.t.Errorf("%s in %s", fault, answer.Body)
	}
}

// troubled is a host behind a router that loses everything for a while, and one that
// loses a third.
const troubled = `
	client 203.0.113.9
	node r1 203.0.113.1 delay=1ms
	node r2 203.0.113.2 delay=1ms
	node down 192.0.2.1 delay=1ms lose@80-140
	node lossy 192.0.2.2 delay=1ms lose@every/3
	node well 192.0.2.3 delay=1ms
	path 192.0.2.1/32 r1 r2 down
	path 192.0.2.2/32 r1 r2 lossy
	path 192.0.2.3/32 r1 r2 well
`

func TestTheRouteToWhatIsInTroubleIsTracedComparedAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, troubled)
		w.use("defaults: {timeout: 500ms, trace_on_trouble: true, trace_loss: 25%}\n" +
			"targets: [{hosts: [192.0.2.1, 192.0.2.2], labels: {site: x}}, {hosts: [192.0.2.3]}]")
		defer w.close()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := w.figures("icmp_trouble_traces_total", "route"); len(got) != 3 || got["changed"] != 1 || got["same"] != 1 || got["unknown"] != 0 {
			t.Errorf("traces by what they show: %v", got)
		}
		for reason, want := range map[string]float64{"down": 1, "loss": 1} {
			if got := w.figures("icmp_trouble_traces_total", "reason")[reason]; got != want {
				t.Errorf("%v traces because of %s, want %v", got, reason, want)
			}
		}
		if got := w.figures("icmp_trouble_traces_total", "address"); got["192.0.2.1"] != 1 || got["192.0.2.2"] != 1 || got["192.0.2.3"] != 0 || len(got) != 3 {
			t.Errorf("traces by address: %v", got)
		}
		answer := w.page("", "")
		w.inSchema(answer)
		w.inSchema(w.page("?target=192.0.2.3", ""))
		var page routesPage
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || len(page.Troubles) != 2 || len(page.Routes) != 0 {
			t.Fatalf("%v: %s", err, answer.Body)
		}
		down, lossy := page.Troubles[0], page.Troubles[1]
		if down.Target != "192.0.2.1" || down.Reason != "down" || down.Compared != "changed" || down.Labels["site"] != "x" ||
			!strings.Contains(down.Difference, "ends at hop 2 (203.0.113.2)") || down.Now.Reached || !down.Good.Reached || len(down.Good.Hops) != 3 {
			t.Errorf("the newest is %+v", down)
		}
		if lossy.Target != "192.0.2.2" || lossy.Reason != "loss" || lossy.Now == nil {
			t.Errorf("the first is %+v", lossy)
		}
		if err := json.Unmarshal(w.page("?target=192.0.2.3", "application/json").Body.Bytes(), &page); err != nil ||
			len(page.Troubles) != 0 || len(page.Routes) != 1 || page.Routes[0].Good == nil || len(page.Routes[0].Good.Hops) != 3 || page.Routes[0].Watched != nil {
			t.Errorf("of one target: %+v, %v", page, err)
		}
		for _, tt := range []struct {
			query, accept string
			code          int
			says          []string
		}{
			{"?format=text", "application/json", 200, []string{"192.0.2.1 (192.0.2.1), down: the trace ends at hop 2", "now: 192.0.2.1: ", "before: 192.0.2.1: reached"}},
			{"", "text/html", 200, []string{"192.0.2.2 (192.0.2.2), loss: "}},
			{"?target=192.0.2.3", "text/plain", 200, []string{"when it was last up: 192.0.2.3: reached"}},
			{"?target=nobody", "text/plain", 200, []string{"no target has been in trouble"}},
			{"?format=xml", "", 400, []string{"allowed is json or text"}},
		} {
			answer := w.page(tt.query, tt.accept)
			for _, part := range tt.says {
				if answer.Code != tt.code || !strings.Contains(answer.Body.String(), part) {
					t.Errorf("%s, %s: %d, no %q in %s", tt.query, tt.accept, answer.Code, part, answer.Body)
				}
			}
		}
	})
}

func TestWhatIsShownOfTroubleIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, `
			client 203.0.113.9
			node r 203.0.113.1
			node h 192.0.2.1 lose@all
			path 192.0.0.0/16 r h
		`)
		var hosts []string
		for i := range mostTroubles + 9 {
			hosts = append(hosts, fmt.Sprintf("192.0.%d.%d", 1+i/200, i%200))
		}
		w.use("defaults: {timeout: 100ms, trace_on_trouble: true}\ntargets: [{hosts: [" + strings.Join(hosts, ", ") + "]}]")
		defer w.close()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := len(w.current.Load().page("").Troubles); got != mostTroubles {
			t.Errorf("%d troubles are kept, want %d", got, mostTroubles)
		}
	})
}

// changing is a way that changes after a minute, and an outage after two.
const changing = `
	client 203.0.113.9
	node r1 203.0.113.1 delay=1ms
	node a 203.0.113.2 delay=1ms
	node b 203.0.113.3 delay=1ms
	node c 203.0.113.4 delay=1ms
	node h 192.0.2.1 delay=1ms
	node wall 203.0.113.8 lose@all
	path 192.0.2.0/24 r1 time:1m,2m,150s( a | b c | b c wall | b c ) h
`

func TestTheWayToAHostIsToldHopByHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, changing)
		w.use("defaults: {timeout: 500ms}\ntargets: [{hosts: [192.0.2.1], route_interval: 1s}]")
		defer w.close()
		figure := func(name, label, value string) float64 { return w.figures(name, label)[value] }
		time.Sleep(55 * time.Second)
		synctest.Wait()
		if hops, reached, changes := figure("icmp_route_hops", "", ""), figure("icmp_route_reached", "", ""), figure("icmp_route_changes_total", "", ""); hops != 3 || reached != 1 || changes != 0 {
			t.Errorf("%v hops, reached %v, %v changes, want 3, 1 and none", hops, reached, changes)
		}
		if got := w.figures("icmp_hop_router_info", "router"); len(got) != 3 || got["203.0.113.2"] != 1 || got["192.0.2.1"] != 1 {
			t.Errorf("routers are %v", got)
		}
		sent, answered := w.figures("icmp_hop_probes_sent_total", "hop"), w.figures("icmp_hop_probes_answered_total", "hop")
		for _, hop := range []string{"1", "2", "3"} {
			if sent[hop] < 50 || sent[hop] != answered[hop] {
				t.Errorf("hop %s: %v sent and %v answered", hop, sent[hop], answered[hop])
			}
		}
		if sum, n := w.summary("icmp_hop_rtt_seconds", "hop", "2"); n != uint64(answered["2"]) || sum/float64(n) < 0.0039 || sum/float64(n) > 0.0041 {
			t.Errorf("round-trip times of hop 2: %v in %d", sum, n)
		}
		time.Sleep(55 * time.Second)
		synctest.Wait()
		if hops, changes := figure("icmp_route_hops", "", ""), figure("icmp_route_changes_total", "", ""); hops != 4 || changes < 1 || changes > 3 {
			t.Errorf("%v hops after %v changes, want 4 after 1 to 3", hops, changes)
		}
		before := w.figures("icmp_hop_probes_sent_total", "hop")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if outages, seconds := figure("icmp_route_outages_total", "", ""), figure("icmp_route_outage_seconds_total", "", ""); outages != 1 || seconds < 28 || seconds > 32 {
			t.Errorf("%v outages of %v s, want one of 30 s", outages, seconds)
		}
		for hop, n := range w.figures("icmp_hop_probes_sent_total", "hop") {
			if n <= before[hop] {
				t.Errorf("hop %s: the counter went from %v to %v", hop, before[hop], n)
			}
		}
		// A reload that changes how the way is followed changes nothing else.
		sentTo := figure("icmp_probes_sent_total", "", "")
		w.use("defaults: {timeout: 500ms}\ntargets: [{hosts: [192.0.2.1]}]")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := w.figures("icmp_route_hops", ""); len(got) != 0 || figure("icmp_probes_sent_total", "", "") < sentTo {
			t.Errorf("%v hops are told, and %v probes after %v", got, figure("icmp_probes_sent_total", "", ""), sentTo)
		}
	})
}

// summary returns a summary, by the value of a label.
func (w *testWorld) summary(name, label, value string) (sum float64, count uint64) {
	families, err := w.current.Load().registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetName() == label && l.GetValue() == value {
					return m.GetSummary().GetSampleSum(), m.GetSummary().GetSampleCount()
				}
			}
		}
	}
	return 0, 0
}

func TestRoutersBeyondTheBoundAreCountedAndNotTold(t *testing.T) {
	var y way
	for i := range mostRouters + 6 {
		addr := addrs("203.0.113.9")[0]
		for range i {
			addr = addr.Next()
		}
		s := &icmplib.Snapshot{}
		s.Hops = []icmplib.Hop{{Distance: 1, Address: addr}, {Distance: 2}}
		s.Results = []icmplib.Result{
			{TTL: 1, Sent: time.Unix(1, 0), Status: icmplib.StatusTTLExpired, RTT: time.Millisecond},
			{TTL: mostHops + 1, Sent: time.Unix(1, 0), Status: icmplib.StatusTTLExpired},
			{TTL: 2, Sent: time.Unix(1, 0), Status: icmplib.StatusNoReply},
			{TTL: 2, Status: icmplib.StatusNetworkUnreachable},
		}
		y.take(s)
	}
	if y.cut != 6 || len(y.routers) != mostRouters || len(y.hops) != 2 {
		t.Errorf("%d were cut, %d are told, of %d hops", y.cut, len(y.routers), len(y.hops))
	}
	if h := y.hops[1]; h.sent != mostRouters+6 || h.answered != 0 {
		t.Errorf("the silent hop has %+v", h)
	}
	told := false
	for _, m := range y.figures(nil, nil) {
		f := m.(*figure)
		if f.metric == hopRouterGauge {
			told = true
			if got := f.labels[len(f.labels)-1].GetValue(); got != "other" {
				t.Errorf("who answers now is told as %q", got)
			}
		}
	}
	if !told {
		t.Error("who answers is not told")
	}
}

func TestThePathMTUIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, `
			client 203.0.113.9
			node r 203.0.113.1 mtu=1400
			node h 192.0.2.1
			node deaf 192.0.2.2 deaf@all
			path 192.0.2.1/32 r h
			path 192.0.2.2/32 r deaf
		`)
		w.use("targets: [{hosts: [192.0.2.1, 192.0.2.2], path_mtu_interval: 1h}]\nmodules: {icmp: {count: 1, path_mtu: true, route: true}}")
		defer w.close()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := w.figures("icmp_path_mtu_bytes", "address"); got["192.0.2.1"] != 1400 || len(got) != 1 {
			t.Errorf("path MTUs are %v", got)
		}
		if got := w.figures("icmp_path_mtu_failures_total", "address"); got["192.0.2.1"] != 0 || got["192.0.2.2"] != 1 {
			t.Errorf("failures: %v", got)
		}
		code, text := w.ask(t, "target=192.0.2.1", "25")
		for _, want := range []string{"\nprobe_path_mtu_bytes 1400\n", "\nprobe_route_hops 2\n", "\nprobe_route_reached 1\n"} {
			if code != 200 || !strings.Contains(text, want) {
				t.Errorf("%d: no %q in %s", code, want, text)
			}
		}
	})
}

// Every metric is told of somebody.
func TestEachMetricIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, troubled)
		w.names.set("h.example", addrs("192.0.2.1"))
		w.names.takes = time.Millisecond
		w.use("defaults: {timeout: 500ms, trace_on_trouble: true, route_interval: 1s, path_mtu_interval: 1h, new_id_after: 5}\ntargets: [{hosts: [h.example]}]")
		defer w.close()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		for _, m := range allMetrics {
			if len(w.figures(m.name, "")) == 0 && m != sendErrorsTotal && m != pathMTUGauge && m != blackHolesGauge {
				t.Errorf("%s is not told", m.name)
			}
		}
	})
}
