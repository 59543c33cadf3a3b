package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completions are what the scripts get when they ask the command itself.
func completions(t *testing.T, words ...string) (values []string, directive string) {
	t.Helper()
	got := runLine(t.Context(), append([]string{"__complete"}, words...)...)
	got.check(t, exitAlive)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	for _, line := range lines[:len(lines)-1] {
		value, _, _ := strings.Cut(line, "\t")
		values = append(values, value)
	}
	return values, lines[len(lines)-1]
}

func TestCompletion(t *testing.T) {
	const noFiles, files = ":4", ":0"
	for _, tt := range []struct {
		name      string
		line      string
		want      []string // that are among them; nil: there are none
		directive string
	}{
		{"commands", "", []string{"ping", "multiping", "traceroute", "probe", "doctor", "completion", "help"}, noFiles},
		{"the beginning of one", "tra", []string{"traceroute"}, noFiles},
		{"flags", "ping --int", []string{"--interval", "--interface"}, noFiles},
		{"kinds of socket", "ping --mode ", []string{"auto", "datagram", "raw"}, noFiles},
		{"the beginning of one of them", "multiping --mode d", []string{"datagram"}, noFiles},
		{"protocols", "traceroute --protocol ", []string{"icmp", "udp", "tcp", "sctp"}, noFiles},
		{"protocols by their letter", "probe -P ", []string{"icmp", "udp", "tcp", "sctp"}, noFiles},
		{"fragmentation", "ping -M ", []string{"do", "dont"}, noFiles},
		{"shells", "completion ", shells, noFiles},
		{"lists of targets are files", "multiping --file ", nil, files},
		{"a number is no file", "ping -c ", nil, noFiles},
		{"a time is no file", "ping --timeout ", nil, noFiles},
		{"a target is no file", "ping ", nil, noFiles},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, directive := completions(t, strings.Split(tt.line, " ")...)
			for _, want := range tt.want {
				if !slices.Contains(values, want) {
					t.Errorf("%q is not among %q", want, values)
				}
			}
			if tt.want == nil && len(values) > 0 {
				t.Errorf("got %q, want nothing", values)
			}
			if directive != tt.directive {
				t.Errorf("the shell is told %q, want %q", directive, tt.directive)
			}
		})
	}
	t.Run("interfaces", func(t *testing.T) {
		device := anInterface(t)
		for _, line := range [][]string{{"ping", "-I", ""}, {"ping", "--interface", ""}, {"traceroute", "-i", ""}} {
			if values, _ := completions(t, line...); !slices.Contains(values, device) {
				t.Errorf("%q: %q is not among %q", line, device, values)
			}
		}
	})
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			got := runLine(t.Context(), "completion", shell)
			got.check(t, exitAlive)
			if !strings.Contains(got.stdout, "__complete") || !strings.Contains(got.stdout, "icmp") {
				t.Errorf("it does not ask the command:\n%s", got.stdout)
			}
			path, err := exec.LookPath(shell)
			if err != nil || shell == "powershell" {
				t.Skipf("%s cannot be asked to read it", shell)
			}
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte(got.stdout), 0o600); err != nil {
				t.Fatal(err)
			}
			reader := exec.CommandContext(t.Context(), path, "-n", script)
			reader.Env = append(os.Environ(), "HOME=/nonexistent") // whose settings would be read
			if out, err := reader.CombinedOutput(); err != nil {
				t.Errorf("%s cannot read it: %v\n%s", shell, err, out)
			}
		})
	}
	for _, line := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}} {
		got := runLine(t.Context(), line...)
		got.check(t, exitUsage)
		if !strings.Contains(got.stderr, "bash, zsh, fish or powershell is allowed") {
			t.Errorf("%q: %s", line, got.stderr)
		}
	}
}
