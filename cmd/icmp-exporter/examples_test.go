package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// documents reads all YAML documents that match a pattern below docs/examples.
func documents(t *testing.T, pattern string) (all []map[string]any) {
	t.Helper()
	files, err := filepath.Glob("../../docs/examples/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing matches %s: %v", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
			var doc map[string]any
			err := d.Decode(&doc)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, doc)
		}
	}
	return all
}

func TestTheManifestsAreWhole(t *testing.T) {
	configured := false
	for _, doc := range documents(t, "kubernetes/*.yaml") {
		if doc["apiVersion"] == nil || doc["kind"] == nil || doc["metadata"] == nil {
			t.Errorf("something is missing in %v", doc)
		}
		if doc["kind"] != "ConfigMap" {
			continue
		}
		configured = true
		text := doc["data"].(map[string]any)["icmp-exporter.yaml"].(string)
		if _, err := settingsOf(text); err != nil {
			t.Errorf("the configuration of the manifest: %v", err)
		}
	}
	if !configured {
		t.Error("no manifest has a configuration")
	}
}

// metricNames are all that the exporter has.
func metricNames(t *testing.T) []string {
	t.Helper()
	names := []string{rttName}
	for _, m := range allMetrics {
		names = append(names, m.name)
	}
	families, err := newDaemon("", nil, nil, newHostFiles("", nil)).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		names = append(names, f.GetName())
	}
	return names
}

func TestTheDocumentationNamesTheMetricsThatThereAre(t *testing.T) {
	names := metricNames(t)
	named := map[string]bool{}
	for _, file := range []string{"exporter.md", "examples/exporter/alerts.yaml"} {
		text, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range regexp.MustCompile(`\bicmp_[a-z_]+[a-z]\b`).FindAllString(string(text), -1) {
			named[word] = true
			if !slices.Contains(names, regexp.MustCompile("_(bucket|sum|count)$").ReplaceAllString(word, "")) {
				t.Errorf("%s names %s, which there is not", file, word)
			}
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "icmp_") && !named[name] {
			t.Errorf("%s is not documented", name)
		}
	}
}

func TestTheRulesAreRight(t *testing.T) {
	documents(t, "exporter/*.yaml")
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: Debian has it in the package prometheus")
	}
	for _, args := range [][]string{
		{"check", "rules", "alerts.yaml", "recording.yaml"}, {"check", "config", "prometheus.yaml"}, {"test", "rules", "alerts_test.yaml"},
	} {
		c := exec.Command(promtool, args...)
		c.Dir = "../../docs/examples/exporter"
		if said, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, said)
		}
	}
}
