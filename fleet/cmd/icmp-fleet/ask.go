package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/wire"
)

// askCommands are the measurements of one target from everywhere.
func (c *command) askCommands() []*cobra.Command {
	var all []*cobra.Command
	for _, verb := range []struct{ kind, short string }{
		{"ping", "Ping a target from many agents"},
		{"traceroute", "Trace the routes to a target from many agents"},
		{"mtr", "Watch the routes to a target from many agents for some rounds"},
		{"mtu", "Find the path MTUs to a target from many agents"},
	} {
		all = append(all, c.askCommand(verb.kind, verb.short))
	}
	return all
}

func (c *command) askCommand(kind, short string) *cobra.Command {
	ask := &asking{command: c, measure: wire.Measure{Kind: kind}}
	cmd := &cobra.Command{
		Use: kind + " TARGET", Short: short, Args: cobra.ExactArgs(1),
		Long: short + `. Results are printed as they arrive, each with the
agent's name. The last lines name the agents that did not answer, and why; in JSON
their kind is "gap". Each agent resolves the name of the target itself.`,
		Example: "  icmp-fleet " + kind + " example.net --from eu,nyc1 --limit 5 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := ask.measure.Filled(); err != nil {
				return err
			}
			return c.asker(func(asker *client.Client) error { return ask.run(cmd.Context(), asker, args[0]) })
		},
	}
	measureFlags(cmd, &ask.measure)
	flags := cmd.Flags()
	flags.StringSliceVar(&ask.from, "from", nil, "`NAMES` of agents, sites or tags; the default is all")
	flags.IntVar(&ask.limit, "limit", 0, "maximum number of agents, from as many sites as possible")
	flags.BoolVar(&ask.json, "json", false, "print JSON, one line per result")
	flags.DurationVar(&ask.most, "deadline", 15*time.Minute, "how long to wait for all agents")
	return cmd
}

// asking is a question and how its answers are printed.
type asking struct {
	*command
	measure wire.Measure
	from    []string
	limit   int
	json    bool
	most    time.Duration // to wait for the agents

	dead  bool // a target did not answer somebody
	hosts []hostOf
	last  map[string]*icmplib.Snapshot
}

type hostOf struct {
	agent string
	host  *icmplib.Host
}

func (a *asking) run(ctx context.Context, asker *client.Client, target string) error {
	view, err := asker.View(ctx)
	if err != nil {
		return err
	}
	agents, err := client.Select(view, a.from, a.limit)
	if err != nil {
		return err
	}
	a.last = map[string]*icmplib.Snapshot{}
	ctx, cancel := context.WithTimeout(ctx, a.most)
	defer cancel()
	var broken error
	gaps, err := asker.Ask(ctx, agents, target, a.measure, func(answer client.Answer) {
		if err := a.print(answer); err != nil && broken == nil {
			broken = fmt.Errorf("an answer of %s cannot be read: %w", answer.Agent, err)
		}
	})
	a.printEnd(agents, gaps)
	if err != nil && ctx.Err() == nil || broken != nil {
		return errors.Join(err, broken)
	}
	if len(gaps) > 0 || a.dead {
		return errSome
	}
	return nil
}

// print prints an answer, or keeps it for the end.
func (a *asking) print(answer client.Answer) error {
	if a.json {
		fmt.Fprintf(a.out, "%s\n", wire.Tagged(answer.Body, answer.Agent, answer.Kind))
	}
	switch answer.Kind {
	case wire.KindResult:
		var r icmplib.Result
		return a.show(answer, &r, func() { fmt.Fprintf(a.out, "%-12s  %v\n", answer.Agent, r) })
	case wire.KindHost:
		host := &icmplib.Host{}
		return a.show(answer, host, func() {
			a.hosts = append(a.hosts, hostOf{answer.Agent, host})
			a.dead = a.dead || !host.IsAlive()
		})
	case wire.KindRoute:
		route := &icmplib.Route{}
		return a.show(answer, route, func() {
			a.printBlock(answer.Agent, route.String())
			a.dead = a.dead || !route.Reached
		})
	case wire.KindSnapshot:
		s := &icmplib.Snapshot{}
		return a.show(answer, s, func() {
			a.last[answer.Agent] = s
			for _, e := range s.Events {
				fmt.Fprintf(a.text(), "%-12s  %v\n", answer.Agent, e)
			}
		})
	case wire.KindMTU:
		report := &icmplib.MTUReport{}
		return a.show(answer, report, func() {
			a.printBlock(answer.Agent, report.String())
			a.dead = a.dead || !report.Reached
		})
	}
	return nil // hops are in the route, too
}

// text is where people's text goes: nowhere if JSON was asked for.
func (a *asking) text() io.Writer {
	if a.json {
		return io.Discard
	}
	return a.out // which is a printer
}

// show reads an answer and calls f, whose text is for people.
func (a *asking) show(answer client.Answer, v any, f func()) error {
	if answer.Kind == wire.KindResult && a.json {
		return nil
	}
	if err := json.Unmarshal(answer.Body, v); err != nil {
		return err
	}
	f()
	return nil
}

func (a *asking) printBlock(agent, text string) {
	fmt.Fprintf(a.text(), "%s:\n  %s\n", agent, strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  "))
}

// printEnd prints the summary, and who did not answer.
func (a *asking) printEnd(agents []wire.Member, gaps []client.Gap) {
	for _, m := range agents {
		if s := a.last[m.Name]; s != nil {
			a.printBlock(m.Name, s.Route.String())
			a.dead = a.dead || !s.Reached
		}
	}
	if len(a.hosts) > 0 && !a.json {
		fmt.Fprintln(a.out)
	}
	for _, h := range a.hosts {
		fmt.Fprintf(a.text(), "%-12s  %d of %d answered, %s\n", h.agent, h.host.PacketsReceived, h.host.PacketsSent, rttText(h.host))
	}
	for _, g := range gaps {
		if a.json {
			text, _ := json.Marshal(g) // of texts and a number
			fmt.Fprintf(a.out, `{"kind":"gap",%s`+"\n", text[1:])
		} else {
			fmt.Fprintf(a.out, "%-12s  no answer: %s\n", g.Agent, strings.TrimPrefix(g.String(), g.Agent+": "))
		}
	}
	fmt.Fprintf(a.errs, "%d of %d agents answered\n", len(agents)-len(gaps), len(agents))
}

func rttText(h *icmplib.Host) string {
	if !h.IsAlive() {
		return "no reply"
	}
	ms := func(d float64) string { return fmt.Sprintf("%.3f", d) }
	return ms(h.MinRTT().Seconds()*1000) + "/" + ms(h.AvgRTT().Seconds()*1000) + "/" + ms(h.MaxRTT().Seconds()*1000) + " ms min/avg/max"
}
