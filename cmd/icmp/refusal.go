package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// refuse tells what is wrong with a flag: its value, and what is allowed.
func refuse(flag string, value any, allowed string) error {
	return fmt.Errorf("--%s %v: %s is allowed", flag, value, allowed)
}

// explainFlag says the same of a value that is not even of the flag's type, and
// what to use in place of a flag that there is not.
func explainFlag(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return explainUnknown(cmd, unknown)
	}
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	flag, value := invalid.GetFlag(), fmt.Sprintf("%q", invalid.GetValue())
	refusal := fmt.Errorf("--%s %s: %w", flag.Name, value, invalid.Unwrap())
	switch flag.Value.Type() {
	case "int":
		refusal = refuse(flag.Name, value, "a whole number")
	case "uint32":
		refusal = refuse(flag.Name, value, "a whole number from 0 to 4294967295")
	case "uint64":
		refusal = refuse(flag.Name, value, "a whole number from 0 to 18446744073709551615")
	case "bool":
		refusal = refuse(flag.Name, value, "true or false")
	}
	if flag.Shorthand != "" {
		if said := explainTheirs(cmd.Name(), "-"+flag.Shorthand); said != "" {
			return fmt.Errorf("%w (%s)", refusal, said)
		}
	}
	return refusal
}

// explainUnknown says what a flag that there is not is called here.
func explainUnknown(cmd *cobra.Command, err *pflag.NotExistError) error {
	name := err.GetSpecifiedName()
	if group := err.GetSpecifiedShortnames(); group != "" {
		letter := name[:1]
		said := explainTheirs(cmd.Name(), "-"+group)
		if said == "" {
			said = explainTheirs(cmd.Name(), "-"+letter)
		}
		if said == "" {
			return err
		}
		return fmt.Errorf("there is no -%s here: %s", letter, said)
	}
	if said := explainTheirs(cmd.Name(), "--"+name); said != "" {
		return fmt.Errorf("there is no --%s here: %s", name, said)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(name, names); near != "" {
		return fmt.Errorf("%w: did you mean --%s?", err, near)
	}
	return err
}

// otherCommands are words for the commands that are neither names nor close to them.
var otherCommands = map[string]string{
	"fping": "multiping", "sweep": "multiping", "scan": "multiping", "tracert": "traceroute", "tracepath": "traceroute",
	"ping6": "ping", "traceroute6": "traceroute", "route": "traceroute", "watch": "mtr", "mtr-packet": "probe", "send": "probe",
	"check": "doctor", "diagnose": "doctor", "json": "schema", "version": "--version",
}

// unknownCommand wants no argument, and tells which command was meant.
func unknownCommand(cmd *cobra.Command, words []string) error {
	if len(words) == 0 {
		return nil
	}
	near := otherCommands[words[0]]
	if near == "" {
		var names []string
		for name, c := range commands {
			if !c().Hidden {
				names = append(names, name)
			}
		}
		near = nearest(words[0], names)
	}
	if near == "" {
		return fmt.Errorf("unknown command %q", words[0])
	}
	return fmt.Errorf("unknown command %q: did you mean icmp %s?", words[0], near)
}

// nearest returns the name that differs least from a word, "" if none is near.
func nearest(word string, names []string) string {
	slices.Sort(names)
	best, least := "", 3
	for _, name := range names {
		if len(word) > 2 && strings.HasPrefix(name, word) {
			return name
		}
		if d := distance(word, name); d < least && d*2 < len(word) {
			best, least = name, d
		}
	}
	return best
}

// distance returns how many letters have to be inserted, left out or changed to
// make b of a (Levenshtein), where two that changed places count once.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
