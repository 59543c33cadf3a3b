package main

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

const probeConfigText = `
modules:
  icmp: {count: 2, interval: 10ms}
  v6: {family: ipv6, count: 1}
  tcp: {protocol: tcp, port: 9, count: 1}
`

// ask returns the status and the text of an answer of the handler.
func (w *testWorld) ask(t *testing.T, query, timeout string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?"+query, nil)
	if timeout != "" {
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeout)
	}
	answer := httptest.NewRecorder()
	newDaemon("", w.exporter, w.log, newHostFiles("", w.log)).routes().ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

func TestWhatIsAskedOfProbeIsRefusedWhereItCannotBe(t *testing.T) {
	w := newTestWorld(t, answering)
	w.use(probeConfigText + "probe: {allow: [192.0.2.0/24, 2001:db8::1], concurrent: 1}\n")
	w.names.set("inside.example", addrs("192.0.2.9"))
	w.names.set("outside.example", addrs("198.51.100.9"))
	for _, tt := range []struct {
		query string
		code  int
		says  string
	}{
		{"module=icmp", http.StatusBadRequest, "target: give the name"},
		{"target=" + strings.Repeat("a", 256), http.StatusBadRequest, "target:"},
		{"target=a%0ab", http.StatusBadRequest, "target:"},
		{"target=192.0.2.1&module=http_2xx", http.StatusBadRequest, `unknown module "http_2xx"`},
		{"target=198.51.100.1", http.StatusForbidden, "outside the prefixes"},
		{"target=outside.example", http.StatusForbidden, "outside the prefixes"},
		{"target=2001:db8::2", http.StatusForbidden, "outside the prefixes"},
	} {
		if code, text := w.ask(t, tt.query, ""); code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %s, want %d %q", tt.query, code, text, tt.code, tt.says)
		}
	}
	w.exporter.probing.Load().places <- struct{}{}
	if code, text := w.ask(t, "target=192.0.2.1", ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "too many probes") {
		t.Errorf("one more than there may be: %d %s", code, text)
	}
	<-w.exporter.probing.Load().places
	if code, _ := w.ask(t, "target=inside.example", ""); code != http.StatusOK {
		t.Errorf("an address within the prefixes: %d", code)
	}
	none := newTestWorld(t, answering)
	none.use("targets: [{hosts: [192.0.2.1]}]")
	if code, text := none.ask(t, "target=192.0.2.1", ""); code != http.StatusBadRequest || !strings.Contains(text, "add one below modules:") {
		t.Errorf("without modules: %d %s", code, text)
	}
	none.close()
	w.close()
}

func TestAProbeEndsBeforeItsScrape(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 10 * time.Second, "x": 10 * time.Second, "-1": 10 * time.Second, "NaN": 10 * time.Second,
		"10": 9500 * time.Millisecond, "0.4": 200 * time.Millisecond, "100": 25 * time.Second, "Inf": 25 * time.Second,
	} {
		if got := probeTime(header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// Scrapes that end before the answers come, and more of them than there may be: each has what
// is so by then, in its time, or an error.
func TestManyShortScrapesTellWhatIsSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, `
			client 203.0.113.9
			node near 192.0.2.1 delay=20ms
			node far 192.0.2.2 delay=300ms
			path 192.0.2.1/32 near
			path 192.0.2.2/32 far
		`)
		w.use("modules: {icmp: {count: 3, interval: 10ms}, slow: {count: 3, interval: 150ms}}\nprobe: {concurrent: 40}\n")
		defer w.close()
		wants := map[string][]string{
			"target=192.0.2.1":             {"probe_success 1", "probe_icmp_packets_sent 3", "probe_icmp_packets_received 3", "probe_icmp_packet_loss_ratio 0"},
			"target=192.0.2.2":             {"probe_success 0", "probe_icmp_packets_sent 3", "probe_icmp_packets_received 0", "probe_icmp_packet_loss_ratio 1"},
			"target=192.0.2.2&module=slow": {"probe_success 0", "probe_icmp_packets_sent 2", "probe_icmp_packets_received 0", "probe_icmp_packet_loss_ratio 1"},
			"target=192.0.2.1&module=slow": {"probe_success 1", "probe_icmp_packets_sent 2", "probe_icmp_packets_received 2", "probe_icmp_packet_loss_ratio 0"},
		}
		var all sync.WaitGroup
		var refused atomic.Int32
		for query, want := range wants {
			for range 15 {
				all.Go(func() {
					began := time.Now()
					code, text := w.ask(t, query, "0.4")
					if took := time.Since(began); took > 400*time.Millisecond {
						t.Errorf("%s: the answer took %v", query, took)
					}
					if code == http.StatusServiceUnavailable {
						refused.Add(1)
						return
					}
					for _, line := range want {
						if code != http.StatusOK || !strings.Contains(text, "\n"+line+"\n") {
							t.Errorf("%s: %d, no %s in\n%s", query, code, line, text)
						}
					}
				})
			}
		}
		all.Wait()
		if n := refused.Load(); n != 20 {
			t.Errorf("%d of 60 were refused, want those that are more than 40", n)
		}
	})
}

