package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManCommand is for packagers, and is not listed.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages to a directory",
		Long: `Write a manual page of section 1 for each command to DIR, which is created if it
does not exist. The pages have the date of SOURCE_DATE_EPOCH if it is set, which
makes builds reproducible.`,
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
	date, err := manualDate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return notWritten(err)
	}
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd != root && !cmd.IsAvailableCommand() || cmd.IsAdditionalHelpTopicCommand() {
			continue
		}
		path := filepath.Join(dir, pageName(cmd)+".1")
		if err := os.WriteFile(path, []byte(manualPage(cmd, date)), 0o644); err != nil {
			return notWritten(err)
		}
	}
	return nil
}

// manualDate is the month of today, or of SOURCE_DATE_EPOCH.
func manualDate() (string, error) {
	now := time.Now()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return "", fmt.Errorf("man: SOURCE_DATE_EPOCH is %q: seconds since 1970 are allowed", epoch)
		}
		now = time.Unix(seconds, 0).UTC()
	}
	return now.Format("Jan 2006"), nil
}

// notWritten says that the system failed, and not the command line.
func notWritten(err error) error {
	if err == nil {
		return nil
	}
	return os.NewSyscallError("man", err)
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manualPage describes a command in the language of man(7). (What cobra brings for
// it takes a parser of Markdown along, whose tables every start of the tool would
// fill.)
func manualPage(cmd *cobra.Command, date string) string {
	var b strings.Builder
	name := pageName(cmd)
	fmt.Fprintf(&b, ".TH %q \"1\" %q \"icmplib\" \"icmplib Manual\"\n.nh\n", strings.ToUpper(name), date)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n\\fB%s\\fP\n.SH DESCRIPTION\n", roff(name), roff(cmd.Short), roff(cmd.UseLine()))
	long := cmd.Long
	if long == "" {
		long = cmd.Short
	}
	for i, paragraph := range strings.Split(long, "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(paragraph, " ") { // a table
			paragraph = ".nf\n" + roff(paragraph) + "\n.fi"
		} else {
			paragraph = roff(paragraph)
		}
		b.WriteString(paragraph + "\n")
	}
	cmd.InitDefaultHelpFlag()
	manualFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
	manualFlags(&b, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
	if cmd.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLE\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	manualSeeAlso(&b, cmd)
	return b.String()
}

func manualFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Deprecated != "" {
			return
		}
		b.WriteString(".TP\n")
		if flag.Shorthand != "" {
			fmt.Fprintf(b, "\\fB\\-%s\\fP, ", roff(flag.Shorthand))
		}
		value, usage := pflag.UnquoteUsage(flag)
		fmt.Fprintf(b, "\\fB\\-\\-%s\\fP", roff(flag.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fP", roff(value))
		}
		b.WriteString("\n" + roff(usage))
		switch flag.DefValue {
		case "", "0", "false", "[]":
		default:
			fmt.Fprintf(b, " (default %s)", roff(flag.DefValue))
		}
		b.WriteString("\n")
	})
}

// manualSeeAlso names the pages of the commands above and below.
func manualSeeAlso(b *strings.Builder, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageName(cmd.Parent()))
	}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			pages = append(pages, pageName(c))
		}
	}
	for i, page := range pages {
		if i == 0 {
			b.WriteString(".SH SEE ALSO\n")
		}
		separator := ","
		if i == len(pages)-1 {
			separator = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", roff(page), separator)
	}
}

// roff has text be shown as it is.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", "\\`", `^`, `\(ha`, `~`, `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
