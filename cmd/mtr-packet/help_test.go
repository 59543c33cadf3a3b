package main

import (
	"strings"
	"testing"
)

func TestHelpIsForWhoAsksForIt(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"--help"}, true},
		{[]string{"-h"}, true},
		{[]string{"whatever", "a program says"}, false},
	} {
		if got := wantsHelp(tt.args); got != tt.want {
			t.Errorf("%q: %v", tt.args, got)
		}
	}
}

// The examples are commands of the protocol.
func TestTheExamplesOfTheHelpAreCommands(t *testing.T) {
	tried := 0
	for line := range strings.Lines(help) {
		_, rest, quoted := strings.Cut(line, `echo "`)
		if !quoted {
			continue
		}
		tried++
		text, _, _ := strings.Cut(rest, `"`)
		c, ok := parseCommand(text)
		if !ok || c.name != "send-probe" && c.name != "check-support" {
			t.Errorf("%q is no command: %+v", text, c)
		}
	}
	if tried != 3 {
		t.Errorf("%d examples were found, want 3", tried)
	}
}