// A reload that takes other sockets says nothing of a target that is being probed.
func TestAProbeWhoseSocketsAreClosedFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.use("modules: {icmp: {count: 3, interval: 1s}}")
		time.AfterFunc(500*time.Millisecond, func() { w.use("prober: {rate: 100}\nmodules: {icmp: {count: 3, interval: 1s}}") })
		if code, text := w.ask(t, "target=192.0.2.1", ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "a reload") {
			t.Errorf("%d: %s", code, text)
		}
		if code, text := w.ask(t, "target=192.0.2.1", ""); code != http.StatusOK || !strings.Contains(text, "\nprobe_success 1\n") {
			t.Errorf("afterwards: %d: %s", code, text)
		}
		w.close()
	})
}

func TestProbesAreToldAsBlackboxExporterTellsThem(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		s := startService(t, probeConfigText)
		for query, patterns := range map[string][]string{
			"target=localhost&module=icmp": {
				`probe_success 1`, `probe_duration_seconds [0-9.e-]+`, `probe_dns_lookup_time_seconds [0-9.e-]+`, `probe_ip_protocol 4`, `probe_ip_addr_hash [0-9.e+]+`,
				`probe_icmp_duration_seconds\{phase="rtt"\} [0-9.e-]+`, `probe_icmp_duration_seconds\{phase="setup"\} `, `probe_icmp_duration_seconds\{phase="resolve"\} `,
				`probe_icmp_reply_hop_limit 64`, `probe_icmp_packets_sent 2`, `probe_icmp_packets_received 2`, `probe_icmp_packet_loss_ratio 0`, `probe_icmp_rtt_min_seconds `,
			},
			"target=::1&module=v6":        {`probe_success 1`, `probe_ip_protocol 6`},
			"target=127.0.0.1&module=tcp": {`probe_success 1`, `probe_icmp_packets_sent 1`},
			"target=192.0.2.1":            {`probe_success 0`, `probe_icmp_packet_loss_ratio 1`},
			"target=no..name":             {`probe_success 0`},
		} {
			text := s.get(t, "/probe?"+query)
			for _, p := range patterns {
				if !regexp.MustCompile("(?m)^" + p).MatchString(text) {
					t.Errorf("%s: no %s in\n%s", query, p, text)
				}
			}
		}
		s.end()
		<-s.code
	})
}

func TestTheDaemonIsReloadedAndToldOfByHTTP(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		s := startService(t, loopbackConfig)
		post := func() (int, string) {
			response, err := http.Post(s.url+"/-/reload", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			return response.StatusCode, string(body)
		}
		s.write(t, "targets: 7")
		if code, text := post(); code != http.StatusInternalServerError || !strings.Contains(text, "line 1") {
			t.Errorf("a wrong configuration: %d %s", code, text)
		}
		s.write(t, loopbackConfig+"- hosts: [127.0.0.9]\n")
		if code, text := post(); code != http.StatusOK {
			t.Errorf("a right one: %d %s", code, text)
		}
		s.until(t, `icmp_up\{address="127.0.0.9",protocol="icmp",target="127.0.0.9"\} 1`, `icmp_exporter_build_info\{goversion="go1[^}]+,revision="[^"]+",version="[^"]+"\} 1`)
		for path, want := range map[string]string{"/-/healthy": "ok\n", "/-/ready": "ready\n"} {
			if got := s.get(t, path); got != want {
				t.Errorf("%s says %q", path, got)
			}
		}
		if response, err := http.Get(s.url + "/-/reload"); err != nil || response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("a reload by GET: %v, %v", response, err)
		} else {
			response.Body.Close()
		}
		s.end()
		<-s.code
	})
	w := newTestWorld(t, answering)
	answer := httptest.NewRecorder()
	newDaemon("", w.exporter, w.log, newHostFiles("", w.log)).routes().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/-/ready", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("before a configuration it is ready: %d", answer.Code)
	}
}

