package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

// Exit codes, those of icmp.
const (
	exitAll     = 0 // every target answered everybody
	exitSome    = 1 // some did not, or some agent did not answer
	exitUsage   = 3 // the command line cannot be used
	exitFailure = 4 // the hub, or the system, failed
)

// errSome ends a command whose output has said everything.
var errSome = errors.New("not everything answered")

// failure is an error that is not the command line's.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed makes an error one of the hub's or the system's.
func failed(err error) error {
	if err == nil || errors.Is(err, errSome) {
		return err
	}
	return failure{err}
}

const rootLong = `Measure from many machines at once: ask all agents, or some, to ping or trace a
target; divide sweeps of millions of targets among them; watch the mesh, in which
every agent pings every other.

A fleet has one hub and any number of agents. icmp-fleet demo runs one on this
machine.

Exit codes: 0 everything answered, 1 something did not, 3 the command line is
wrong, 4 the hub or the system failed.`

// environment is where the token is looked for that --join does not name.
const environment = "ICMP_FLEET_TOKEN"

// defaultDir is where a hub keeps its data.
const defaultDir = "icmp-fleet-data"

// command is what all commands share.
type command struct {
	join    string
	verbose bool
	out     io.Writer
	errs    io.Writer
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var f failure
	switch {
	case err == nil:
		return exitAll
	case errors.Is(err, errSome):
		return exitSome
	case errors.As(err, &f):
		fmt.Fprintln(stderr, "icmp-fleet:", printable(err.Error()))
		return exitFailure
	}
	fmt.Fprintln(stderr, "icmp-fleet:", printable(err.Error()))
	fmt.Fprintln(stderr, "Try 'icmp-fleet --help'.")
	return exitUsage
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	c := &command{out: &printer{stdout}, errs: stderr}
	root := &cobra.Command{
		Use: "icmp-fleet", Short: "Measure from many machines at once", Long: rootLong,
		Example:      "  icmp-fleet demo\n  icmp-fleet ping example.net --from eu --limit 3",
		SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs, Version: version(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&c.join, "join", "", "token `FILE` printed by enroll; default $"+environment+", or that of a hub in ./"+defaultDir)
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "log more")
	root.AddCommand(c.hubCommand(), c.agentCommand(), c.demoCommand(),
		c.enrollCommand(), c.revokeCommand(), c.agentsCommand(), c.permissionsCommand())
	root.AddCommand(c.askCommands()...)
	root.AddCommand(c.sweepCommand(), c.jobsCommand(), c.cancelCommand(), c.resultsCommand(), c.meshCommand())
	return root
}

// version is that of the program, as it was built.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// token reads the token of whoever runs the command.
func (c *command) token() (*wire.Token, error) {
	file := c.join
	if file == "" {
		file = os.Getenv(environment)
	}
	if file == "" {
		file = filepath.Join(defaultDir, hub.AdminToken)
		if _, err := os.Stat(file); err != nil {
			return nil, errors.New("no token: give the file that icmp-fleet enroll printed with --join or $" + environment)
		}
	}
	return wire.ReadToken(file)
}

// asker connects as whoever runs the command.
func (c *command) asker(f func(*client.Client) error) error {
	token, err := c.token()
	if err != nil {
		return err
	}
	asker, err := client.Connect(token)
	if err != nil {
		return failed(err)
	}
	defer asker.Close()
	return failed(f(asker))
}

func (c *command) log() *slog.Logger {
	level := slog.LevelInfo
	if c.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c.errs, &slog.HandlerOptions{Level: level}))
}

// printer keeps what came from the network from reaching a terminal as control characters.
type printer struct{ w io.Writer }

func (p *printer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.w, printable(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
