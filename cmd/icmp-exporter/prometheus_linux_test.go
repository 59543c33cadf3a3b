package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// dashboardQueries returns what the dashboard asks, by the titles of its panels, with
// its variables filled in.
func dashboardQueries(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/examples/exporter/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	queries := map[string][]string{}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m", "$target", ".*")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries[p.Title] = append(queries[p.Title], variables.Replace(target.Expr))
		}
	}
	if len(queries) < 10 {
		t.Fatalf("there are %d panels", len(queries))
	}
	return queries
}

func TestTheDashboardAsksForMetricsThatThereAre(t *testing.T) {
	names := metricNames(t)
	for title, queries := range dashboardQueries(t) {
		for _, query := range queries {
			for _, word := range regexp.MustCompile(`\bicmp_[a-z_]+[a-z]\b`).FindAllString(query, -1) {
				known := false
				for _, name := range names {
					known = known || word == name || word == name+"_sum" || word == name+"_count"
				}
				if !known {
					t.Errorf("%s asks for %s, which there is not", title, word)
				}
			}
		}
	}
}

// failing is a way on which a router loses everything after a while, and a host beside
// it that answers on.
const failing = `
	client 192.0.2.1
	node r1 10.0.1.1 delay=1ms
	node r2 10.0.2.1 delay=1ms
	node r3 10.0.3.1 delay=1ms
	node near 10.0.8.8 delay=1ms
	node far 10.0.9.9 delay=3ms lose@150-
	path 10.0.8.0/24 r1 time:10s( r2 | r3 ) near
	path 10.0.9.0/24 r1 far
`

const failingConfig = `
classic_buckets: [0.001, 0.01, 0.1, 1]
defaults: {interval: 100ms, timeout: 500ms, trace_on_trouble: true}
targets:
- hosts: [10.0.8.8]
  route_interval: 1s
  path_mtu_interval: 1m
- hosts: [10.0.9.9]
`

// A real Prometheus scrapes a real exporter behind a router that fails, and evaluates
// the queries of the dashboard and the rules.
func TestARealPrometheusEvaluatesTheDashboardAndTheRules(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed: Debian has it in the package prometheus")
	}
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(failing), netlab.Device{}) }
	netlab.Test(t, netlab.Config{Setup: carry}, func(t *testing.T) {
		exporter := startService(t, failingConfig)
		p := startPrometheus(t, prometheus, strings.TrimPrefix(exporter.url, "http://"))
		p.until(t, `icmp_up{target="10.0.9.9"} == 0 and on() icmp_up{target="10.0.8.8"} == 1`)
		p.until(t, `rate(icmp_probes_sent_total{target="10.0.8.8"}[1m]) > 0`)
		for title, queries := range dashboardQueries(t) {
			for _, query := range queries {
				if n, err := p.ask(query); err != nil {
					t.Errorf("%s: %v", title, err)
				} else if n == 0 && strings.Contains(query, "sent_total") {
					t.Errorf("%s: nothing comes of %s", title, query)
				}
			}
		}
		p.until(t, `topk(1, 1 - sum by (target) (rate(icmp_probes_answered_total[1m])) / sum by (target) (rate(icmp_probes_sent_total[1m]))) > 0.1 and on (target) icmp_up{target="10.0.9.9"}`)
		for _, query := range []string{
			`increase(icmp_route_changes_total{target="10.0.8.8"}[5m]) > 0`,
			`increase(icmp_trouble_traces_total{target="10.0.9.9", reason="down", route="changed"}[5m]) > 0`,
			`icmp_hop_router_info{hop="2", router="10.0.3.1"}`,
			`rate(icmp_hop_rtt_seconds_sum{hop="3"}[1m]) / rate(icmp_hop_rtt_seconds_count{hop="3"}[1m]) > 0.001`,
			`icmp_path_mtu_bytes{target="10.0.8.8"} > 1000`,
			`target:icmp_route_changes:increase1h{target="10.0.8.8"} > 0`,
		} {
			p.until(t, query)
		}
		for _, title := range []string{"Route changes", "Length of routes", "Routers: loss and round-trip time by hop", "Hop limit of replies"} {
			for _, query := range dashboardQueries(t)[title] {
				p.until(t, query)
			}
		}
		if text := exporter.get(t, "/routes?target=10.0.9.9&format=text"); !strings.Contains(text, "10.0.9.9 (10.0.9.9), down: the trace ends at hop 1 (10.0.1.1)") {
			t.Errorf("/routes says %s", text)
		}
		p.until(t, `target:icmp_loss:ratio5m{target="10.0.9.9"} > 0`)
		p.until(t, `target:icmp_up:min == 0`)
		exporter.end()
		<-exporter.code
	})
}

// promServer is a Prometheus that runs.
type promServer struct{ url string }

// startPrometheus runs a server that scrapes an address every second, with the rules of
// the examples.
func startPrometheus(t *testing.T, program, scraped string) *promServer {
	t.Helper()
	dir := t.TempDir()
	examples, err := filepath.Abs("../../docs/examples/exporter")
	if err != nil {
		t.Fatal(err)
	}
	recording, err := os.ReadFile(filepath.Join(examples, "recording.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"recording.yaml": strings.ReplaceAll(string(recording), "interval: 30s", "interval: 1s"),
		"prometheus.yaml": fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [recording.yaml, %s/alerts.yaml]\n"+
			"scrape_configs: [{job_name: icmp, static_configs: [{targets: [%q]}]}]\n", examples, scraped),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const address = "127.0.0.1:9090" // of the namespace
	c := exec.CommandContext(t.Context(), program, "--config.file", filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path", filepath.Join(dir, "data"),
		"--web.listen-address", address, "--enable-feature=native-histograms", "--log.level=warn")
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
	})
	return &promServer{"http://" + address}
}

// ask evaluates a query and returns how many series it has.
func (p *promServer) ask(query string) (int, error) {
	response, err := http.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("%w: %s", err, body)
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", query, answer.Error)
	}
	return len(answer.Data.Result), nil
}

// until asks until a query has an answer.
func (p *promServer) until(t *testing.T, query string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var err error
	for range 600 {
		n := 0
		if n, err = p.ask(query); n > 0 {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s does not come: %v", query, err)
}
