package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	model "github.com/prometheus/client_model/go"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
)

// daemon serves the figures and listens for what is asked of it.
type daemon struct {
	file     string
	files    *hostFiles
	exporter *exporter
	log      *slog.Logger

	pages     chan struct{}        // holds a token for each client that takes routes
	mu        sync.Mutex           // one reload at a time
	config    *config              // that was loaded last
	webConfig string               // TLS and authentication; "": neither
	registry  *prometheus.Registry // of the daemon itself, whatever is probed
	succeeded prometheus.Gauge
	loaded    prometheus.Gauge
}

func newDaemon(file string, e *exporter, log *slog.Logger, files *hostFiles) *daemon {
	d := &daemon{
		file: file, files: files, exporter: e, log: log,
		registry: prometheus.NewRegistry(), pages: make(chan struct{}, pagesAtOnce),
		succeeded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "icmp_config_last_reload_successful",
			Help: "Whether the last read of the configuration succeeded: 1 or 0.",
		}),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "icmp_config_last_reload_success_timestamp_seconds",
			Help: "Unix time at which a configuration last took effect.",
		}),
	}
	d.registry.MustRegister(d.succeeded, d.loaded, buildInfo(), files.errors, files.right)
	return d
}

// load reads the file and has it take effect. One that is wrong changes nothing.
func (d *daemon) load() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, s, err := load(d.file, d.files)
	if err == nil {
		err = d.exporter.apply(s)
	}
	if err != nil {
		d.succeeded.Set(0)
		return err
	}
	d.config = c
	d.succeeded.Set(1)
	d.loaded.Set(seconds(time.Now()))
	return nil
}

// refresh has the files of hosts read where they have changed, by the configuration that
// was loaded last. It returns after which time to look again.
func (d *daemon) refresh() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files.haveChanged(d.config) {
		s, err := d.config.settings(d.files)
		if err == nil {
			err = d.exporter.apply(s)
		}
		if err != nil {
			d.log.Error("the targets stay unchanged", "error", err)
		}
	}
	return orElse(d.config.FilesInterval.Duration, defaultFilesRefresh)
}

// newServer returns a server that waits for no client without end, be it for a request
// or for the page to be taken.
func newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: 64 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
}

// endOfService is how long requests in flight have when the daemon ends.
const endOfService = 5 * time.Second

// serve answers requests until ctx ends, and loads the file anew for each reload.
func (d *daemon) serve(ctx context.Context, listener net.Listener, reload <-chan os.Signal) error {
	server := newServer(d.routes())
	ended := make(chan error, 1)
	none := false
	addresses := []string{listener.Addr().String()}
	flags := &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &none, WebConfigFile: &d.webConfig}
	go func() { ended <- web.Serve(netutil.LimitListener(listener, connectionsAtOnce), server, flags, d.log) }()
	defer d.exporter.close()
	look := time.NewTimer(leastFilesRefresh)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), endOfService)
			defer cancel()
			err := server.Shutdown(last)
			<-ended // what serves has said its last word
			return err
		case <-look.C:
			look.Reset(d.refresh())
		case <-reload:
			if err := d.load(); err != nil {
				d.log.Error("the configuration stays unchanged", "error", err)
			}
		}
	}
}

const (
	// scrapesAtOnce is more than there are, unless something is wrong.
	scrapesAtOnce = 10

	// connectionsAtOnce bounds what clients that do nothing can take.
	connectionsAtOnce = 512
)

// buildInfo tells from what the exporter was built.
func buildInfo() prometheus.Collector {
	version, revision := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "icmp_exporter_build_info", Help: "Version that the exporter was built from; always 1.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}

// Gather collects the figures of the daemon and of what it probes now.
func (d *daemon) Gather() ([]*model.MetricFamily, error) {
	return prometheus.Gatherers{d.registry, d.exporter.current.Load().registry}.Gather()
}

const landing = `<!doctype html><title>icmp-exporter</title>
<p><a href="/metrics">metrics</a>, <a href="/routes">routes to targets in trouble</a>, <a href="/-/healthy">health</a>
`

func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /probe", d.exporter.probe)
	mux.HandleFunc("GET /routes", d.routesPage)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /-/ready", d.ready)
	mux.HandleFunc("POST /-/reload", d.reload)
	mux.HandleFunc("PUT /-/reload", d.reload)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, landing) })
	return mux
}

// reload loads the file anew, as SIGHUP does, and says what is wrong with it.
func (d *daemon) reload(w http.ResponseWriter, _ *http.Request) {
	if err := d.load(); err != nil {
		d.log.Error("the configuration stays unchanged", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// ready says whether a configuration has taken effect.
func (d *daemon) ready(w http.ResponseWriter, _ *http.Request) {
	if d.exporter.current.Load() == nil {
		http.Error(w, "no configuration has taken effect yet", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
