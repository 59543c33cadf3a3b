package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/goicmp/icmplib/fleet/agent"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/web"
	"github.com/goicmp/icmplib/fleet/wire"
)

// page is the hub's web page.
type page struct {
	address, passwordFile string
	password              string
	url                   string // where it is, once it is served
}

// check reads the password. A page that others reach needs one.
func (p *page) check() error {
	if p.address == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(p.address); err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	if p.passwordFile != "" {
		text, err := os.ReadFile(p.passwordFile)
		if err != nil {
			return err
		}
		if p.password = strings.TrimSpace(string(text)); p.password == "" {
			return fmt.Errorf("%s has no password", p.passwordFile)
		}
	}
	if p.password == "" && !wire.Loopback(p.address) {
		return errors.New("--http is not loopback: give a password file with --http-password")
	}
	return nil
}

// serve serves the page until stop is called: by TLS where the hub has a certificate and the
// page is not on loopback.
func (p *page) serve(h *hub.Hub, log *slog.Logger) (stop func(), err error) {
	if p.address == "" {
		return func() {}, nil
	}
	handler, err := web.Handler(h, p.password)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --http", err)
	}
	scheme := "http"
	if host := listener.Addr().(*net.TCPAddr).IP; !host.IsLoopback() {
		if h.TLS() != nil {
			listener, scheme = tls.NewListener(listener, h.TLS()), "https"
		} else {
			log.Warn("the page is served without TLS: put it behind a TLS proxy", "address", p.address)
		}
	}
	p.url = scheme + "://" + listener.Addr().String() + "/"
	return serveHTTP(listener, handler), nil
}

// serveHTTP serves until the function that it returns is called.
func serveHTTP(listener net.Listener, handler http.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	go server.Serve(listener)
	return func() {
		cancel()
		server.Close()
	}
}

// serveMetrics serves the metrics of an agent, if there is an address.
func serveMetrics(address string, a *agent.Agent) (stop func(), err error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --metrics", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		p := a.Presence()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		web.WriteAgents(w, map[string]wire.Presence{p.Name: p})
	})
	return serveHTTP(listener, mux), nil
}
