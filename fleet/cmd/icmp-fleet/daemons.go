package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib/fleet/agent"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// hubFlags are those of the hub.
type hubFlags struct {
	hub.Config
	limits, ca string
	meshEvery  time.Duration
	noMesh     bool
	page       page
}

func (c *command) hubCommand() *cobra.Command {
	f := &hubFlags{}
	cmd := &cobra.Command{
		Use: "hub", Short: "Run the hub of a fleet", Args: cobra.NoArgs,
		Long: `Run the hub of a fleet. It embeds a NATS server with JetStream and keeps the list
of enrolled agents, the jobs and the agents' reports.

On an address that is not loopback, the hub requires TLS, with its own certificate,
which tokens carry, or that of --tls-cert; --url is then the URL at which agents
reach it. With --nats it uses your NATS server instead of the embedded one;
configure that server with the output of icmp-fleet permissions.`,
		Example: "  icmp-fleet hub --listen 0.0.0.0:4222 --url tls://hub.example:4222",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			f.Log = c.log()
			for cmd.Context().Err() == nil {
				if err := f.run(cmd.Context()); err != nil {
					return failed(err)
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Dir, "data", defaultDir, "`FOLDER` for the hub's data")
	flags.StringVar(&f.Listen, "listen", "127.0.0.1:4222", "`ADDRESS` and port of NATS")
	flags.StringVar(&f.URL, "url", "", "URL at which agents reach NATS; the default comes from --listen")
	flags.StringVar(&f.TLSCert, "tls-cert", "", "`FILE` with the TLS certificate")
	flags.StringVar(&f.TLSKey, "tls-key", "", "`FILE` with its key")
	flags.StringVar(&f.External, "nats", "", "`URL` of your NATS server, used instead of the embedded one: see icmp-fleet permissions")
	flags.StringVar(&f.ca, "nats-ca", "", "`FILE` with the CA certificates for your NATS server; the default is the system's")
	flags.IntVar(&f.Replicas, "replicas", 1, "number of your NATS servers that keep each stream: 3 survive the loss of one")
	flags.StringVar(&f.page.address, "http", "127.0.0.1:8222", "the `ADDRESS` and port of the page and of /metrics; \"\": none")
	flags.StringVar(&f.page.passwordFile, "http-password", "", "`FILE` with the password of the web page, required if --http is not loopback")
	flags.StringVar(&f.limits, "limits", "", "policy `FILE` that further restricts all agents")
	flags.DurationVar(&f.Keep, "keep", 7*24*time.Hour, "how long to keep results and rounds")
	flags.Int64Var(&f.MeshBytes, "mesh-bytes", 1<<30, "maximum size of stored rounds in bytes")
	flags.DurationVar(&f.AckWait, "ack-wait", 30*time.Second, "how long an agent may be silent before another one gets its shard")
	flags.DurationVar(&f.meshEvery, "mesh-every", time.Minute, "time between rounds of the mesh")
	flags.IntVar(&f.Mesh.Count, "mesh-count", 60, "pings per peer and round")
	flags.BoolVar(&f.noMesh, "no-mesh", false, "no mesh")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return cmd
}

// run runs the hub until ctx ends, or until it has to be started again.
func (f *hubFlags) run(ctx context.Context) error {
	h, err := hub.Start(context.WithoutCancel(ctx), f.Config)
	if err != nil {
		return err
	}
	defer h.Close()
	stop, err := f.page.serve(h, f.Log)
	if err != nil {
		return err
	}
	defer stop()
	f.Log.Info("the hub is at work", "nats", h.URL(), "data", f.Dir, "page", f.page.url)
	select {
	case <-ctx.Done():
	case <-h.Spoilt():
		f.Log.Warn("the hub starts again")
	}
	return nil
}

func (f *hubFlags) check(cmd *cobra.Command) (err error) {
	if f.meshEvery < time.Second || f.Mesh.Count < 1 {
		return errors.New("--mesh-every must be 1s or more, and --mesh-count 1 or more")
	}
	if f.AckWait < 2*wire.BeatEvery {
		return fmt.Errorf("--ack-wait must be %v or more, because agents report every %v", 2*wire.BeatEvery, wire.BeatEvery)
	}
	f.Mesh.Every, f.Mesh.Off = policy.Duration(f.meshEvery), f.noMesh
	if f.External == "" && (f.ca != "" || f.Replicas != 1) {
		return errors.New("--nats-ca and --replicas need --nats")
	}
	if f.Replicas < 1 || f.Replicas > 5 {
		return errors.New("--replicas must be 1 to 5")
	}
	if f.ca != "" {
		text, err := os.ReadFile(f.ca)
		if err != nil {
			return err
		}
		f.CA = string(text)
	}
	if err := f.page.check(); err != nil {
		return err
	}
	if f.limits != "" {
		f.Limits, err = policy.Read(f.limits)
	}
	return err
}

func (c *command) agentCommand() *cobra.Command {
	cfg := agent.Config{}
	var file, address, metrics string
	cmd := &cobra.Command{
		Use: "agent --join FILE", Short: "Run an agent on this machine", Args: cobra.NoArgs,
		Long: `Run an agent. It measures what the fleet asks for, within the policy of this
machine's owner. It opens no port, and needs no privileges where pings need none
(see icmp doctor).

Without --policy it probes the public Internet with ICMP, UDP and TCP, at up to
1000 packets per second, with up to 8 jobs and questions at a time, each of up to
10 minutes. It refuses private, loopback, multicast and metadata addresses.`,
		Example: "  icmp-fleet agent --join fra1.token --policy policy.yaml",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Token, err = c.token(); err != nil {
				return err
			}
			if file != "" {
				if cfg.Policy, err = policy.Read(file); err != nil {
					return err
				}
			}
			if address != "" {
				if cfg.Address, err = netip.ParseAddr(address); err != nil {
					return err
				}
			}
			cfg.Log, cfg.Program = c.log(), version()
			one := agent.New(cfg)
			stop, err := serveMetrics(metrics, one)
			if err != nil {
				return failed(err)
			}
			defer stop()
			return failed(one.Run(cmd.Context()))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&metrics, "metrics", "", "`ADDRESS` and port of this agent's /metrics; the default is none")
	flags.StringVar(&file, "policy", "", "policy `FILE` of this machine's owner")
	flags.StringVar(&address, "address", "", "`ADDRESS` at which other agents ping this machine; the default is the source address of its connection to the hub")
	flags.DurationVar(&cfg.DrainWait, "drain", 30*time.Second, "how long to finish started work at shutdown")
	flags.IntVar(&cfg.RingBytes, "ring-bytes", 32<<20, "maximum size in bytes of the rounds kept while the hub is away")
	return cmd
}

const demoText = `A hub and three agents run on this machine, at loopback addresses.
Open %s, and in another terminal, in this folder, type:

  export %s=%s

  icmp-fleet agents
  icmp-fleet ping 127.0.0.1 --from eu
  icmp-fleet traceroute 127.0.0.1 --limit 1
  icmp-fleet mesh show
  icmp-fleet mesh explain ams1 nyc1
  icmp-fleet sweep 127.0.0.0/20
  icmp-fleet jobs

Ctrl-C ends it.
`

func (c *command) demoCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "demo", Short: "Run a hub and three agents on loopback", Args: cobra.NoArgs,
		Example: "  icmp-fleet demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				made, err := os.MkdirTemp("", "icmp-fleet-demo-")
				if err != nil {
					return failed(err)
				}
				defer os.RemoveAll(made)
				dir = made
			}
			return failed(c.demo(cmd.Context(), dir))
		},
	}
	cmd.Flags().StringVar(&dir, "data", "", "`FOLDER` for the hub's data; the default is a temporary one, removed at the end")
	return cmd
}

