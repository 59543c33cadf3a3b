package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

const loopbackConfig = `
defaults: {interval: 10ms, timeout: 1m}
targets:
- hosts: [127.0.0.1, "::1", localhost]
`

func TestTheServiceTellsWhatBecameOfRealProbes(t *testing.T) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
	}{
		{"as root", netlab.Config{}},
		{"without privileges", netlab.Config{Unprivileged: true, PingGroups: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, tt.lab, func(t *testing.T) {
				s := startService(t, loopbackConfig)
				text := s.until(t,
					`icmp_probes_answered_total\{address="127.0.0.1",protocol="icmp",target="127.0.0.1"\} [1-9]`,
					`icmp_probes_answered_total\{address="::1",protocol="icmp",target="::1"\} [1-9]`,
					`icmp_rtt_seconds_count\{address="127.0.0.1",protocol="icmp",target="localhost"\} [1-9]`,
					`icmp_up\{address="::1",protocol="icmp",target="::1"\} 1`,
					`icmp_prober_received_total [1-9]`,
					`icmp_config_last_reload_successful 1`,
				)
				if !strings.Contains(text, `icmp_probes_lost_total{address="127.0.0.1",protocol="icmp",reason="no-reply",target="127.0.0.1"} 0`) {
					t.Errorf("there is loss on loopback:\n%s", text)
				}
				if s.get(t, "/healthz") != "ok\n" || !strings.Contains(s.get(t, "/"), "/metrics") {
					t.Error("the other pages are not as they should be")
				}
				s.end()
				if code := <-s.code; code != exitOK {
					t.Errorf("it ended with code %d", code)
				}
			})
		})
	}
}

func TestAReloadTakesWhatIsRightAndKeepsToTheOldElse(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		s := startService(t, loopbackConfig)
		s.write(t, "targets: 7")
		s.reload <- os.Interrupt // which signal it was does not matter here
		s.until(t, `icmp_config_last_reload_successful 0`, `icmp_up\{address="::1",protocol="icmp",target="::1"\} 1`)
		s.write(t, loopbackConfig+"- hosts: [127.0.0.9]\n")
		s.reload <- os.Interrupt
		s.until(t, `icmp_config_last_reload_successful 1`, `icmp_up\{address="127.0.0.9",protocol="icmp",target="127.0.0.9"\} 1`)
		s.end()
		if code := <-s.code; code != exitOK {
			t.Errorf("it ended with code %d", code)
		}
	})
}

func TestThatProbingIsNotPermittedIsSaidAtTheStart(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "exporter.yaml")
		if err := os.WriteFile(file, []byte(loopbackConfig), 0o600); err != nil {
			t.Fatal(err)
		}
		var stderr strings.Builder
		code := run(t.Context(), []string{"--config", file, "--listen", "127.0.0.1:0"}, nil, io.Discard, &stderr)
		if code != exitSystem || !strings.Contains(stderr.String(), "target 127.0.0.1") || !strings.Contains(stderr.String(), "ping_group_range") {
			t.Errorf("code %d: %s", code, stderr.String())
		}
	})
}

func TestTheCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "exporter.yaml")
	if err := os.WriteFile(file, []byte(loopbackConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("targets:\n- hosts: [a..b]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"a right configuration", []string{"--check-config", "--config", file}, exitOK, "is right: 3 targets", ""},
		{"a wrong one", []string{"--check-config", "--config", wrong}, exitUsage, "", "wrong.yaml: line 2"},
		{"a wrong one to run", []string{"--config", wrong}, exitUsage, "", "wrong.yaml: line 2"},
		{"one that is not there", []string{"--config", file + "x"}, exitUsage, "", "cannot read the configuration"},
		{"an unknown flag", []string{"--fast"}, exitUsage, "", "unknown flag: --fast"},
		{"an argument", []string{"192.0.2.1"}, exitUsage, "", "no arguments, only flags"},
		{"help", []string{"--help"}, exitOK, "", "--check-config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			code := run(t.Context(), tt.args, nil, &stdout, &stderr)
			if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}

func TestTheMetricsAreAsPrometheusWantsThem(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		t.Run("by the client library", func(t *testing.T) {
			registry, s := series1(t)
			r := result(0, 0, 0)
			for r.Status = 1; r.Status.String() != "send-error"; r.Status++ {
				s.add(&r)
			}
			problems, err := testutil.GatherAndLint(registry)
			if err != nil || len(problems) > 0 {
				t.Errorf("%v %v", problems, err)
			}
		})
		t.Run("by promtool", func(t *testing.T) {
			promtool, err := exec.LookPath("promtool")
			if err != nil {
				t.Skip("promtool is not installed: Debian has it in the package prometheus")
			}
			s := startService(t, loopbackConfig+"classic_buckets: [0.001, 0.1]\n")
			check := exec.Command(promtool, "check", "metrics")
			check.Stdin = strings.NewReader(s.until(t, `icmp_rtt_seconds_bucket\{.*le="0.1"\} [1-9]`))
			if said, err := check.CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("%v\n%s", err, said)
			}
			s.end()
			<-s.code
		})
	})
}
