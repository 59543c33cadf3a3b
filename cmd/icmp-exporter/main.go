// Command icmp-exporter probes hosts all the time and tells Prometheus what became
// of each probe. Run it with --help; docs/exporter.md has its configuration and
// its metrics.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	os.Exit(run(ctx, os.Args[1:], reload, os.Stdout, os.Stderr))
}

// Exit codes: those of cmd/icmp, as far as they have a meaning here.
const (
	exitOK     = 0
	exitUsage  = 3
	exitSystem = 4
)

// commandLine is what was asked for.
type commandLine struct {
	config, listen, web string
	check               bool
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, reload <-chan os.Signal, stdout, stderr io.Writer) int {
	var c commandLine
	flags := pflag.NewFlagSet("icmp-exporter", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.config, "config", "icmp-exporter.yaml", "configuration file, reread on SIGHUP")
	flags.StringVar(&c.listen, "listen", ":9876", "address to serve /metrics, /probe and /routes on")
	flags.StringVar(&c.web, "web.config.file", "", "file for TLS and basic authentication, in the format of Prometheus exporters")
	flags.BoolVar(&c.check, "check-config", false, "check the configuration and exit; sends nothing")
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		return exitOK
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q: there are no arguments, only flags", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "icmp-exporter:", err)
		return exitUsage
	}
	code, err := c.run(ctx, reload, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "icmp-exporter:", err)
	}
	return code
}

func (c *commandLine) run(ctx context.Context, reload <-chan os.Signal, stdout, stderr io.Writer) (code int, err error) {
	log := slog.New(slog.NewTextHandler(stderr, nil))
	files := newHostFiles(c.config, log)
	if c.check {
		files.log = nil
	}
	_, s, err := load(c.config, files)
	if err != nil {
		return exitUsage, err
	}
	if err := web.Validate(c.web); err != nil {
		return exitUsage, fmt.Errorf("--web.config.file %s: %w", c.web, err)
	}
	if c.check {
		fmt.Fprintf(stdout, "%s is right: %d targets\n", c.config, len(s.jobs))
		return exitOK, nil
	}
	if err := permitted(s); err != nil {
		return exitSystem, err
	}
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return exitSystem, err
	}
	d := newDaemon(c.config, newExporter(log), log, files)
	d.webConfig = c.web
	if err := d.load(); err != nil {
		return exitSystem, errors.Join(err, listener.Close())
	}
	log.Info("serving", "address", listener.Addr())
	if err := d.serve(ctx, listener, reload); err != nil {
		return exitSystem, err
	}
	return exitOK, nil
}

// permitted says at once that this process may not probe, rather than in a log
// that goes on for ever.
func permitted(s *settings) error {
	p, err := icmplib.NewProber(&s.shape.prober)
	if err != nil {
		return err
	}
	defer p.Close()
	can := p.Capabilities()
	for i := range s.jobs {
		probing := &s.jobs[i].probing
		if err := can.Can(probing.Packet.Protocol, probing.Family); errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("target %s: %w", s.jobs[i].host, err)
		}
	}
	for name, m := range s.probing.modules {
		if err := can.Can(m.ping.Packet.Protocol, m.ping.Family); errors.Is(err, os.ErrPermission) {
			return fmt.Errorf("module %s: %w", name, err)
		}
	}
	return nil
}
