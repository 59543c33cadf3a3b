package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/agent"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
	"github.com/goicmp/icmplib/icmptest"
)

// internet is what the agents of a lab see: hosts that answer, also behind routers that share the
// load, one that loses a third, one that is silent, and the agents' own addresses.
const internet = `
client 192.0.2.1
node r1 10.0.0.1 delay=1ms
node r2 10.0.0.2 delay=1ms
node ra 10.0.0.3 delay=1ms
node rb 10.0.0.4 delay=1ms
node t  10.9.0.1 delay=1ms
node lossy 10.8.0.1 delay=1ms lose@every/3
node dead 10.7.0.1 delay=1ms deaf
path 10.9.0.0/16 r1 r2 t
path 10.6.0.0/16 r1 turn( ra | rb ) t
path 10.8.0.0/16 r1 lossy
path 10.7.0.0/16 r1 dead
`

// lab is a fleet in this process.
type lab struct {
	t     *testing.T
	dir   string
	cfg   hub.Config
	hub   *hub.Hub
	admin string // the administrator's token
}

// limits are those of the owners of a lab's agents.
func limits() policy.Limits {
	return policy.Limits{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, PacketsPerSecond: 20_000}
}

func newLab(t *testing.T, cfg hub.Config) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), cfg: cfg}
	l.cfg.Dir, l.cfg.Listen = l.dir, "127.0.0.1:0"
	l.cfg.Log = testLog(t)
	var err error
	if l.hub, err = hub.Start(context.Background(), l.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.hub.Close() })
	l.admin = filepath.Join(l.dir, hub.AdminToken)
	return l
}

// testLog logs to the test as long as it runs.
func testLog(t *testing.T) *slog.Logger {
	w := &logWriter{t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.over = true
	})
	return textLog(w)
}

func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type logWriter struct {
	mu   sync.Mutex
	t    *testing.T
	over bool
}

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Log(strings.TrimRight(string(b), "\n"))
	}
	return len(b), nil
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// agentOptions are what a test changes of an agent.
type agentOptions struct {
	agent.Config
	enrollment wire.Enrollment
	network    string
}

// running is an agent of a lab.
type running struct {
	*agent.Agent
	token *wire.Token
	mu    sync.Mutex
	truth []*icmptest.Prober
	stop  func() // ends it as SIGTERM does, and waits
}

// packets are those that the agent sent, as its network saw them.
func (r *running) packets() (all []icmptest.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.truth {
		all = append(all, p.Truth()...)
	}
	return all
}

// agent enrolls and starts an agent, and waits until it is there.
func (l *lab) agent(name string, change func(*agentOptions)) *running {
	l.t.Helper()
	opts := &agentOptions{enrollment: wire.Enrollment{Name: name, Role: wire.RoleAgent}}
	if change != nil {
		change(opts)
	}
	token, err := l.hub.Enroll(l.t.Context(), opts.enrollment)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.start(token, change)
}

// start starts the agent of a token.
func (l *lab) start(token *wire.Token, change func(*agentOptions)) *running {
	l.t.Helper()
	opts := &agentOptions{network: internet}
	opts.Token, opts.Log, opts.Policy, opts.DrainWait = token, testLog(l.t), limits(), 5*time.Second
	r := &running{token: token}
	opts.NewProber = func(cfg *icmplib.Config) (*icmplib.Prober, error) {
		p := icmptest.NewProber(l.t, opts.network, cfg)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.truth = append(r.truth, p)
		return p.Prober, nil
	}
	if change != nil {
		change(opts)
	}
	r.Agent = agent.New(opts.Config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
	})
	l.t.Cleanup(r.stop)
	l.until(token.Name+" is there", func() bool { return l.hub.View().Agents[token.Name].State == wire.StateReady })
	return r
}

// until waits for something that is to happen soon.
func (l *lab) until(what string, f func() bool) {
	l.t.Helper()
	until(l.t, time.Minute, what, f)
}

func until(t *testing.T, most time.Duration, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not happen within %v: %s", most, what)
		}
	}
}

// run runs a command line as the administrator.
func (l *lab) run(args ...string) (code int, stdout, stderr string) {
	return runAs(l.t, l.admin, args...)
}

func runAs(t *testing.T, token string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"--join", token}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// mustRun runs a command line that is to end with a code, and returns its output.
func (l *lab) mustRun(want int, args ...string) string {
	l.t.Helper()
	code, out, errs := l.run(args...)
	if code != want {
		l.t.Fatalf("icmp-fleet %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
	}
	return out
}

// tagged is a line of JSON as ask and results print it.
type tagged struct {
	Agent, Kind, Name, Reason string
	Address                   netip.Addr
	Error                     *string
	Sent                      int `json:"packets_sent"`
	Received                  int `json:"packets_received"`
}

func readLines(t *testing.T, text string) (all []tagged) {
	t.Helper()
	for line := range strings.Lines(text) {
		var one tagged
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// exactly checks that the names of results are the targets, each as often as it was given.
func exactly(t *testing.T, results []tagged, targets []string, times int) {
	t.Helper()
	count := map[string]int{}
	for _, r := range results {
		count[r.Name]++
	}
	for _, target := range targets {
		if count[target] != times {
			t.Errorf("%s has %d results, want %d", target, count[target], times)
		}
		delete(count, target)
	}
	for name, n := range count {
		t.Errorf("%d results of %q, which is no target", n, name)
	}
}

// writeFile writes a file for a test.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// addresses are n addresses from a first one on.
func addresses(first string, n int) (all []string) {
	for a := netip.MustParseAddr(first); len(all) < n; a = a.Next() {
		all = append(all, a.String())
	}
	return all
}

func lines(targets []string) string { return strings.Join(targets, "\n") + "\n" }

// forbidden are targets that the owners of the agents do not allow.
var forbidden = addresses("192.168.7.0", 16)

// amid puts the forbidden targets between others, so that each shard has some.
func amid(targets []string) (all []string) {
	step := max(1, len(targets)/len(forbidden))
	for i, target := range targets {
		all = append(all, target)
		if n := i / step; i%step == 0 && n < len(forbidden) {
			all = append(all, forbidden[n])
		}
	}
	return all
}
