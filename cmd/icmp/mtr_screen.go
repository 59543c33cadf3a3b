package main

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// show watches the targets on the terminal until its user quits, and returns
// what was there at last.
func (f *mtrFlags) show(ctx context.Context, watch live.Watch, targets []string) ([]*mtrOutcome, error) {
	m := live.New(f.screen(targets, os.Getenv))
	err := live.Run(ctx, m, live.Terminal{
		Out:     os.Stdout,
		Environ: os.Environ(),
		Watch:   watch,
		Options: f.monitorOptions,
	})
	if err != nil {
		return nil, err
	}
	outcomes := make([]*mtrOutcome, len(targets))
	for i, target := range targets {
		o := m.Outcome(i)
		outcomes[i] = &mtrOutcome{name: target, began: o.Began, last: o.Last, events: o.Events, err: o.Err, unsent: o.Unsent}
	}
	return outcomes, nil
}

// screen says what the view is to look like.
func (f *mtrFlags) screen(targets []string, env func(string) string) live.Config {
	c := live.Config{
		Targets:  targets,
		Settings: f.settings(),
		Probes:   f.probes,
		Interval: f.interval.String(),
		Mark:     responderMark,
		Colours:  !f.noColor && env("NO_COLOR") == "" && env("TERM") != "dumb",
		ASCII:    f.ascii || !drawsUnicode(env),
	}
	if !f.numeric {
		c.Name = newNameCache().get
	}
	return c
}

// drawsUnicode tells whether the locale is one of UTF-8, by the first of the
// variables that is set, as POSIX has it. Windows has none of them, and Unicode.
func drawsUnicode(env func(string) string) bool {
	for _, name := range [...]string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(env(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return runtime.GOOS == "windows"
}
