package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand is for who makes a package of the tool, and is not listed.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a directory",
		Long: `Write a manual page for each command, of section 1, into a directory, which is
made if there is none. The pages bear the date of SOURCE_DATE_EPOCH where that is
set, so that a package can be built again and be the same.`,
		Example: "  icmp man /usr/local/share/man/man1\n  man -l /usr/local/share/man/man1/icmp-ping.1",
		Hidden:  true,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) != 1 {
				return errors.New("man: one DIR is allowed, for the pages")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			return writeManual(cmd.Root(), words[0])
		},
	}
}

func writeManual(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return notWritten(err)
	}
	root.DisableAutoGenTag = true // which bears the date of today
	header := &doc.GenManHeader{Section: "1", Source: "icmplib", Manual: "icmplib Manual"}
	return notWritten(doc.GenManTree(root, header, dir))
}

// notWritten says that the system failed, and not the command line.
func notWritten(err error) error {
	if err == nil {
		return nil
	}
	return os.NewSyscallError("man", err)
}