// demo runs a hub and three agents until ctx ends.
func (c *command) demo(ctx context.Context, dir string) error {
	log := c.log()
	port, err := freePort()
	if err != nil {
		return err
	}
	h, err := hub.Start(context.WithoutCancel(ctx), hub.Config{Dir: dir, Listen: port, Log: log,
		Mesh: wire.Mesh{Every: policy.Duration(10 * time.Second), Count: 20, Timeout: policy.Duration(time.Second)}})
	if err != nil {
		return err
	}
	defer h.Close()
	owner := policy.Limits{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, PacketsPerSecond: 20_000}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	for i, e := range []wire.Enrollment{
		{Name: "ams1", Site: "ams", Tags: []string{"eu"}}, {Name: "fra1", Site: "fra", Tags: []string{"eu"}},
		{Name: "nyc1", Site: "nyc", Tags: []string{"us"}},
	} {
		e.Role, e.Address = wire.RoleAgent, netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if runtime.GOOS == "linux" { // which has the whole of 127.0.0.0/8
			e.Address = netip.AddrFrom4([4]byte{127, 0, 0, byte(11 + i)})
		}
		if err := h.Revoke(ctx, e.Name); err == nil {
			log.Debug("enrolled in an earlier demo", "agent", e.Name)
		}
		token, err := h.Enroll(ctx, e)
		if err != nil {
			return err
		}
		one := agent.New(agent.Config{Token: token, Policy: owner, Log: log, DrainWait: time.Second, Program: version()})
		all.Go(func() {
			if err := one.Run(ctx); err != nil {
				log.Error("an agent ends", "error", err)
			}
		})
	}
	shown := page{address: "127.0.0.1:0"}
	stop, err := shown.serve(h, log)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(c.out, demoText, shown.url, environment, filepath.Join(dir, hub.AdminToken))
	<-ctx.Done()
	return nil
}

// freePort returns a loopback address with a port that is free: 4222, or another.
func freePort() (string, error) {
	for _, address := range []string{"127.0.0.1:4222", "127.0.0.1:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		defer listener.Close()
		return listener.Addr().String(), nil
	}
	return "", errors.New("no port of 127.0.0.1 is free")
}
