package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// looks is what a terminal can show.
type looks struct {
	unicode bool // else ASCII
	color   bool
	moving  bool // it can draw over what it has drawn
}

// looksOf goes by the environment: the character set of the locale, as POSIX
// orders its variables, NO_COLOR (no-color.org) and the kind of terminal.
func looksOf(env func(string) string) looks {
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale = env(name); locale != "" {
			break
		}
	}
	charset := strings.ToLower(locale)
	utf8 := strings.Contains(charset, "utf-8") || strings.Contains(charset, "utf8")
	kind := env("TERM")
	windows := env("WT_SESSION") != "" // Windows Terminal, where there is no locale
	return looks{
		unicode: (utf8 || windows) && kind != "linux", // whose font has not all of the blocks
		color:   env("NO_COLOR") == "" && kind != "dumb",
		moving:  (kind != "" || windows) && kind != "dumb",
	}
}

// looksFlags take from what the terminal can show.
type looksFlags struct {
	ascii   bool
	noColor bool
}

func (f *looksFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.ascii, "ascii", false, "draw with ASCII characters only")
	flags.BoolVar(&f.noColor, "no-color", false, "use no colours, like the environment variable NO_COLOR")
}

func (f *looksFlags) apply(l looks) looks {
	l.unicode = l.unicode && !f.ascii
	l.color = l.color && !f.noColor
	return l
}
