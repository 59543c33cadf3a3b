// Package hub is the middle of a fleet: an embedded NATS server, or a connection to one of the
// user's, the streams in it, who is enrolled, and the jobs.
package hub

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// Config says how a hub works. Only Dir is needed.
type Config struct {
	Dir    string // where everything is that is to last
	Listen string // where NATS listens; the default is 127.0.0.1:4222

	// URL is how agents reach NATS; tokens say it. The default is made of Listen.
	URL string

	// TLSCert and TLSKey are files. Without them the hub makes a certificate of its own
	// where Listen is not loopback, which tokens carry.
	TLSCert, TLSKey string

	// External is where NATS of the user's is, in place of the embedded one: a URL, or several
	// with commas between them. Keys and permissions are then his to enter there: see
	// [Configuration]. URL is External by default.
	External string
	CA       string // the certificates, in PEM, that those of External are to be signed by; "": the system's
	Replicas int    // on how many servers of External each stream and bucket is; the default is 1

	Limits    policy.Limits // what agents may do at the most
	Mesh      wire.Mesh     // zero fields: a round of 60 pings a minute, 2 s, routes every 10 minutes, 50 agents
	Keep      time.Duration // of results and rounds; the default is 7 days
	MeshBytes int64         // of rounds; the default is 1 GiB
	AckWait   time.Duration // after so long without a sign of life a shard is another agent's; the default is 30 s

	Log *slog.Logger // the default is silence
}

// Hub is a hub at work, from Start to Close.
type Hub struct {
	cfg      Config
	log      *slog.Logger
	registry *registry
	server   *natsServer // nil: external
	ca       string
	tls      *tls.Config
	nc       *nats.Conn
	js       jetstream.JetStream
	agents   jetstream.KeyValue
	config   jetstream.KeyValue
	jobs     *jobs
	mesh     *Mesh

	mu       sync.Mutex
	presence map[string]wire.Presence
	fleet    wire.Fleet
	queues   map[string]bool // that have their consumers

	spoilt     chan struct{} // closed when only another start helps
	end        context.CancelFunc
	background sync.WaitGroup
}

// AdminToken is the file, in Config.Dir, with which the hub's own machine administers it.
const AdminToken = "admin.token"

