package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	model "github.com/prometheus/client_model/go"
)

// daemon serves the figures and listens for what is asked of it.
type daemon struct {
	file     string
	exporter *exporter
	log      *slog.Logger

	registry  *prometheus.Registry // of the daemon itself, whatever is probed
	succeeded prometheus.Gauge
	loaded    prometheus.Gauge
}

func newDaemon(file string, e *exporter, log *slog.Logger) *daemon {
	d := &daemon{
		file: file, exporter: e, log: log,
		registry: prometheus.NewRegistry(),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "icmp_config_last_reload_successful",
			Help: "Whether the configuration was right when it was last read: 1 or 0.",
		}),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "icmp_config_last_reload_success_timestamp_seconds",
			Help: "When a configuration last took effect, in Unix time.",
		}),
	}
	d.registry.MustRegister(d.succeeded, d.loaded)
	return d
}

// load reads the file and has it take effect. One that is wrong changes nothing.
func (d *daemon) load() error {
	s, err := load(d.file)
	if err == nil {
		err = d.exporter.apply(s)
	}
	if err != nil {
		d.succeeded.Set(0)
		return err
	}
	d.succeeded.Set(1)
	d.loaded.Set(seconds(time.Now()))
	return nil
}

// endOfService is how long requests in flight have when the daemon ends.
const endOfService = 5 * time.Second

// serve answers requests until ctx ends, and loads the file anew for each reload.
func (d *daemon) serve(ctx context.Context, listener net.Listener, reload <-chan os.Signal) error {
	server := &http.Server{
		Handler: d.routes(), MaxHeaderBytes: 64 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	defer d.exporter.close()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), endOfService)
			defer cancel()
			return server.Shutdown(last)
		case <-reload:
			if err := d.load(); err != nil {
				d.log.Error("the configuration stays as it was", "error", err)
			}
		}
	}
}

// scrapesAtOnce is more than there are, unless something is wrong.
const scrapesAtOnce = 10

// Gather collects the figures of the daemon and of what it probes now.
func (d *daemon) Gather() ([]*model.MetricFamily, error) {
	return prometheus.Gatherers{d.registry, d.exporter.current.Load().metrics.registry}.Gather()
}

const landing = `<!doctype html><title>icmp-exporter</title>
<p><a href="/metrics">metrics</a>, <a href="/healthz">health</a>
`

func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, landing) })
	return mux
}
