//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/goicmp/icmplib/fleet/client"
	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

// mainVariable makes the test binary the program.
const mainVariable = "ICMP_FLEET_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if os.Args[1] == "nats-server" {
			os.Exit(natsMain(os.Args[2]))
		}
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// natsMain is a server of NATS by a configuration file: see TestMain.
func natsMain(file string) int {
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := server.NewServer(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s.ConfigureLogger()
	s.Start()
	s.WaitForShutdown()
	return 0
}

// process is the program as a process of its own, which can be killed.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  lockedBuffer
	done chan struct{}
}

// startProcess starts the program, by the words of wrapper if there are any.
func startProcess(t *testing.T, wrapper []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	words := append(append(append([]string{}, wrapper...), self), args...)
	p := &process{t: t, cmd: exec.Command(words[0], words[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), mainVariable+"=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.signal(syscall.SIGCONT)
		p.kill()
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(args, " "), p.log.String())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// kill ends the process as kill -9 does, and waits for that.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// fleetOfProcesses is a hub and agents as processes.
type fleetOfProcesses struct {
	*lab
	listen string
	args   []string // of the hub
	hub    *process
}

func newProcesses(t *testing.T, args ...string) *fleetOfProcesses {
	t.Helper()
	listen, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleetOfProcesses{lab: &lab{t: t, dir: t.TempDir()}, listen: listen}
	f.args = append([]string{"hub", "--data", f.dir, "--listen", f.listen, "--ack-wait", "10s", "-v"}, args...)
	f.admin = filepath.Join(f.dir, hub.AdminToken)
	return f
}

// startHub starts the hub, also again, and waits until it answers.
func (f *fleetOfProcesses) startHub(wrapper ...string) {
	f.t.Helper()
	f.hub = startProcess(f.t, wrapper, f.args...)
	f.until("the hub answers", func() bool {
		code, _, _ := f.run("agents")
		return code == 0
	})
}

// enroll enrolls an agent and returns its token's file. With a proxy it reaches the hub by that.
func (f *fleetOfProcesses) enroll(name, address string, by *proxy) string {
	f.t.Helper()
	text := f.mustRun(0, "enroll", name, "--address", address)
	if by != nil {
		text = strings.ReplaceAll(text, f.listen, by.listener.Addr().String())
	}
	return writeFile(f.t, text)
}

// startAgent starts an agent with a token.
func (f *fleetOfProcesses) startAgent(token string) *process {
	f.t.Helper()
	rules := writeFile(f.t, "allow: [10.0.0.0/8]\nconcurrency: 2\npackets_per_second: 20000\n")
	return startProcess(f.t, nil, "agent", "--join", token, "--policy", rules, "--drain", "1s", "-v")
}

// ready waits until agents are there.
func (f *fleetOfProcesses) ready(names ...string) {
	f.t.Helper()
	f.until("the agents are there", func() bool {
		var view wire.View
		_, out, _ := f.run("agents", "--json")
		if json.Unmarshal([]byte(out), &view) != nil {
			return false
		}
		for _, name := range names {
			if view.Agents[name].Name == "" {
				return false
			}
		}
		return true
	})
}

// job is the newest job.
func (f *fleetOfProcesses) job() (job wire.Job) {
	f.t.Helper()
	var all []wire.Job
	if code, out, _ := f.run("jobs", "--json"); code == 0 {
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			f.t.Fatal(err)
		}
	}
	if len(all) > 0 {
		job = all[0]
	}
	return job
}

// finished waits for the end of the job, and checks that its results are the targets, that each
// refusal is counted, and that all others are alive.
func (f *fleetOfProcesses) finished(targets []string) wire.Job {
	f.t.Helper()
	until(f.t, 2*time.Minute, "the job is done", func() bool { return f.job().State == wire.JobFinished })
	job := f.job()
	exactly(f.t, readLines(f.t, f.mustRun(0, "results", job.ID, "--json")), targets, 1)
	if job.Done != len(targets) || job.Refused != len(forbidden) || job.Alive != len(targets)-len(forbidden) {
		f.t.Errorf("of %d targets %d are done, %d refused, want %d, %d alive", len(targets), job.Done, job.Refused, len(forbidden), job.Alive)
	}
	return job
}

func (f *fleetOfProcesses) rounds() map[string][]*wire.Round { return allRounds(f.t, f.admin) }

// allRounds are those of the mesh, by agent.
func allRounds(t *testing.T, token string) map[string][]*wire.Round {
	t.Helper()
	all := map[string][]*wire.Round{}
	c := &command{join: token, out: io.Discard, errs: io.Discard}
	err := c.asker(func(asker *client.Client) error {
		for round, err := range asker.Mesh(t.Context(), nil, time.Hour) {
			if err != nil {
				return err
			}
			all[round.Agent] = append(all[round.Agent], round)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkRounds checks that the rounds of each run of an agent are all there, each once, in the
// order of time, and that they lost what the network did: a third on the way to lossy.
func checkRounds(t *testing.T, all map[string][]*wire.Round) {
	t.Helper()
	toLossy, surely, perhaps := 0, 0, 0
	for agent, rounds := range all {
		last := map[string]*wire.Round{}
		for _, r := range rounds {
			if before := last[r.Boot]; before != nil && (r.Seq != before.Seq+1 || !r.Start.After(before.Start)) && r.Dropped == before.Dropped {
				t.Errorf("%s: behind round %d of %v there is round %d of %v", agent, before.Seq, before.Start, r.Seq, r.Start)
			}
			last[r.Boot] = r
			for _, p := range r.Pairs {
				lost := p.Sent - p.Received - p.Unsettled - p.Suspect
				if p.Peer == "lossy" { // it loses every third packet of all agents together
					toLossy, surely, perhaps = toLossy+p.Sent, surely+lost, perhaps+p.Sent-p.Received
				} else if lost > 0 {
					t.Errorf("%s to %s, round %d: %d of %d are lost", agent, p.Peer, r.Seq, lost, p.Sent)
				}
			}
		}
	}
	if bound := toLossy/10 + 3; surely > toLossy/3+bound || perhaps < toLossy/3-bound {
		t.Errorf("%d to %d of %d packets to lossy are lost, and the network loses every third", surely, perhaps, toLossy)
	}
}

// proxy carries the connections of agents to the hub, and can cut them.
type proxy struct {
	listener net.Listener
	to       string
	watch    func(fromAgent []byte) bool // false: this is not carried, and the connection ends; may be nil

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

func newProxy(t *testing.T, to string, watch func([]byte) bool) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, to: to, watch: watch, open: map[net.Conn]bool{}}
	t.Cleanup(func() { listener.Close(); p.set(true) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.carry(conn)
		}
	}()
	return p
}

// set cuts all connections and takes no new ones, or takes them again.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for conn := range p.open {
		if cut {
			conn.Close()
		}
	}
}

func (p *proxy) carry(agent net.Conn) {
	defer agent.Close()
	hub, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer hub.Close()
	p.mu.Lock()
	if p.cut {
		p.mu.Unlock()
		return
	}
	p.open[agent] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, agent)
		p.mu.Unlock()
	}()
	go func() { io.Copy(agent, hub); agent.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := agent.Read(buffer)
		if err != nil || p.watch != nil && !p.watch(buffer[:n]) {
			return
		}
		if _, err := hub.Write(buffer[:n]); err != nil && !errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// The commands at the head of the manifests, with a kubectl that knows two nodes and runs what it
// is to run in the hub here.
func TestTheCommandsOfTheManifestsEnrollTheNodes(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	dir := t.TempDir()
	var script strings.Builder
	for line := range strings.Lines(read(t, "examples/fleet/kubernetes.yaml")) {
		if command, ok := strings.CutPrefix(line, "#   "); ok {
			script.WriteString(command)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	stub := fmt.Sprintf(`#!/bin/sh
case "$1 $2" in
"get nodes") printf 'node/ip-10-0-0-1.ec2.internal\nnode/plain\n' ;;
"exec icmp-fleet-hub-0") shift 4; %s=1 exec %q $(echo "$@" | sed 's,/data/admin.token,%s,') ;;
"create secret") echo "$@" >> %s/secrets ;;
esac
`, mainVariable, self, l.admin, dir)
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(stub), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-e", "-c", script.String())
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for node, name := range map[string]string{"ip-10-0-0-1.ec2.internal": "ip-10-0-0-1-ec2-internal", "plain": "plain"} {
		token, err := wire.ReadToken(filepath.Join(dir, "tokens", node))
		if err != nil || token.Name != name {
			t.Errorf("%s: %v, %v", node, token, err)
		}
		view := l.hub.View()
		if m := view.Fleet.Member(name); m == nil || m.Site != "k8s" {
			t.Errorf("%s is enrolled as %v", node, m)
		}
	}
	secrets, err := os.ReadFile(filepath.Join(dir, "secrets"))
	if err != nil || strings.Count(string(secrets), "\n") != 2 {
		t.Errorf("secrets: %s, %v", secrets, err)
	}
}
