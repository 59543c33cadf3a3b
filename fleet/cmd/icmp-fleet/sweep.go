package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// sweepFlags are those of sweep.
type sweepFlags struct {
	measure  wire.Measure
	trace    bool
	from     []string
	each     bool
	deadline time.Duration
	detach   bool
}

func (c *command) sweepCommand() *cobra.Command {
	f := &sweepFlags{measure: wire.Measure{Kind: "ping"}}
	cmd := &cobra.Command{
		Use: "sweep FILE|PREFIX...", Short: "Ping or trace very many targets, divided among the agents", Args: cobra.MinimumNArgs(1),
		Long: `Ping, or trace with --trace, very many targets: prefixes, and files with one target
per line (- is standard input). The agents divide them, and an agent takes over
what another one does not complete. With --each every agent probes every target.

The job continues when this command ends: Ctrl-C leaves it running, icmp-fleet
cancel ends it. Each target is probed at least once and reported exactly once.`,
		Example: "  icmp-fleet sweep 192.0.2.0/24 --from eu\n  icmp-fleet sweep --trace --each targets.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.trace {
				f.measure.Kind = "traceroute"
			}
			if f.measure.Count == 0 && !f.trace {
				f.measure.Count = 2
			}
			if _, err := f.measure.Filled(); err != nil {
				return err
			}
			targets, files, err := readTargets(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer files()
			return c.asker(func(asker *client.Client) error { return c.sweep(cmd.Context(), asker, f, targets) })
		},
	}
	measureFlags(cmd, &f.measure)
	flags := cmd.Flags()
	flags.BoolVar(&f.trace, "trace", false, "trace routes instead of pinging")
	flags.StringSliceVar(&f.from, "from", nil, "`NAME` of the agent, site or tag whose agents divide the targets; several with --each")
	flags.BoolVar(&f.each, "each", false, "every agent probes every target")
	flags.DurationVar(&f.deadline, "deadline", 24*time.Hour, "when to give up targets that no agent has probed")
	flags.BoolVarP(&f.detach, "detach", "d", false, "start the job and exit")
	return cmd
}

// readTargets sorts the arguments into prefixes and files, which close closes.
func readTargets(args []string, stdin io.Reader) (targets client.Targets, close func(), err error) {
	var readers []io.Reader
	var files []*os.File
	close = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, arg := range args {
		if prefix, err := netip.ParsePrefix(arg); err == nil {
			targets.Prefixes = append(targets.Prefixes, prefix)
			continue
		}
		if arg == "-" {
			readers = append(readers, stdin)
			continue
		}
		f, err := os.Open(arg)
		if err != nil {
			close()
			return targets, nil, fmt.Errorf("%s is neither a prefix nor a file that can be read: %w", arg, err)
		}
		files = append(files, f)
		readers = append(readers, f, strings.NewReader("\n"))
	}
	if len(readers) > 0 {
		targets.List = io.MultiReader(readers...)
	}
	return targets, close, nil
}

func (c *command) sweep(ctx context.Context, asker *client.Client, f *sweepFlags, targets client.Targets) error {
	spec := wire.Job{Measure: f.measure, Each: f.each, Queues: f.from, Deadline: policy.Duration(f.deadline)}
	if f.each {
		view, err := asker.View(ctx)
		if err != nil {
			return err
		}
		agents, err := client.Select(view, f.from, 0)
		if err != nil {
			return err
		}
		spec.Queues = nil
		for _, m := range agents {
			spec.Queues = append(spec.Queues, m.Name)
		}
	} else if len(f.from) == 0 {
		spec.Queues = []string{wire.QueueAny}
	}
	job, err := asker.Submit(ctx, spec, targets)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\n", job.ID)
	if f.detach {
		return nil
	}
	last := job
	job, err = asker.Wait(ctx, job.ID, func(j wire.Job, away error) {
		if away != nil {
			fmt.Fprintf(c.errs, "\r%s (%v)", progress(last), away) // which the next one covers
			return
		}
		last = j
		fmt.Fprintf(c.errs, "\r%-100s", progress(j))
	})
	if err == nil {
		fmt.Fprintf(c.errs, "\r%-100s", progress(job))
	}
	fmt.Fprintln(c.errs)
	if err != nil && ctx.Err() != nil {
		fmt.Fprintf(c.errs, "the job goes on: icmp-fleet jobs, icmp-fleet cancel %s\n", job.ID)
		return errSome
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.errs, "icmp-fleet results %s prints them\n", job.ID)
	if job.State != wire.JobFinished || job.Alive < job.Targets {
		return errSome
	}
	return nil
}

