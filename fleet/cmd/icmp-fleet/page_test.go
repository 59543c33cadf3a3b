package main

import (
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// fastMesh has a round a second.
var fastMesh = wire.Mesh{Every: policy.Duration(time.Second), Count: 12, Timeout: policy.Duration(50 * time.Millisecond)}

// servedLab is a lab with a page, a lossy pair, a host that is away, and a job.
func servedLab(t *testing.T, p *page) *lab {
	t.Helper()
	l := newLab(t, hub.Config{Mesh: fastMesh})
	for name, addr := range map[string]string{"ams1": "10.9.0.1", "fra1": "10.9.0.2", "nyc1": "10.8.0.1", "sin1": "10.7.0.1"} {
		l.agent(name, func(o *agentOptions) { o.enrollment.Address = netip.MustParseAddr(addr) })
	}
	l.mustRun(0, "sweep", "10.9.0.0/23", "-i", "10ms")
	l.until("rounds of all", func() bool {
		rounds := l.hub.Mesh().Rounds()
		for _, r := range rounds {
			if r.Seq < 6 || len(r.Pairs) < 3 {
				return false
			}
		}
		return len(rounds) == 4
	})
	stop, err := p.serve(l.hub, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return l
}

func fetch(t *testing.T, url, host, password string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if password != "" {
		r.SetBasicAuth("", password)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestThePageAnswersWhoMayAsk(t *testing.T) {
	p := &page{address: "127.0.0.1:0"}
	servedLab(t, p)
	for path, says := range map[string]string{
		"": "icmp-fleet", "uplot.js": "uPlot", "uplot-LICENSE.txt": "MIT", "healthz": "ok",
		"api/view": `"ams1"`, "api/jobs": `"finished"`, "api/mesh": `"pairs"`, "api/pair?a=ams1&b=nyc1&since=10m": `"ways":[{"peer":"nyc1"`,
		"metrics":         `icmp_fleet_agent_up{agent="ams1",site="ams1"} 1`,
		"metrics?":        `icmp_fleet_agent_state{agent="ams1",state="ready"} 1`,
		"metrics?pairs=1": `icmp_fleet_mesh_loss_ratio{agent="ams1",peer="sin1"} 1`,
	} {
		if code, text := fetch(t, p.url+path, "", ""); code != 200 || !strings.Contains(text, says) {
			t.Errorf("%s: %d, without %q: %.200s", path, code, says, text)
		}
	}
	if _, text := fetch(t, p.url+"metrics", "", ""); strings.Contains(text, "loss_ratio") {
		t.Error("pairs that nobody asked for")
	}
	if code, _ := fetch(t, p.url+"api/pair?a=../x&b=y", "", ""); code != 400 {
		t.Error("a name that is none:", code)
	}
	if code, _ := fetch(t, p.url+"api/view", "evil.example", ""); code != 403 {
		t.Error("another name for this machine:", code)
	}
}

func TestThePageWithAPassword(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	p := &page{address: "127.0.0.1:0", passwordFile: writeFile(t, "secret\n")}
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	stop, err := p.serve(l.hub, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for password, want := range map[string]int{"": 401, "wrong": 401, "secret": 200} {
		if code, _ := fetch(t, p.url+"api/view", "hub.example", password); code != want {
			t.Errorf("%q: %d, want %d", password, code, want)
		}
	}
	for _, address := range []string{"0.0.0.0:8222", ":8222", "hub.example:8222"} {
		if (&page{address: address}).check() == nil {
			t.Errorf("%s needs no password", address)
		}
	}
	if err := os.WriteFile(p.passwordFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p.check() == nil {
		t.Error("an empty password is one")
	}
}
