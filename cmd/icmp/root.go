package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	code := exitCode(err)
	for _, message := range exitMessages(err) {
		fmt.Fprintln(stderr, "icmp:", message)
	}
	if code == exitUsage {
		fmt.Fprintln(stderr, "Try 'icmp --help'.")
	}
	return code
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "icmp",
		Short:         "Ask hosts whether they are there",
		SilenceErrors: true, // run prints them, with the exit code in mind
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.AddCommand(newPingCommand(), newMultipingCommand(), newTracerouteCommand(), newMTRCommand(), newProbeCommand(), newDoctorCommand())
	return root
}
