package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/goicmp/icmplib/fleet/policy"
)

// parses checks that a command line is one, as far as that is known without running it.
func parses(line string) error {
	words := strings.Fields(line)
	for i, w := range words {
		if w == ">" || w == "|" || w == ">>" {
			words = words[:i]
			break
		}
	}
	cmd, rest, err := newRoot(io.Discard, io.Discard).Find(words[1:])
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

var fencedYAML = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheCommandsOfTheDocumentationAreCommands(t *testing.T) {
	checked := 0
	page := read(t, "fleet.md")
	for line := range strings.Lines(page + strings.ReplaceAll(demoText, "%s", "X")) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "ExecStart=/usr/local/bin/"))
		if !strings.HasPrefix(line, "icmp-fleet ") {
			continue
		}
		if strings.Contains(line, "`") || strings.Contains(page, "\n"+line) {
			continue // prose
		}
		checked++
		if err := parses(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for line := range strings.Lines(read(t, "examples/fleet/icmp-fleet-agent.service")) {
		if start, ok := strings.CutPrefix(line, "ExecStart=/usr/local/bin/"); ok {
			checked++
			if err := parses(start); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if checked < 15 {
		t.Errorf("%d command lines were checked", checked)
	}
	if _, err := policy.Parse([]byte(fencedYAML.FindStringSubmatch(page)[1])); err != nil {
		t.Error(err)
	}
	// Each command's own examples.
	for _, cmd := range newRoot(io.Discard, io.Discard).Commands() {
		if cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.Name())
		}
		for line := range strings.Lines(cmd.Example) {
			if err := parses(line); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}

func TestTheManifestsAreWhole(t *testing.T) {
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "examples/fleet/kubernetes.yaml")))
	commands, policies := 0, 0
	for {
		var doc map[string]any
		err := decoder.Decode(&doc)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if doc["apiVersion"] == nil || doc["kind"] == nil || doc["metadata"] == nil {
			t.Errorf("something is missing in %v", doc)
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"command":(\[[^\]]*\])`).FindAllSubmatch(text, -1) {
			var words []string
			if err := json.Unmarshal(m[1], &words); err != nil {
				t.Fatal(err)
			}
			commands++
			if err := parses(strings.Join(words, " ")); err != nil {
				t.Errorf("%v: %v", words, err)
			}
		}
		if data, ok := doc["data"].(map[string]any); ok {
			policies++
			if _, err := policy.Parse([]byte(fmt.Sprint(data["policy.yaml"]))); err != nil {
				t.Error(err)
			}
		}
	}
	if commands != 2 || policies != 1 {
		t.Errorf("%d commands, %d policies", commands, policies)
	}
}

func TestTextOfTheNetworkIsPrintable(t *testing.T) {
	var b bytes.Buffer
	if _, err := (&printer{&b}).Write([]byte("a\x1b[2Jb\u202ec\n\td")); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "a\uFFFD[2Jb\uFFFDc\n\td" {
		t.Errorf("%q", got)
	}
}