func progress(j wire.Job) string {
	return fmt.Sprintf("%s: %d of %d targets, %d alive, %d refused", j.State, j.Done, j.Targets, j.Alive, j.Refused)
}

func (c *command) jobsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "jobs", Short: "List the jobs", Args: cobra.NoArgs, Example: "  icmp-fleet jobs",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.asker(func(asker *client.Client) error {
				jobs, err := asker.Jobs(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(c.out).Encode(jobs)
				}
				table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "JOB\tBY\tBEGAN\tKIND\tFROM\tSTATE\tDONE\tTARGETS\tALIVE\tREFUSED")
				for _, j := range jobs {
					from := strings.Join(j.Queues, ",")
					if j.Each {
						from = "each of " + from
					}
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\n", j.ID, j.Asker, j.Created.Local().Format(time.DateTime),
						j.Measure.Kind, from, j.State, j.Done, j.Targets, j.Alive, j.Refused)
				}
				return table.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *command) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cancel JOB", Short: "Cancel a job", Args: cobra.ExactArgs(1), Example: "  icmp-fleet cancel k3x6q2m4zp",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asker(func(asker *client.Client) error {
				job, err := asker.Cancel(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, progress(job))
				return nil
			})
		},
	}
}

func (c *command) resultsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "results JOB", Short: "Print the results of a job", Args: cobra.ExactArgs(1),
		Long: `Print the available results of a job, one line per target. With --json they are
the library's JSON, preceded by the agent and the kind of result. A last line
reports missing results.`,
		Example: "  icmp-fleet results k3x6q2m4zp --json | gzip > results.ndjson.gz",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.asker(func(asker *client.Client) error { return c.results(cmd.Context(), asker, args[0], asJSON) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *command) results(ctx context.Context, asker *client.Client, id string, asJSON bool) error {
	job, err := asker.Job(ctx, id)
	if err != nil {
		return err
	}
	out := &bytes.Buffer{}
	found := 0
	for r, err := range asker.Results(ctx, job) {
		if err != nil {
			return err
		}
		found++
		out.Reset()
		for line := range wire.Lines(r.Lines) {
			if asJSON {
				out.Write(wire.Tagged(line, r.Agent, r.Kind))
				out.WriteByte('\n')
			} else if err := printResult(out, r, line); err != nil {
				return err
			}
		}
		if _, err := out.WriteTo(c.out); err != nil {
			return err
		}
	}
	if found < job.Expected() {
		fmt.Fprintf(c.errs, "the job is %s: %d of %d shards have a result\n", job.State, found, job.Expected())
		return errSome
	}
	return nil
}

func printResult(out io.Writer, r client.Result, line []byte) error {
	if r.Kind == wire.KindRoute {
		route := &icmplib.Route{}
		if err := json.Unmarshal(line, route); err != nil {
			return err
		}
		if route.Err != nil {
			fmt.Fprintf(out, "%s  %s: %v\n", r.Agent, route.Name, route.Err)
			return nil
		}
		fmt.Fprintf(out, "%s  %s\n", r.Agent, strings.TrimRight(route.String(), "\n"))
		return nil
	}
	host := &icmplib.Host{}
	if err := json.Unmarshal(line, host); err != nil {
		return errors.Join(errors.New("a result cannot be read"), err)
	}
	if host.Err != nil {
		fmt.Fprintf(out, "%s  %s: %v\n", r.Agent, host.Name, host.Err)
		return nil
	}
	fmt.Fprintf(out, "%s  %s  %d of %d answered, %s\n", r.Agent, host.Name, host.PacketsReceived, host.PacketsSent, rttText(host))
	return nil
}