func (c *Config) fill() {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:4222")
	c.Keep = cmp.Or(c.Keep, 7*24*time.Hour)
	c.MeshBytes = cmp.Or(c.MeshBytes, 1<<30)
	c.AckWait = cmp.Or(c.AckWait, 30*time.Second)
	c.Replicas = max(c.Replicas, 1)
	c.Mesh.Every = cmp.Or(c.Mesh.Every, policy.Duration(time.Minute))
	c.Mesh.Count = cmp.Or(c.Mesh.Count, 60)
	c.Mesh.Timeout = cmp.Or(c.Mesh.Timeout, policy.Duration(2*time.Second))
	c.Mesh.Retrace = cmp.Or(c.Mesh.Retrace, policy.Duration(10*time.Minute))
	c.Mesh.Complete = cmp.Or(c.Mesh.Complete, 50)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Start starts a hub. It is at work when Start returns.
func Start(ctx context.Context, cfg Config) (_ *Hub, err error) {
	cfg.fill()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	h := &Hub{cfg: cfg, log: cfg.Log, presence: map[string]wire.Presence{}, queues: map[string]bool{}, spoilt: make(chan struct{})}
	if h.registry, err = openRegistry(filepath.Join(cfg.Dir, registryFile)); err != nil {
		return nil, err
	}
	ctx, h.end = context.WithCancel(ctx)
	for _, f := range []func(context.Context) error{h.connect, h.open} {
		if err := f(ctx); err != nil {
			h.Close()
			return nil, err
		}
	}
	for _, f := range []func(context.Context){h.watchAgents, h.keepFleet, h.jobs.watch, h.jobs.keepDeadlines, h.mesh.watch, h.watchDisk} {
		h.background.Go(func() { f(ctx) })
	}
	if err := errors.Join(h.serve(), h.announce(ctx), h.writeAdminToken()); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Close ends the hub.
func (h *Hub) Close() {
	h.end()
	if h.nc != nil {
		h.nc.Close()
	}
	h.background.Wait()
	if h.server != nil {
		h.server.Shutdown()
		h.server.WaitForShutdown()
	}
}

func (h *Hub) connect(ctx context.Context) (err error) {
	if h.cfg.External != "" {
		h.ca, h.cfg.URL = h.cfg.CA, cmp.Or(h.cfg.URL, h.cfg.External)
		seed, err := hubSeed(h.cfg.Dir)
		if err != nil {
			return err
		}
		if h.nc, err = (&wire.Token{URL: h.cfg.External, Name: "hub", Seed: seed, CA: h.ca}).Connect(); err != nil {
			return fmt.Errorf("NATS at %s: %w: does it have the key and the permissions that icmp-fleet permissions prints?", h.cfg.External, err)
		}
		return nil
	}
	certificate, ca, err := certificate(&h.cfg)
	if err != nil {
		return err
	}
	h.ca, h.tls = ca, certificate
	if h.server, err = startServer(&h.cfg, h.registry, certificate, h.log); err != nil {
		return err
	}
	if h.cfg.URL == "" {
		h.cfg.URL = "nats://" + h.server.Addr().String()
	}
	h.nc, err = h.server.connect()
	return err
}

// noSpace is the error of JetStream for a stream that may grow larger than the disk.
const noSpace jetstream.ErrorCode = 10047

// open makes the streams and buckets that are not there yet, and brings those that are to the
// settings of now.
func (h *Hub) open(ctx context.Context) (err error) {
	if h.js, err = jetstream.New(h.nc); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, c := range []jetstream.StreamConfig{
		{Name: wire.StreamWork, Subjects: []string{wire.WorkAll}, Retention: jetstream.WorkQueuePolicy},
		{Name: wire.StreamRes, Subjects: []string{wire.ResAll}, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
			DiscardNewPerSubject: true, MaxAge: h.cfg.Keep, AllowDirect: true},
		{Name: wire.StreamMesh, Subjects: []string{wire.MeshAll}, MaxAge: h.cfg.Keep, MaxBytes: h.cfg.MeshBytes, AllowDirect: true},
	} {
		c.Replicas = h.cfg.Replicas
		if err := patiently(ctx, func(ctx context.Context) error { _, err := h.js.CreateOrUpdateStream(ctx, c); return err }); err != nil {
			var api *jetstream.APIError
			if errors.As(err, &api) && api.ErrorCode == noSpace {
				return fmt.Errorf("%s has no room for %d bytes of rounds: reduce the size, or use a larger disk", h.cfg.Dir, h.cfg.MeshBytes)
			}
			return fmt.Errorf("stream %s on %d servers: %w: does the cluster have that many?", c.Name, c.Replicas, err)
		}
	}
	bucket := func(c jetstream.KeyValueConfig) (kv jetstream.KeyValue) {
		if c.Replicas = h.cfg.Replicas; err == nil {
			kv, err = h.js.CreateOrUpdateKeyValue(ctx, c)
		}
		return kv
	}
	h.agents = bucket(jetstream.KeyValueConfig{Bucket: wire.BucketAgents, TTL: wire.PresenceTTL,
		LimitMarkerTTL: wire.PresenceTTL, Storage: jetstream.MemoryStorage})
	h.config = bucket(jetstream.KeyValueConfig{Bucket: wire.BucketConfig})
	list := bucket(jetstream.KeyValueConfig{Bucket: wire.BucketJobs, TTL: h.cfg.Keep + 24*time.Hour})
	if err != nil {
		return err
	}
	if entry, err := h.config.Get(ctx, wire.KeyFleet); err == nil { // it has the addresses of agents that are away
		if err := json.Unmarshal(entry.Value(), &h.fleet); err != nil {
			return fmt.Errorf("the configuration of the last run: %w", err)
		}
	}
	h.mesh = newMesh(h.js, h.log)
	h.jobs, err = openJobs(ctx, h, list)
	return err
}

// patiently asks again what a cluster that has no leader yet does not answer, until ctx ends.
func patiently(ctx context.Context, f func(context.Context) error) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := f(attempt)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
	}
}

