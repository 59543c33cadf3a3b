package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// eachCommand calls f for all commands, the root and hidden ones included.
func eachCommand(f func(cmd *cobra.Command)) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		f(cmd)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand(nil))
}

func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	eachCommand(func(cmd *cobra.Command) {
		for what, text := range map[string]string{"Short": cmd.Short, "Long": cmd.Long, "Example": cmd.Example} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", cmd.CommandPath(), what)
			}
		}
		if strings.HasSuffix(cmd.Short, ".") || strings.Contains(cmd.Short, "\n") {
			t.Errorf("%s: the Short is a line without a full stop: %q", cmd.CommandPath(), cmd.Short)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > 100 {
				t.Errorf("%s: too wide for a terminal: %s", cmd.CommandPath(), line)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.HasPrefix(line, "  ") || !strings.Contains(line, "icmp") {
				t.Errorf("%s: an example is a command line that is indented by two spaces: %q", cmd.CommandPath(), line)
			}
		}
	})
}

// What stands in the examples of a command can be parsed.
func TestTheExamplesAreCommandLines(t *testing.T) {
	plain := regexp.MustCompile(`^  icmp ([a-z]+)( [^|<>$"]*)?$`) // no pipes and the like
	tried := 0
	eachCommand(func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSuffix(line, "\n")
			match := plain.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			tried++
			root := newRootCommand(nil)
			found, words, err := root.Find(strings.Fields(match[1] + match[2]))
			if err == nil {
				err = found.ParseFlags(words)
			}
			if err == nil && found.Args != nil {
				err = found.Args(found, found.Flags().Args())
			}
			if err != nil || found == root {
				t.Errorf("%s: %q: %v", cmd.CommandPath(), line, err)
			}
		}
	})
	if tried < 10 {
		t.Errorf("%d examples were tried: this test does not see them", tried)
	}
}

// namedAfterAnother are the commands whose letters are those of another tool of
// their name, so that hands which know it find them; their words are the same as
// everywhere.
var namedAfterAnother = []string{"multiping", "traceroute", "mtr"}

func TestAFlagIsTheSameInEveryCommand(t *testing.T) {
	type meaning struct{ command, letter, typ string }
	flags := map[string]meaning{}
	eachCommand(func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing of itself", cmd.CommandPath(), f.Name)
			}
			if regexp.MustCompile(`^[a-z]+(-[a-z]+)*[0-9]?$`).FindString(f.Name) == "" {
				t.Errorf("%s: --%s is not made of words with hyphens", cmd.CommandPath(), f.Name)
			}
			if f.Value.Type() == "duration" {
				t.Errorf("%s: --%s does not take plain seconds: durationVar makes such a flag", cmd.CommandPath(), f.Name)
			}
			known, seen := flags[f.Name]
			ownLetters := slices.Contains(namedAfterAnother, cmd.Name())
			switch {
			case seen && known.typ != f.Value.Type():
				t.Errorf("--%s is %s in %s and %s in %s", f.Name, f.Value.Type(), cmd.CommandPath(), known.typ, known.command)
			case ownLetters:
			case seen && known.letter != f.Shorthand:
				t.Errorf("--%s is %q in %s and %q in %s", f.Name, f.Shorthand, cmd.CommandPath(), known.letter, known.command)
			case !seen:
				flags[f.Name] = meaning{cmd.CommandPath(), f.Shorthand, f.Value.Type()}
			}
		})
	})
	if flags["timeout"].typ != (durationFlag{}).Type() {
		t.Errorf("--timeout is %+v: this test does not see the flags", flags["timeout"])
	}
}
