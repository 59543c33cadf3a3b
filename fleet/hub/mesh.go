package hub

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// remembered is how far back the mesh is known without reading it again.
const remembered = 2 * time.Hour

// Mesh is what is known of the mesh: the last round of each agent, and the ways.
type Mesh struct {
	js  jetstream.JetStream
	log *slog.Logger

	mu      sync.Mutex
	rounds  map[string]*wire.Round // the last of each agent
	ways    map[[2]string]*waysOf  // of each pair
	changed chan struct{}          // closed when there is something new
}

func newMesh(js jetstream.JetStream, log *slog.Logger) *Mesh {
	return &Mesh{js: js, log: log, rounds: map[string]*wire.Round{}, ways: map[[2]string]*waysOf{},
		changed: make(chan struct{})}
}

// watch follows the rounds.
func (m *Mesh) watch(ctx context.Context) {
	since := time.Now().Add(-remembered)
	consume(ctx, m.js, wire.StreamMesh, m.log, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}, func(msg jetstream.Msg) {
		round := &wire.Round{}
		if err := wire.UnpackJSON(msg.Data(), round); err != nil {
			m.log.Error("a round cannot be read", "subject", msg.Subject(), "error", err)
			return
		}
		if msg.Subject() == wire.MeshSubject(round.Agent) { // which the hub's permissions make true of the sender
			m.add(round)
		}
	})
}

// maxWays is how many ways of a pair are remembered.
const maxWays = 8

// waysOf are the ways of a pair that differed, the last one at the end.
type waysOf struct {
	told []wire.PairRoute
	way  wire.Way // all that is known of the last one
	most int      // at how many distances somebody answered when it was told
}

// add takes in a way. Of the traces of one way the one that saw the most is shown: one more
// silent hop is no news.
func (w *waysOf) add(told wire.PairRoute) {
	way, err := wire.ReadWay(told.Route)
	if err != nil {
		return // a page could not show it either
	}
	last := len(w.told) - 1
	switch {
	case last < 0 || w.way.Changed(way) != nil:
		w.told = append(w.told, told)
		w.told = w.told[max(0, len(w.told)-maxWays):]
		w.way, w.most = way, way.Known()
		return
	case way.Known() >= w.most:
		w.told[last], w.most = told, way.Known()
	}
	w.way = w.way.Join(way)
}

func (m *Mesh) add(round *wire.Round) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rounds[round.Agent] = round
	for _, told := range round.Routes {
		pair := [2]string{round.Agent, told.Peer}
		if m.ways[pair] == nil {
			m.ways[pair] = &waysOf{}
		}
		m.ways[pair].add(told)
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

// Changed returns a channel that is closed with the next round.
func (m *Mesh) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Rounds returns the last round of each agent. They are not to be changed.
func (m *Mesh) Rounds() []*wire.Round {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.AppendSeq(make([]*wire.Round, 0, len(m.rounds)), maps.Values(m.rounds))
}

// Ways returns the ways from an agent to another, the last one at the end.
func (m *Mesh) Ways(from, to string) []wire.PairRoute {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ways := m.ways[[2]string{from, to}]; ways != nil {
		return slices.Clone(ways.told)
	}
	return nil
}

// History yields the rounds of an agent since a time, in order.
func (m *Mesh) History(ctx context.Context, agent string, since time.Duration) iter.Seq2[*wire.Round, error] {
	return func(yield func(*wire.Round, error) bool) {
		for body, err := range m.stored(ctx, wire.MeshQuery{Agents: []string{agent}, Since: policy.Duration(since)}) {
			round := &wire.Round{}
			if err == nil {
				err = wire.UnpackJSON(body, round)
			}
			if !yield(round, err) || err != nil {
				return
			}
		}
	}
}

// stored yields the rounds that a query is about, as they are stored, in the order in which
// they came.
func (m *Mesh) stored(ctx context.Context, query wire.MeshQuery) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		since := time.Now().Add(-time.Duration(query.Since))
		cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
			InactiveThreshold: time.Minute}
		for _, agent := range query.Agents {
			if err := wire.CheckName(agent); err != nil {
				yield(nil, err)
				return
			}
			cfg.FilterSubjects = append(cfg.FilterSubjects, wire.MeshSubject(agent))
		}
		consumer, err := m.js.OrderedConsumer(ctx, wire.StreamMesh, cfg)
		if err != nil {
			yield(nil, err)
			return
		}
		info, err := consumer.Info(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer m.js.DeleteConsumer(context.WithoutCancel(ctx), wire.StreamMesh, info.Name)
		for pending := info.NumPending; pending > 0; {
			batch, err := consumer.Fetch(int(min(pending, 500)), jetstream.FetchMaxWait(5*time.Second))
			if err != nil {
				yield(nil, err)
				return
			}
			got := 0
			for msg := range batch.Messages() {
				got++
				pending--
				if !yield(msg.Data(), nil) {
					return
				}
			}
			if err := batch.Error(); err != nil {
				yield(nil, err)
				return
			}
			if got == 0 {
				return // they have grown too old meanwhile
			}
		}
	}
}

// consume calls f with each message of a stream until ctx ends, in order.
func consume(ctx context.Context, js jetstream.JetStream, stream string, log *slog.Logger, cfg jetstream.OrderedConsumerConfig, f func(jetstream.Msg)) {
	for ctx.Err() == nil {
		consumer, err := js.OrderedConsumer(ctx, stream, cfg)
		if err == nil {
			var c jetstream.ConsumeContext
			c, err = consumer.Consume(f, jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
				if !errors.Is(err, nats.ErrConnectionClosed) {
					log.Debug("reading a stream", "stream", stream, "error", err)
				}
			}))
			if err == nil {
				select {
				case <-ctx.Done():
					c.Stop()
				case <-c.Closed():
				}
				continue
			}
		}
		log.Warn("a stream cannot be read", "stream", stream, "error", err)
		wire.Sleep(ctx, time.Second)
	}
}
