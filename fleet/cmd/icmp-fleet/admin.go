package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

func (c *command) enrollCommand() *cobra.Command {
	var e wire.Enrollment
	var address string
	var asker, admin bool
	cmd := &cobra.Command{
		Use: "enroll NAME", Short: "Enroll an agent or an asker, and print its token", Args: cobra.ExactArgs(1),
		Long: `Enroll an agent or an asker, and print the token with which it joins. The token is
a secret and is printed only once; the hub keeps just the public key.

--from accepts names, sites and tags. An agent without a site is a site of its own;
agents of one site count as close to each other.`,
		Example: "  icmp-fleet enroll fra1 --site fra --tag eu > fra1.token\n  icmp-fleet enroll alice --asker > alice.token",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			e.Name, e.Role = args[0], wire.RoleAgent
			switch {
			case asker:
				e.Role = wire.RoleAsker
			case admin:
				e.Role = wire.RoleAdmin
			}
			if address != "" {
				if e.Address, err = netip.ParseAddr(address); err != nil {
					return err
				}
			}
			if err := wire.CheckName(e.Name); err != nil {
				return err
			}
			return c.asker(func(asker *client.Client) error {
				token, err := asker.Enroll(cmd.Context(), e)
				if err != nil {
					return err
				}
				encoder := json.NewEncoder(c.out)
				encoder.SetIndent("", "  ")
				return encoder.Encode(token)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.Site, "site", "", "`NAME` of its site; the default is its own name")
	flags.StringSliceVar(&e.Tags, "tag", nil, "`TAG`, such as a continent or a provider")
	flags.StringVar(&address, "address", "", "`ADDRESS` at which other agents ping it, whatever it announces")
	flags.BoolVar(&asker, "asker", false, "enroll an asker, which may start measurements")
	flags.BoolVar(&admin, "admin", false, "enroll an admin, which may also enroll and revoke")
	cmd.MarkFlagsMutuallyExclusive("asker", "admin")
	return cmd
}

func (c *command) revokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Revoke the key of an agent or an asker at once", Args: cobra.ExactArgs(1),
		Example: "  icmp-fleet revoke fra1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asker(func(asker *client.Client) error { return asker.Revoke(cmd.Context(), args[0]) })
		},
	}
}

func (c *command) permissionsCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "permissions [NAME...]", Short: "Print the configuration for your own NATS server",
		Long: `Print what the configuration of your own NATS server needs: an account with
JetStream, and the keys and permissions of the hub and of all enrolled users. After
each enroll and revoke, print it again and reload the server. With names (hub is the
hub), print only their users, to add to an account of your own. Run it where the
hub's data are.`,
		Example: "  icmp-fleet permissions > icmp-fleet.conf\n  icmp-fleet permissions hub fra1",
		RunE: func(_ *cobra.Command, names []string) error {
			text, err := hub.Configuration(dir, names...)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprint(c.out, text)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "data", defaultDir, "`FOLDER` of the hub's data")
	return cmd
}

func (c *command) agentsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "agents", Short: "List the enrolled agents and whether they are connected", Args: cobra.NoArgs,
		Example: "  icmp-fleet agents",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.asker(func(asker *client.Client) error {
				view, err := asker.View(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(c.out).Encode(view)
				}
				c.printAgents(view)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *command) printAgents(view *wire.View) {
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AGENT\tSITE\tTAGS\tADDRESS\tSTATE\tUP\tPACKETS\tREFUSED\tCLOCK\tVERSION")
	for _, m := range view.Fleet.Agents {
		address := ""
		if m.Address.IsValid() {
			address = m.Address.String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t", m.Name, m.Site, strings.Join(m.Tags, ","), cmp.Or(address, "-"))
		p, there := view.Agents[m.Name]
		if !there {
			fmt.Fprintln(table, "away\t-\t-\t-\t-\t-")
			continue
		}
		clock := "ok"
		if e := time.Duration(p.ClockError); e.Abs() > time.Second {
			clock = fmt.Sprintf("off by %v", e.Round(time.Second))
		}
		fmt.Fprintf(table, "%s\t%v\t%d\t%d\t%s\t%s\n", p.State, time.Since(p.Started.Add(-time.Duration(p.ClockError))).Round(time.Second),
			p.Counters.PacketsSent, p.Refused, clock, p.Age())
	}
	table.Flush()
}

// measureFlags are those of a measurement.
func measureFlags(cmd *cobra.Command, m *wire.Measure) {
	flags := cmd.Flags()
	flags.IntVarP(&m.Count, "count", "c", 0, "requests to the target, probes per hop, or rounds")
	flags.DurationVarP((*time.Duration)(&m.Interval), "interval", "i", 0, "time between them")
	flags.DurationVarP((*time.Duration)(&m.Timeout), "timeout", "w", 0, "how long to wait for an answer")
	flags.StringVar(&m.Protocol, "protocol", "icmp", "icmp, udp, tcp or sctp")
	flags.Uint16VarP(&m.Port, "port", "p", 0, "destination port of udp, tcp and sctp")
	flags.IntVarP(&m.Size, "size", "s", 0, "payload bytes")
	if m.Kind != "ping" {
		flags.IntVarP(&m.MaxHops, "max-hops", "m", 0, "maximum distance")
	}
	four, six := new(bool), new(bool)
	flags.BoolVarP(four, "ipv4", "4", false, "IPv4 only")
	flags.BoolVarP(six, "ipv6", "6", false, "IPv6 only")
	cmd.MarkFlagsMutuallyExclusive("ipv4", "ipv6")
	cmd.PreRun = func(*cobra.Command, []string) {
		switch {
		case *four:
			m.Family = 4
		case *six:
			m.Family = 6
		}
	}
}
