package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/wire"
)

func (c *command) meshCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "mesh", Short: "Show the mesh, in which every agent pings every other", Args: cobra.NoArgs,
		Example: "  icmp-fleet mesh show\n  icmp-fleet mesh explain fra1 nyc1",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(c.meshShow(), c.meshWatch(), c.meshExplain())
	return cmd
}

// meshPair is a pair, and the round in which it was measured.
type meshPair struct {
	From string    `json:"from"`
	Time time.Time `json:"time"`
	wire.Pair
}

// worstFirst orders pairs: errors, then loss, then the median RTT.
func worstFirst(a, b meshPair) int {
	broken := func(p meshPair) int {
		if p.Error != "" {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(broken(b), broken(a)), cmp.Compare(b.Loss, a.Loss), cmp.Compare(b.Median, a.Median),
		cmp.Compare(a.From, b.From), cmp.Compare(a.Peer, b.Peer))
}

// latest returns the pairs of the last round of each agent, the worst first, and which agents
// that are enrolled have none.
func latest(ctx context.Context, asker *client.Client) (pairs []meshPair, without []string, err error) {
	view, err := asker.View(ctx)
	if err != nil {
		return nil, nil, err
	}
	last := map[string]*wire.Round{}
	for round, err := range asker.Mesh(ctx, nil, 3*time.Duration(view.Fleet.Mesh.Every)+time.Minute) {
		if err != nil {
			return nil, nil, err
		}
		if old := last[round.Agent]; old == nil || old.Start.Before(round.Start) {
			last[round.Agent] = round
		}
	}
	for _, m := range view.Fleet.Agents {
		round := last[m.Name]
		if round == nil {
			without = append(without, m.Name)
			continue
		}
		for _, p := range round.Pairs {
			pairs = append(pairs, meshPair{m.Name, round.Start, p})
		}
	}
	slices.SortFunc(pairs, worstFirst)
	return pairs, without, nil
}

func (c *command) meshShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show", Short: "Show the last round of all pairs, worst first", Args: cobra.NoArgs,
		Example: "  icmp-fleet mesh show",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.asker(func(asker *client.Client) error { return c.showMesh(cmd.Context(), asker, asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line per pair")
	return cmd
}

func (c *command) showMesh(ctx context.Context, asker *client.Client, asJSON bool) error {
	pairs, without, err := latest(ctx, asker)
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(c.out)
		for _, p := range pairs {
			if err := encoder.Encode(p); err != nil {
				return err
			}
		}
	} else {
		table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "FROM\tTO\tLOSS\tMEDIAN ms\tP95 ms\tMAX ms\tJITTER ms\tAGE\t")
		for _, p := range pairs {
			age := time.Since(p.Time).Round(time.Second)
			if p.Error != "" {
				fmt.Fprintf(table, "%s\t%s\t%s\t\t\t\t\t%v\t\n", p.From, p.Peer, p.Error, age)
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%.1f %%\t%.3f\t%.3f\t%.3f\t%.3f\t%v\t\n", p.From, p.Peer, 100*p.Loss, p.Median, p.P95, p.Max, p.Jitter, age)
		}
		table.Flush()
	}
	if len(without) > 0 {
		fmt.Fprintf(c.errs, "no recent round of: %s\n", strings.Join(without, ", "))
		return errSome
	}
	return nil
}

func (c *command) meshWatch() *cobra.Command {
	return &cobra.Command{
		Use: "watch", Short: "Print each round as it arrives: a line per bad pair, and each new route", Args: cobra.NoArgs,
		Example: "  icmp-fleet mesh watch",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.asker(func(asker *client.Client) error {
				err := c.watchMesh(cmd.Context(), asker)
				if cmd.Context().Err() != nil {
					return nil
				}
				return err
			})
		},
	}
}

func (c *command) watchMesh(ctx context.Context, asker *client.Client) error {
	seen := map[string]time.Time{}
	for {
		for round, err := range asker.Mesh(ctx, nil, 5*time.Minute) {
			if err != nil {
				return err
			}
			if !round.Start.After(seen[round.Agent]) {
				continue
			}
			seen[round.Agent] = round.Start
			c.printRound(round)
		}
		if !wire.Sleep(ctx, 5*time.Second) {
			return nil
		}
	}
}

func (c *command) printRound(round *wire.Round) {
	at := round.Start.Local().Format(time.TimeOnly)
	bad := 0
	for _, p := range round.Pairs {
		if p.Bad() {
			bad++
			fmt.Fprintf(c.out, "%s  %s > %s  %.1f %% lost, median %.3f ms %s\n", at, round.Agent, p.Peer, 100*p.Loss, p.Median, p.Error)
		}
	}
	for _, r := range round.Routes {
		if r.Why != "unchanged" {
			_, text := readWay(r.Route)
			fmt.Fprintf(c.out, "%s  %s > %s  route (%s): %s\n", at, round.Agent, r.Peer, r.Why, text)
		}
	}
	fmt.Fprintf(c.out, "%s  %s: %d pairs, %d bad\n", at, round.Agent, len(round.Pairs), bad)
}

// readWay returns the way of a route in JSON, and its text with how it ended.
func readWay(route json.RawMessage) (way wire.Way, text string) {
	r := &icmplib.Route{}
	if err := json.Unmarshal(route, r); err != nil {
		return way, "cannot be read"
	}
	way = wire.WayOf(r)
	return way, fmt.Sprintf("%v (%v)", way, r.End)
}

func (c *command) meshExplain() *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use: "explain A B", Short: "Show what is wrong between two agents, and since when", Args: cobra.ExactArgs(2),
		Long: `Show what is wrong between two agents: loss and RTT in both directions over the last
hour, the paths there and back and their changes, and a new trace from each side.`,
		Example: "  icmp-fleet mesh explain fra1 nyc1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asker(func(asker *client.Client) error {
				return c.explain(cmd.Context(), asker, args[0], args[1], since)
			})
		},
	}
	cmd.Flags().DurationVar(&since, "since", time.Hour, "how far to look back")
	return cmd
}