func TestPasswordsAndTLSAreThoseOfAllExporters(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		dir := t.TempDir()
		write := func(name string, text []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		server := httptest.NewTLSServer(nil) // whose certificate will do
		server.Close()
		certificate := server.TLS.Certificates[0]
		key, err := marshalKey(certificate)
		if err != nil {
			t.Fatal(err)
		}
		hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		file := write("web.yaml", fmt.Appendf(nil, "tls_server_config: {cert_file: %q, key_file: %q}\nbasic_auth_users: {user: %q}\n",
			write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})), write("key.pem", key), hash))
		s := startService(t, loopbackConfig, "--web.config.file", file)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		for password, want := range map[string]int{"secret": http.StatusOK, "other": http.StatusUnauthorized} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(s.url, "http:", "https:", 1)+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("user", password)
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("with the password %q: %s", password, response.Status)
			}
		}
		s.end()
		<-s.code
	})
}

func TestTheModulesOfAConfiguration(t *testing.T) {
	s := mustSettings(t, "defaults: {timeout: 4s, interval: 9s}\n"+probeConfigText)
	for name, want := range map[string]icmplib.PingOptions{
		"icmp": {Count: 2, Interval: 10 * time.Millisecond, Timeout: 4 * time.Second},
		"v6":   {Count: 1, Interval: 100 * time.Millisecond, Timeout: 4 * time.Second, Family: icmplib.IPv6},
	} {
		got := s.probing.modules[name]
		if got == nil || got.ping.Count != want.Count || got.ping.Interval != want.Interval || got.ping.Timeout != want.Timeout || got.ping.Family != want.Family {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if got := cap(s.probing.places); got != 100 || len(s.probing.allow) != 2 {
		t.Errorf("%d probes at once to %v", got, s.probing.allow)
	}
	for text, want := range map[string]string{
		"modules: {a: {count: 0}}":                        "1 to 1000",
		"modules: {a: {count: 1001}}":                     "1 to 1000",
		"modules: {a: {ttl: 256}}":                        "module a: line 1: TTL is 256",
		"modules: {a: {port: 9}}":                         "module a: line 1: Port is 9",
		"modules: {a: {prober: icmp}}":                    `there is no field "prober" here: allowed are count, route, path_mtu, interval`,
		"modules: {a: {}}\nprobe: {concurrent: 0}":        "1 to 10000",
		"modules: {a: {}}\nprobe: {allow: [10.0.0.0/33]}": "a prefix such as",
		"modules: {a: {}}\nprobe: {alow: [10.0.0.0/8]}":   `allowed are allow, concurrent`,
	} {
		if _, err := settingsOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTooManyTargetsAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("targets:\n- hosts:\n")
	for i := range mostTargets + 1 {
		fmt.Fprintf(&b, "  - 10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	if _, err := settingsOf(b.String()); err == nil || !strings.Contains(err.Error(), "more than 50000: split them") {
		t.Errorf("%d targets: %v", mostTargets+1, err)
	}
	for option, most := range map[string]int{"trace_on_trouble: true": mostTraced, "route_interval: 10s": mostRouted, "path_mtu_interval: 1h": mostRouted} {
		hosts := strings.SplitAfterN(b.String(), "\n", most+4)
		for n, want := range map[int]bool{most: true, most + 1: false} {
			_, err := settingsOf("defaults: {" + option + "}\n" + strings.Join(hosts[:2+n], ""))
			if (err == nil) != want || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("up to %d are allowed", most)) {
				t.Errorf("%s for %d hosts: %v", option, n, err)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(file, make([]byte, mostText+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(file, newHostFiles(file, nil)); err == nil || !strings.Contains(err.Error(), "up to 16 MiB") {
		t.Errorf("a file of %d bytes: %v", mostText+1, err)
	}
}