// watchAgents follows who is there.
func (h *Hub) watchAgents(ctx context.Context) {
	for ctx.Err() == nil {
		watcher, err := h.agents.WatchAll(ctx)
		if err != nil {
			wire.Sleep(ctx, time.Second)
			continue
		}
		for update := range watcher.Updates() {
			if update == nil { // all that was there
				continue
			}
			h.note(ctx, update)
		}
		wire.Sleep(ctx, time.Second)
	}
}

func (h *Hub) note(ctx context.Context, update jetstream.KeyValueEntry) {
	var p wire.Presence
	name := update.Key()
	there := update.Operation() == jetstream.KeyValuePut && json.Unmarshal(update.Value(), &p) == nil
	h.mu.Lock()
	before, was := h.presence[name]
	if there {
		p.Name = name
		h.presence[name] = p
	} else {
		delete(h.presence, name)
	}
	h.mu.Unlock()
	if there && !was {
		h.log.Info("an agent is there", "agent", name, "address", p.Address, "version", p.Age())
	} else if !there && was {
		h.log.Warn("an agent is away", "agent", name)
	}
	if there && before.Address != p.Address {
		h.announceLogged(ctx)
	}
}

// View is who is enrolled, and who is there.
func (h *Hub) View() wire.View {
	h.mu.Lock()
	defer h.mu.Unlock()
	return wire.View{Fleet: h.fleet, Agents: maps.Clone(h.presence)}
}

// keepFleet says again and again that the fleet holds: who does not hear it probes nothing.
func (h *Hub) keepFleet(ctx context.Context) {
	for wire.Sleep(ctx, wire.ConfigEvery) {
		h.announceLogged(ctx)
	}
}

func (h *Hub) announceLogged(ctx context.Context) {
	if err := h.announce(ctx); err != nil && ctx.Err() == nil {
		h.log.Error("the configuration cannot be written", "error", err)
	}
}

// announce writes the fleet, and tells the agents. The queues of its agents have consumers
// before.
func (h *Hub) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	fleet := wire.Fleet{Version: wire.Version, Agents: h.registry.members(), Mesh: h.cfg.Mesh, Limits: h.cfg.Limits}
	h.mu.Lock()
	known := map[string]netip.Addr{} // of agents that are away, too
	for _, m := range h.fleet.Agents {
		known[m.Name] = m.Address
	}
	for i := range fleet.Agents {
		m := &fleet.Agents[i]
		if p, ok := h.presence[m.Name]; ok && !m.Address.IsValid() {
			m.Address = p.Address
		} else if !m.Address.IsValid() {
			m.Address = known[m.Name]
		}
	}
	h.fleet = fleet
	h.mu.Unlock()
	if err := h.makeQueues(ctx, fleet); err != nil {
		return err
	}
	text, err := json.Marshal(fleet)
	if err != nil {
		return err
	}
	if _, err := h.config.Put(ctx, wire.KeyFleet, text); err != nil {
		return err
	}
	return h.nc.Publish(wire.ConfigNews, nil)
}

// queuesOf are the queues of all agents of a fleet.
func queuesOf(f wire.Fleet) map[string]bool {
	all := map[string]bool{wire.QueueAny: true}
	for _, m := range f.Agents {
		for _, queue := range m.Queues() {
			all[queue] = true
		}
	}
	return all
}