func (c *command) explain(ctx context.Context, asker *client.Client, a, b string, since time.Duration) error {
	view, err := asker.View(ctx)
	if err != nil {
		return err
	}
	ends := []*wire.Member{view.Fleet.Member(a), view.Fleet.Member(b)}
	for i, name := range []string{a, b} {
		if ends[i] == nil {
			return fmt.Errorf("no agent is enrolled as %s", name)
		}
	}
	stories := [2]*story{{from: a, to: b}, {from: b, to: a}}
	for round, err := range asker.Mesh(ctx, []string{a, b}, since) {
		if err != nil {
			return err
		}
		for _, s := range stories {
			s.add(round)
		}
	}
	incomplete := false
	for i, s := range stories {
		s.print(c)
		to := ends[1-i]
		if !to.Address.IsValid() {
			fmt.Fprintf(c.out, "  now: the address of %s is not known\n", s.to)
			incomplete = true
			continue
		}
		gaps, err := asker.Ask(ctx, []wire.Member{*ends[i]}, to.Address.String(), wire.Measure{Kind: "traceroute"}, func(answer client.Answer) {
			if answer.Kind == wire.KindRoute {
				fmt.Fprintf(c.out, "  now%s\n", s.route("", answer.Body))
			}
		})
		if err != nil {
			return err
		}
		for _, g := range gaps {
			fmt.Fprintf(c.out, "  now: not known, %v\n", g)
			incomplete = true
		}
	}
	if incomplete || stories[0].bad()+stories[1].bad() > 0 {
		return errSome
	}
	return nil
}

// story is what happened from one agent to another.
type story struct {
	from, to string
	pairs    []meshPair
	routes   []wire.PairRoute
	way      wire.Way // all that is known of the last one
}

func (s *story) add(round *wire.Round) {
	if round.Agent != s.from {
		return
	}
	for _, p := range round.Pairs {
		if p.Peer == s.to {
			s.pairs = append(s.pairs, meshPair{s.from, round.Start, p})
		}
	}
	for _, r := range round.Routes {
		if r.Peer == s.to {
			s.routes = append(s.routes, r)
		}
	}
}

func (s *story) bad() (n int) {
	for i := range s.pairs {
		if s.pairs[i].Bad() {
			n++
		}
	}
	return n
}

func (s *story) print(c *command) {
	fmt.Fprintf(c.out, "%s > %s\n", s.from, s.to)
	if len(s.pairs) == 0 {
		fmt.Fprintf(c.out, "  %s has not pinged %s\n", s.from, s.to)
		return
	}
	sent, received := 0, 0
	for _, p := range s.pairs {
		sent, received = sent+p.Sent-p.Unsettled, received+p.Received
	}
	last := s.pairs[len(s.pairs)-1]
	fmt.Fprintf(c.out, "  %d rounds, %d of them bad; %d of %d packets answered; last round %.1f %% lost, median %.3f ms\n",
		len(s.pairs), s.bad(), received, sent, 100*last.Loss, last.Median)
	begun := time.Time{}
	for i := range s.pairs {
		p := &s.pairs[i]
		switch {
		case p.Bad() && begun.IsZero():
			begun = p.Time
			fmt.Fprintf(c.out, "  %s  loss begins: %.1f %% %s\n", p.Time.Local().Format(time.DateTime), 100*p.Loss, p.Error)
		case !p.Bad() && !begun.IsZero():
			fmt.Fprintf(c.out, "  %s  loss is over, after %v\n", p.Time.Local().Format(time.DateTime), p.Time.Sub(begun).Round(time.Second))
			begun = time.Time{}
		}
	}
	for _, r := range s.routes {
		fmt.Fprintf(c.out, "  %s  route%s\n", r.Time.Local().Format(time.DateTime), s.route(r.Why, r.Route))
	}
}

// route returns why a route was told and its text, and remembers its way. Where it has changed
// is found here: an agent may count a hop that was silent once as a change.
func (s *story) route(why string, route json.RawMessage) string {
	way, text := readWay(route)
	distances := s.way.Changed(way)
	switch {
	case distances != nil:
		s.way, why = way, "changed at distance "+strings.Trim(fmt.Sprint(distances), "[]")
	case s.way.Known() == 0:
		s.way = way
	default:
		s.way = s.way.Join(way)
		if why == "changed" || why == "" {
			why = "as before"
		}
	}
	if why == "" {
		return ": " + text
	}
	return " (" + why + "): " + text
}
