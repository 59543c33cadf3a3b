package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes, in virtual time.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Clients that send no request to the end, take no page or stay without asking anything
// are given up, each in its time.
func TestAClientThatDoesNothingIsGivenUp(t *testing.T) {
	for _, tt := range []struct {
		name, sends string
		reads       int // bytes of the answer that are taken
		within      time.Duration
	}{
		{"it sends nothing", "", 0, 10 * time.Second},
		{"it sends half a request", "GET /metrics HTTP/1.1\r\nHost: x", 0, 10 * time.Second},
		{"it does not take the page", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10, 30 * time.Second},
		{"it asks nothing more", "GET /short HTTP/1.1\r\nHost: x\r\n\r\n", 1000, 2 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				page := strings.Repeat("x", 1<<20)
				server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/short" {
						_, _ = io.WriteString(w, "short")
						return
					}
					_, _ = io.WriteString(w, page)
				}))
				l := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
				ended := make(chan struct{})
				server.ConnState = func(_ net.Conn, s http.ConnState) {
					if s == http.StateClosed {
						close(ended)
					}
				}
				go func() { _ = server.Serve(l) }()
				defer server.Close()
				client, far := net.Pipe()
				defer client.Close()
				l.accepted <- far
				began := time.Now()
				if _, err := io.WriteString(client, tt.sends); err != nil {
					t.Fatal(err)
				}
				if tt.reads > 0 {
					if _, err := client.Read(make([]byte, tt.reads)); err != nil {
						t.Fatal(err)
					}
				}
				<-ended
				if waited := time.Since(began); waited > tt.within || waited < tt.within/2 {
					t.Errorf("it was given up after %v, want %v", waited, tt.within)
				}
			})
		})
	}
}
