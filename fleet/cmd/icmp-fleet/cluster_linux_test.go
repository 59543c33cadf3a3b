package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// natsCluster is a cluster of the user's, of three servers that are processes.
type natsCluster struct {
	t       *testing.T
	dir     string // of the hub's data
	conf    string // the folder of the configuration
	urls    []string
	servers []*process
}

func newNATSCluster(t *testing.T) *natsCluster {
	t.Helper()
	c := &natsCluster{t: t, dir: filepath.Join(t.TempDir(), "data"), conf: t.TempDir()}
	var listen, routes []string
	for i := range 6 {
		listen = append(listen, fmt.Sprint("127.0.0.1:", 4222+i))
	}
	for _, address := range listen[3:] {
		routes = append(routes, "nats://"+address)
	}
	c.write()
	for i, address := range listen[:3] {
		c.urls = append(c.urls, "nats://"+address)
		file := filepath.Join(c.conf, fmt.Sprintf("nats%d.conf", i))
		text := fmt.Sprintf("server_name: n%d\nlisten: %q\njetstream { store_dir: %q, max_mem: 64M, max_file: 256M }\n"+
			"cluster { name: icmp, listen: %q, routes: [%s] }\ninclude icmp-fleet.conf\n",
			i, address, filepath.Join(c.conf, fmt.Sprint(i)), listen[3+i], strings.Join(routes, ", "))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.servers = append(c.servers, startProcess(t, nil, "nats-server", file))
	}
	for _, address := range listen[:3] { // before a signal could end it
		until(t, time.Minute, "a server listens", func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
	return c
}

// write writes the part of the configuration that icmp-fleet permissions prints.
func (c *natsCluster) write() {
	c.t.Helper()
	text, err := hub.Configuration(c.dir)
	if err == nil {
		err = os.WriteFile(filepath.Join(c.conf, "icmp-fleet.conf"), []byte(text), 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// admit has the servers read their configuration again, and waits until each lets a token in.
func (c *natsCluster) admit(token *wire.Token) {
	c.t.Helper()
	c.write()
	for i, url := range c.urls {
		c.servers[i].signal(syscall.SIGHUP)
		one := *token
		one.URL = url
		until(c.t, time.Minute, "a server lets "+token.Name+" in", func() bool {
			nc, err := one.Connect()
			if err == nil {
				nc.Close()
			}
			return err == nil
		})
	}
}

// start starts a hub, as soon as the cluster has a leader.
func (c *natsCluster) start(replicas int) *hub.Hub {
	c.t.Helper()
	var h *hub.Hub
	until(c.t, 2*time.Minute, "the hub starts", func() (ok bool) {
		var err error
		h, err = hub.Start(context.Background(), hub.Config{Dir: c.dir, External: strings.Join(c.urls, ","), Replicas: replicas,
			Mesh: fastMesh, MeshBytes: 1 << 20, AckWait: 10 * time.Second, Log: testLog(c.t)})
		if err != nil {
			c.t.Log(err)
		}
		return err == nil
	})
	c.t.Cleanup(h.Close)
	return h
}

// More replicas than servers are refused with what to do.
func TestReplicasNeedServers(t *testing.T) {
	if code, _, errs := runAs(t, "", "hub", "--replicas", "3"); code != 3 || !strings.Contains(errs, "--nats") {
		t.Errorf("%d %s", code, errs)
	}
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	l.hub.Close()
	l.cfg.Replicas = 3
	if _, err := hub.Start(context.Background(), l.cfg); err == nil || !strings.Contains(err.Error(), "on 3 servers") || !strings.Contains(err.Error(), "have that many") {
		t.Error(err)
	}
}

// Streams on three servers of the user's: a sweep and the mesh survive that one of them is killed,
// and then that the hub is replaced, and so does the command that waits for the sweep's end.
func TestAClusterOfTheUsersSurvivesAServer(t *testing.T) {
	t.Parallel()
	netlab.Test(t, netlab.Config{Tries: 3}, clusterSurvives)
}

func clusterSurvives(t *testing.T) {
	c := newNATSCluster(t)
	seed, err := os.ReadFile(filepath.Join(c.dir, "hub.seed"))
	if err != nil {
		t.Fatal(err)
	}
	hubs := &wire.Token{URL: strings.Join(c.urls, ","), Name: "hub", Seed: strings.TrimSpace(string(seed))}
	c.admit(hubs)
	l := &lab{t: t, dir: c.dir, hub: c.start(3), admin: filepath.Join(c.dir, hub.AdminToken)}
	nc, err := hubs.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"WORK", "RES", "MESH", "KV_agents", "KV_config", "KV_jobs"} {
		if s, err := js.Stream(t.Context(), name); err != nil || s.CachedInfo().Config.Replicas != 3 {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
	admin, err := wire.ReadToken(l.admin)
	if err != nil {
		t.Fatal(err)
	}
	c.admit(admin)
	for name, at := range map[string]string{"fra1": "10.9.0.1", "lossy": "10.8.0.1"} {
		token, err := l.hub.Enroll(t.Context(), wire.Enrollment{Name: name, Role: wire.RoleAgent, Address: netip.MustParseAddr(at)})
		if err != nil {
			t.Fatal(err)
		}
		c.admit(token)
		l.start(token, func(o *agentOptions) { o.Policy.Concurrency = 2 })
	}
	l.until("rounds of both", func() bool { return len(l.hub.Mesh().Rounds()) == 2 })

	targets := amid(addresses("10.9.0.0", 8192))
	watched := make(chan string, 1)
	go func() {
		code, _, errs := l.run(append([]string{"sweep", writeFile(t, lines(targets))}, slow[1:]...)...)
		watched <- fmt.Sprint(code, " ", errs)
	}()
	job := func() (one wire.Job) {
		if all := l.hub.Jobs(); len(all) > 0 {
			one = all[0]
		}
		return one
	}
	l.until("the sweep is under way", func() bool { return job().Results > 0 })
	c.servers[0].kill()
	before := job().Results
	l.until("it goes on", func() bool { return job().Results > before })
	l.hub.Close()
	l.hub = c.start(3)
	if text := <-watched; !strings.HasPrefix(text, "1 ") || !strings.Contains(text, "finished: 8208 of 8208 targets, 8192 alive, 16 refused") {
		t.Error(text)
	}
	exactly(t, readLines(t, l.mustRun(0, "results", job().ID, "--json")), targets, 1)
	at := time.Now()
	l.until("new rounds of both", func() bool {
		all := l.hub.Mesh().Rounds()
		return len(all) == 2 && all[0].Start.After(at) && all[1].Start.After(at)
	})
	checkRounds(t, allRounds(t, l.admin))
}
