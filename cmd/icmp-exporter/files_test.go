package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// filesTest is a daemon with files of hosts, on a simulated network.
type filesTest struct {
	*testWorld
	*daemon
	dir string
}

func newFilesTest(t *testing.T, config string) *filesTest {
	f := &filesTest{testWorld: newTestWorld(t, answering), dir: t.TempDir()}
	f.write("exporter.yaml", config)
	path := filepath.Join(f.dir, "exporter.yaml")
	f.daemon = newDaemon(path, f.testWorld.exporter, f.testWorld.log, newHostFiles(path, f.testWorld.log))
	return f
}

// write writes a file whose stamp is another than before.
func (f *filesTest) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	time.Sleep(time.Second)
	if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
		f.t.Fatal(err)
	}
}

// probedNow has the files looked at, and returns which hosts have sent probes, by target.
func (f *filesTest) probedNow() []string {
	f.refresh()
	time.Sleep(5 * time.Second)
	synctest.Wait()
	return slices.Sorted(maps.Keys(f.figures("icmp_probes_sent_total", "target")))
}

func TestFilesOfHostsAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFilesTest(t, "targets:\n- hosts: [192.0.2.1]\n- files: [hosts/*.yaml, hosts/*.json]\n  labels: {site: x, kind: a}\n")
		if err := os.Mkdir(filepath.Join(f.dir, "hosts"), 0o700); err != nil {
			t.Fatal(err)
		}
		f.write("hosts/a.yaml", "- targets: [192.0.2.2, 192.0.2.1]\n  labels: {kind: b, __meta_x: y}\n")
		if err := f.load(); err != nil {
			t.Fatal(err)
		}
		defer f.testWorld.close()
		want := func(what string, hosts ...string) {
			t.Helper()
			if got := f.probedNow(); !slices.Equal(got, hosts) {
				t.Errorf("%s: probed are %q, want %q", what, got, hosts)
			}
		}
		want("at the start", "192.0.2.1", "192.0.2.2")
		if got := f.figures("icmp_up", "kind"); got["b"] != 2 || f.figures("icmp_up", "site")["x"] != 2 || f.figures("icmp_up", "__meta_x")[""] != 3 {
			t.Errorf("labels: %v", got)
		}
		before := f.figures("icmp_probes_sent_total", "target")
		f.write("hosts/b.json", "[\n\t{\"targets\": [\"192.0.2.3\", \"192.0.2.2\"], \"labels\": {\"kind\": \"b\", \"other\": \"z\"}}\n]\n")
		want("a file comes", "192.0.2.1", "192.0.2.2", "192.0.2.3")
		if after := f.figures("icmp_probes_sent_total", "target"); after["192.0.2.1"] < before["192.0.2.1"]+4 {
			t.Errorf("%v probes of a host that stays went to %v", before["192.0.2.1"], after["192.0.2.1"])
		}
		for _, wrong := range []string{"- targets: [192.0.2.9, a..b]\n", "- targets: [192.0.2.9]\n  lables: {}\n", "targets: [", "- targets: [192.0.2.9]\n  labels: {address: x}\n"} {
			f.write("hosts/a.yaml", wrong)
			want("a file is wrong", "192.0.2.1", "192.0.2.2", "192.0.2.3")
		}
		f.refresh() // which finds nothing new
		if n, right := testutil.ToFloat64(f.files.errors), testutil.ToFloat64(f.files.right); n != 4 || right != 0 {
			t.Errorf("%v errors, right is %v, want 4 and 0", n, right)
		}
		f.write("hosts/a.yaml", "- targets: [192.0.2.4]\n")
		want("it is right again", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
		if err := os.Remove(filepath.Join(f.dir, "hosts/b.json")); err != nil {
			t.Fatal(err)
		}
		want("a file goes", "192.0.2.1", "192.0.2.4")
		if right := testutil.ToFloat64(f.files.right); right != 1 {
			t.Errorf("right is %v, want 1", right)
		}
	})
}

func TestAMistakeInAFileOfHostsIsToldWhereItIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "exporter.yaml")
	for name, text := range map[string]string{
		"exporter.yaml": "targets: [{files: [wrong.json]}]", "wrong.json": "[{\"targets\": [\"a..b\"]}]", "pattern.yaml": "targets:\n- files: ['[']\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := load(file, newHostFiles(file, nil)); err == nil || !strings.Contains(err.Error(), "wrong.json: line 1") {
		t.Errorf("a wrong file: %v", err)
	}
	file = filepath.Join(dir, "pattern.yaml")
	if _, _, err := load(file, newHostFiles(file, nil)); err == nil || !strings.Contains(err.Error(), `line 2: "[" cannot be used`) {
		t.Errorf("a wrong pattern: %v", err)
	}
	if _, err := settingsOf("files_interval: 10ms\ntargets: [{files: [x]}]"); err == nil || !strings.Contains(err.Error(), "1s or more") {
		t.Errorf("looking too often: %v", err)
	}
}
