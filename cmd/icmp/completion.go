package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const completionExamples = `  source <(icmp completion bash)
  icmp completion bash > /etc/bash_completion.d/icmp
  icmp completion zsh > "${fpath[1]}/_icmp"
  icmp completion fish > ~/.config/fish/completions/icmp.fish
  icmp completion powershell | Out-String | Invoke-Expression`

var shells = []string{"bash", "zsh", "fish", "powershell"}

var errShell = errors.New("completion: a SHELL is missing: bash, zsh, fish or powershell is allowed")

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a shell completion script",
		Long: `Print a script with which a shell completes commands, flags and their values.
SHELL is bash, zsh, fish or powershell. Load the script in a session, or install
it where the shell looks for such scripts.

bash needs the package bash-completion; zsh needs completion turned on:
autoload -U compinit; compinit.`,
		Example:   completionExamples,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) != 1 {
				return errShell
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch words[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return fmt.Errorf("%w, not %q", errShell, words[0])
		},
	}
}

// flagWords are the values that a flag can have, by its name: it has the same in
// all commands.
var flagWords = map[string][]string{
	"asn":      {"none", "dns"},
	"mode":     {"auto", "datagram", "raw"},
	"pmtudisc": {"do", "dont"},
	"protocol": {"icmp", "udp", "tcp", "sctp"},
	"service":  {"dns", "ntp", "quic"},
}

// completeFlags has the values of flags completed, throughout all commands. Of
// what is a number or a time there is nothing to complete, least of all the
// names of files.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if complete := completionOf(f); complete != nil {
			// It fails if the flag is completed already, or is not the command's.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
		}
	})
	if cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range cmd.Commands() {
		completeFlags(sub)
	}
}

func completionOf(f *pflag.Flag) cobra.CompletionFunc {
	switch f.Name {
	case "file", "svg", "record", "asn-db":
		return nil // as the shell completes it
	case "interface", "via":
		return completeInterface
	case "source":
		return completeSource
	}
	return cobra.FixedCompletions(flagWords[f.Name], cobra.ShellCompDirectiveNoFileComp)
}

func completeInterface(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	interfaces, _ := net.Interfaces() // without them there is nothing to offer
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeSource(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var addresses []string
	own, _ := net.InterfaceAddrs()
	for _, a := range own {
		if prefix, ok := a.(*net.IPNet); ok {
			addresses = append(addresses, prefix.IP.String())
		}
	}
	return addresses, cobra.ShellCompDirectiveNoFileComp
}
