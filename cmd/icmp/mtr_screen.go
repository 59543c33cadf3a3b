package main

import (
	"context"
	"os"

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
	looks := f.looks.apply(looksOf(env))
	c := live.Config{
		Targets:  targets,
		Settings: f.settings(),
		Probes:   f.probes,
		Interval: f.interval.String(),
		Mark:     responderMark,
		Colours:  looks.color,
		ASCII:    !looks.unicode,
	}
	if !f.numeric {
		c.Name = newNameCache().get
	}
	return c
}