func (h *Hub) makeQueues(ctx context.Context, fleet wire.Fleet) error {
	for queue := range queuesOf(fleet) {
		h.mu.Lock()
		made := h.queues[queue]
		h.mu.Unlock()
		if made {
			continue
		}
		_, err := h.js.CreateOrUpdateConsumer(ctx, wire.StreamWork, jetstream.ConsumerConfig{
			Durable: queue, FilterSubject: "icmp.work." + queue + ".>", AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: h.cfg.AckWait, MaxDeliver: -1, MaxAckPending: 10_000, MaxWaiting: 10_000,
		})
		if err != nil {
			return fmt.Errorf("queue %s: %w", queue, err)
		}
		h.mu.Lock()
		h.queues[queue] = true
		h.mu.Unlock()
	}
	return nil
}

// Enroll enrolls somebody and returns his token. Where NATS is the user's own, he has to enter
// what [Configuration] returns there.
func (h *Hub) Enroll(ctx context.Context, e wire.Enrollment) (*wire.Token, error) {
	if e.Role == wire.RoleAgent && e.Site == "" {
		e.Site = e.Name
	}
	seed, err := h.registry.enroll(e)
	if err != nil {
		return nil, err
	}
	h.log.Info("enrolled", "name", e.Name, "role", e.Role, "site", e.Site, "tags", e.Tags)
	token := &wire.Token{URL: h.cfg.URL, Name: e.Name, Seed: seed, CA: h.ca}
	if e.Role != wire.RoleAgent {
		return token, nil
	}
	return token, h.announce(ctx)
}

// Revoke takes somebody's key away, at once.
func (h *Hub) Revoke(ctx context.Context, name string) error {
	key, err := h.registry.revoke(name)
	if err != nil {
		return err
	}
	if h.server != nil {
		h.server.turnOut(key)
	}
	h.log.Warn("revoked", "name", name)
	if err := h.agents.Delete(ctx, name); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return err
	}
	return h.announce(ctx)
}

// writeAdminToken enrolls the administrator of the hub's own machine the first time.
func (h *Hub) writeAdminToken() error {
	file := filepath.Join(h.cfg.Dir, AdminToken)
	if text, err := os.ReadFile(file); err == nil {
		// The address may be another one than the last time.
		token := &wire.Token{}
		if err := json.Unmarshal(text, token); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if token.URL == h.cfg.URL && token.CA == h.ca {
			return nil
		}
		token.URL, token.CA = h.cfg.URL, h.ca
		return writeToken(file, token)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, taken := h.registry.byName("admin"); taken {
		return nil // the owner of the hub has taken the file away
	}
	token, err := h.Enroll(context.Background(), wire.Enrollment{Name: "admin", Role: wire.RoleAdmin})
	if err != nil {
		return err
	}
	return writeToken(file, token)
}

func writeToken(file string, t *wire.Token) error {
	text, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(file, append(text, '\n'))
}

// Spoilt is closed when the hub has to be closed and started again: a full disk, which has room
// again. A stream that could not be written once is not written any more.
func (h *Hub) Spoilt() <-chan struct{} { return h.spoilt }

// roomToStart is how much there has to be room for before another start.
const roomToStart = 4 << 20

func (h *Hub) watchDisk(ctx context.Context) {
	for h.server != nil && wire.Sleep(ctx, 2*time.Second) {
		if !h.server.unwritten.Load() {
			continue
		}
		file := filepath.Join(h.cfg.Dir, "room")
		err := writeFile(file, make([]byte, roomToStart))
		if errors.Join(err, os.Remove(file)) == nil {
			close(h.spoilt)
			return
		}
		h.log.Error("the disk is full: agents wait with their results until there is room", "folder", h.cfg.Dir)
	}
}

// Jobs returns all jobs, the newest first.
func (h *Hub) Jobs() []wire.Job { return h.jobs.list() }

// Mesh is what is known of the mesh.
func (h *Hub) Mesh() *Mesh { return h.mesh }

// TLS is what the hub proves itself with; nil on loopback, and where NATS is the user's.
func (h *Hub) TLS() *tls.Config { return h.tls }

// URL is how agents reach NATS.
func (h *Hub) URL() string { return h.cfg.URL }
