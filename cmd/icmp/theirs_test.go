package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the tables of docs/cli.md anew")

const cliPage = "../../docs/cli.md"

// theirTables are the tables of docs/cli.md: the options that are the same in one
// list, and a row for each other.
func theirTables() string {
	var b strings.Builder
	flags := regexp.MustCompile(`--[a-z]+[a-z0-9-]*( (0|do|dont|sctp)\b)?`)
	for _, command := range []string{"ping", "multiping", "traceroute", "mtr"} {
		tool := theirs[command]
		var equal []string
		var rows strings.Builder
		for _, o := range tool.options {
			names := "`" + strings.Join(o.names(), "`, `") + "`"
			if o.here == same {
				equal = append(equal, names)
				continue
			}
			fmt.Fprintf(&rows, "| %s | %s |\n", names, flags.ReplaceAllString(o.here, "`$0`"))
		}
		fmt.Fprintf(&b, "### %s, in icmp %s\n\nThe same: %s.\n\n", tool.tool, command, strings.Join(equal, ", "))
		fmt.Fprintf(&b, "| %s | here |\n|---|---|\n%s\n", tool.tool, rows.String())
	}
	return b.String()
}

func TestThePageHasAllOptionsOfOtherTools(t *testing.T) {
	page, err := os.ReadFile(cliPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(page), "<!-- theirs -->\n")
	got, after, ok := strings.Cut(rest, "<!-- end -->\n")
	if !ok {
		t.Fatalf("%s has no place for the tables", cliPage)
	}
	want := "\n" + theirTables()
	if *update {
		if err := os.WriteFile(cliPage, []byte(before+"<!-- theirs -->\n"+want+"<!-- end -->\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s is not what go test -run TestThePage ./icmp -update writes", cliPage)
	}
}

// What stands in the tables is true: flags that are the same are there, under the
// same letter, and those to use instead are, too.
func TestTheFlagsThatTheTablesNameAreThere(t *testing.T) {
	root := newRootCommand(nil)
	all := map[string]*pflag.FlagSet{}
	for _, cmd := range root.Commands() {
		cmd.InitDefaultHelpFlag()
		all[cmd.Name()] = cmd.Flags()
	}
	for command, tool := range theirs {
		flags := all[command]
		for _, o := range tool.options {
			for _, name := range o.names() {
				found := false
				switch long, isLong := strings.CutPrefix(name, "--"); {
				case isLong:
					found = flags.Lookup(long) != nil
				case len(name) == 2:
					found = flags.ShorthandLookup(name[1:]) != nil
				}
				if found != o.isSame() {
					t.Errorf("%s %s: it is there: %v, and the table says %q", command, name, found, o.here)
				}
			}
			checkNamedFlags(t, all, command, o)
		}
	}
}

// checkNamedFlags wants each --x of a sentence to be a flag of the command, or of the
// one that is named before it.
func checkNamedFlags(t *testing.T, all map[string]*pflag.FlagSet, command string, o theirOption) {
	t.Helper()
	others := regexp.MustCompile(`icmp ([a-z]+)`).FindAllStringSubmatch(o.here, -1)
	for _, flag := range regexp.MustCompile(`--([a-z0-9-]+)`).FindAllStringSubmatch(o.here, -1) {
		found := all[command].Lookup(flag[1]) != nil
		for _, other := range others {
			found = found || all[other[1]] != nil && all[other[1]].Lookup(flag[1]) != nil
		}
		if !found {
			t.Errorf("%s %s: there is no --%s", command, o.flags, flag[1])
		}
	}
	if !o.isSame() && !strings.HasPrefix(o.here, "as --") && !strings.HasPrefix(o.here, "no: ") {
		t.Errorf("%s %s: %q says neither what to use nor why there is none", command, o.flags, o.here)
	}
}

// No option of the tools that are installed here is missing.
func TestTheTablesAreComplete(t *testing.T) {
	for command, help := range map[string][]string{"ping": {"ping", "-h"}, "multiping": {"fping", "-h"}, "traceroute": {"traceroute", "--help"}, "mtr": {"mtr", "--help"}} {
		path, err := exec.LookPath(help[0])
		if err != nil {
			t.Logf("there is no %s here", help[0])
			continue
		}
		text, _ := exec.CommandContext(t.Context(), path, help[1:]...).CombinedOutput() // ping ends with an error
		known := map[string]bool{}
		for _, o := range theirs[command].options {
			for _, name := range o.names() {
				known[name] = true
			}
		}
		for line := range strings.Lines(string(text)) {
			option := regexp.MustCompile(`^ +(-[A-Za-z0-9]{1,2})(?:[ ,]|$)|^ +(--[a-z-]+)`).FindStringSubmatch(line)
			if option == nil {
				continue
			}
			if name := option[1] + option[2]; !known[name] {
				t.Errorf("%s of %s is not in the table", name, help[0])
			}
		}
	}
}

func TestEveryCommandTellsItsVersion(t *testing.T) {
	eachCommand(func(cmd *cobra.Command) {
		words := strings.Fields(cmd.CommandPath())[1:]
		got := runLine(t.Context(), append(words, "--version")...)
		got.checkOutput(t, exitAlive, `^icmp .* go[0-9.]+`)
	})
	for _, line := range []string{"ping -V", "multiping -v", "traceroute -V", "mtr -v"} {
		runLine(t.Context(), strings.Fields(line)...).checkOutput(t, exitAlive, `^icmp `)
	}
}

func TestTheNearestNameIsFound(t *testing.T) {
	names := slices.Sorted(maps.Keys(commands))
	for word, want := range map[string]string{
		"pong": "ping", "png": "ping", "tracroute": "traceroute", "trace": "traceroute", "mtrr": "mtr", "multipnig": "multiping", "xyz": "", "p": "", "docter": "doctor",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}
