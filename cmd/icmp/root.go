package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	checked := &output{out: stdout, fail: cancel}
	ctx = context.WithValue(ctx, outputKey{}, checked)
	if !isTerminal(stdout) {
		stdout = checked
	}
	args = printableArgs(args)
	cmd := newRootCommand(args)
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	executed, err := cmd.ExecuteContextC(ctx)
	code := exitCode(err)
	if failed := checked.failure(); failed != nil {
		err, code = failed, exitFailure
	}
	for _, message := range exitMessages(err) {
		fmt.Fprintln(stderr, "icmp:", message)
	}
	if code == exitUsage {
		fmt.Fprintf(stderr, "Try '%s --help'.\n", executed.CommandPath())
	}
	return code
}

const rootLong = `Find out whether hosts answer, how long they take, and which route packets take
to them. No privileges are needed where the system allows it; elsewhere, an error
names the command that allows it.

Times take a unit, such as 200ms, or are a number of seconds. A flag means the
same in every command, and so does a field of --json. Results go to standard
output, errors to standard error.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line is wrong, 4 no permission or a system error.`

const rootExamples = `  icmp ping example.net
  icmp traceroute example.net
  icmp multiping --alive 192.168.1.0/24
  icmp doctor`

// commands makes the commands, by their names.
var commands = map[string]func() *cobra.Command{
	"ping":       newPingCommand,
	"multiping":  newMultipingCommand,
	"traceroute": newTracerouteCommand,
	"mtr":        newMTRCommand,
	"probe":      newProbeCommand,
	"doctor":     newDoctorCommand,
	"schema":     newSchemaCommand,
	"completion": newCompletionCommand,
	"man":        newManCommand,
}

// newRootCommand makes the command for a command line. Where its first word names
// a command that needs no other, only that one is made: a ping that is one of
// thousands has no time for the flags of all.
func newRootCommand(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "icmp",
		Short:         "Find out whether hosts answer",
		Long:          rootLong,
		Example:       rootExamples,
		SilenceErrors: true, // run prints them, with the exit code in mind
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	if make := alone(args); make != nil {
		root.AddCommand(make())
		tellVersion(root)
		return root
	}
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		root.AddCommand(commands[name]())
	}
	describeHelp(root)
	tellVersion(root)
	completeFlags(root)
	return root
}

// alone returns what makes the only command that a command line needs, or nil.
func alone(args []string) func() *cobra.Command {
	if len(args) == 0 || args[0] == "man" || args[0] == "completion" {
		return nil // which are about all of them
	}
	return commands[args[0]]
}

// tellVersion gives all commands --version, with the letter of the tool after which
// each is called.
func tellVersion(cmd *cobra.Command) {
	letter := "V"
	if cmd.Name() == "multiping" || cmd.Name() == "mtr" {
		letter = "v"
	}
	cmd.Version = version()
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.Flags().BoolP("version", letter, false, "print the version")
	for _, sub := range cmd.Commands() {
		tellVersion(sub)
	}
}

// version is what this program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "icmp (unknown version)"
	}
	v := "icmp " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(len(s.Value), 12)]) {
			v += " " + s.Value
		}
	}
	return v + " " + info.GoVersion
}

// describeHelp gives cobra's own help what the other commands have.
func describeHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Example = "  icmp help ping"
			cmd.Args = func(_ *cobra.Command, words []string) error {
				if len(words) == 0 || slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == words[0] || c.HasAlias(words[0]) }) {
					return nil
				}
				return unknownCommand(root, words)
			}
		}
	}
}
