package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/wire"
)

// mesh is what the agent knows of its peers from round to round. Only meshRounds uses it.
type mesh struct {
	seq   uint64
	paths map[string]*peerPath
}

// peerPath is the way to a peer as it was seen last.
type peerPath struct {
	way    wire.Way // all that is known of it since it changed
	traced time.Time
	told   time.Time
	bad    int // rounds with loss, one after the other
}

// meshRounds pings the peers, round after round, until ctx ends. The rounds of an agent begin
// at a moment of its own, so that not all rounds of the fleet end at once.
func (a *Agent) meshRounds(ctx context.Context) {
	m := &mesh{paths: map[string]*peerPath{}}
	var begun time.Time // the last round
	for ctx.Err() == nil {
		fleet := a.fleet.Load()
		if fleet == nil || fleet.Mesh.Off || a.gate.stale() != nil {
			wire.Sleep(ctx, time.Second)
			continue
		}
		every := cmp.Or(time.Duration(fleet.Mesh.Every), time.Minute)
		if !wire.Sleep(ctx, untilNext(begun, a.now(), a.name, every)) {
			return
		}
		begun = a.now()
		a.meshRound(ctx, m, a.fleet.Load(), every)
	}
}

// untilRound is how long it is to the next round of an agent.
func untilRound(now time.Time, name string, every time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(name))
	phase := time.Duration(h.Sum32()) * time.Millisecond % every
	return every - time.Duration(now.UnixNano()-int64(phase))%every
}

// untilNext is how long it is to the round behind one that has begun. A round that took longer than
// its time, on a busy machine, makes the next one late, and does not leave it out.
func untilNext(begun, now time.Time, name string, every time.Duration) time.Duration {
	from := begun.Add(every / 2) // it may have begun somewhat before its moment, or behind it
	if late := now.Sub(from.Add(untilRound(from, name, every))); late > 0 && late < every/2 {
		return 0
	}
	return untilRound(now, name, every)
}

// meshRound pings the peers once a while, and traces those that need it beside that.
func (a *Agent) meshRound(ctx context.Context, m *mesh, fleet *wire.Fleet, every time.Duration) {
	prober, rules := a.gate.current()
	m.seq++
	round := &wire.Round{Version: wire.Version, Agent: a.name, Boot: a.boot, Seq: m.seq, Start: a.now()}
	var peers []wire.Member
	for _, peer := range fleet.Peers(a.name) {
		if !peer.Address.IsValid() {
			continue
		}
		if err := rules.Peer(peer.Address); err != nil {
			a.refused.Add(1)
			round.Pairs = append(round.Pairs, wire.Pair{Peer: peer.Name, Address: peer.Address, Error: err.Error()})
			continue
		}
		peers = append(peers, peer)
	}
	ctx, stop := a.gate.watch(ctx)
	defer stop(nil)
	// The last probes of a round wait for their answers before the next one begins.
	timeout := cmp.Or(time.Duration(fleet.Mesh.Timeout), 2*time.Second)
	count := cmp.Or(fleet.Mesh.Count, 60)
	interval := max(every-timeout-time.Second/10, every/2) / time.Duration(count)
	var both sync.WaitGroup
	both.Go(func() {
		round.Pairs = append(round.Pairs, pingPeers(ctx, prober, peers, &icmplib.MultiPingOptions{
			Count: count, Interval: interval, Timeout: timeout,
			Rate: max(1, int(2*float64(len(peers))/interval.Seconds())), // spread over half of the interval
		})...)
	})
	both.Go(func() { round.Routes = a.tracePeers(ctx, prober, m, peers, fleet, every) })
	both.Wait()
	round.End = a.now()
	for _, pair := range round.Pairs {
		if p := m.paths[pair.Peer]; p != nil && pair.Bad() {
			p.bad++
		} else if p != nil {
			p.bad = 0
		}
	}
	if len(round.Pairs) == 0 {
		return
	}
	_, round.Dropped = a.ring.counts()
	body, err := wire.PackJSON(round)
	if err != nil {
		a.log.Error("a round cannot be written", "error", err)
		return
	}
	a.ring.add(waiting{id: fmt.Sprintf("%s-%d", round.Boot, round.Seq), body: body})
}

// pingPeers pings the peers, and returns what became of it, also where ctx has cut it short.
func pingPeers(ctx context.Context, prober *icmplib.Prober, peers []wire.Member, opts *icmplib.MultiPingOptions) []wire.Pair {
	at := byAddress(peers)
	var pairs []wire.Pair
	for host, err := range prober.MultiPingSeq(ctx, maps.Keys(at), opts) {
		if err != nil {
			break // what was cut short was handed out before
		}
		for _, peer := range at[host.Name] {
			if host.PacketsSent > 0 || host.Err != nil && ctx.Err() == nil {
				pairs = append(pairs, wire.PairOf(peer.Name, host))
			}
		}
	}
	return pairs
}

// byAddress returns the peers at each address, which several may share.
func byAddress(peers []wire.Member) map[string][]wire.Member {
	at := map[string][]wire.Member{}
	for _, peer := range peers {
		addr := peer.Address.String()
		at[addr] = append(at[addr], peer)
	}
	return at
}

// tracePeers traces the peers whose way is to be looked at: new ones, those not traced for
// long, and those that lose packets. It returns the ways that are worth telling.
func (a *Agent) tracePeers(ctx context.Context, prober *icmplib.Prober, m *mesh, peers []wire.Member, fleet *wire.Fleet, every time.Duration) []wire.PairRoute {
	retrace := cmp.Or(time.Duration(fleet.Mesh.Retrace), 10*time.Minute)
	var due []wire.Member
	for _, peer := range peers {
		known := m.paths[peer.Name]
		if known == nil {
			known = &peerPath{}
			m.paths[peer.Name] = known
		}
		// Loss is looked into when it begins, and then seldom.
		if known.traced.IsZero() || time.Since(known.traced) > retrace || known.bad == 1 || known.bad > 0 && known.bad%5 == 0 {
			known.traced = time.Time{} // also if the trace is cut short
			due = append(due, peer)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, every)
	defer cancel()
	at := byAddress(due)
	var routes []wire.PairRoute
	for route, err := range prober.MultiTracerouteSeq(ctx, maps.Keys(at), &icmplib.MultiTracerouteOptions{
		GapLimit: 5, Rate: 500, Timeout: time.Duration(fleet.Mesh.Timeout)}) {
		if err != nil || ctx.Err() != nil {
			break
		}
		for _, peer := range at[route.Name] {
			m.paths[peer.Name].traced = time.Now().Add(-rand.N(retrace / 10)) // not all again at once
			if told := m.tell(peer.Name, route, a.now()); told != nil {
				routes = append(routes, *told)
			}
		}
	}
	return routes
}

// tell returns the way to a peer where it is worth telling.
func (m *mesh) tell(peer string, route *icmplib.Route, now time.Time) *wire.PairRoute {
	known, way := m.paths[peer], wire.WayOf(route)
	why := ""
	changed := known.way.Changed(way) != nil
	switch {
	case known.told.IsZero():
		why = "first"
	case changed:
		why = "changed"
	case known.bad > 0:
		why = "loss"
	case time.Since(known.told) > time.Hour: // the hub may have forgotten it
		why = "unchanged"
	}
	if !changed {
		way = known.way.Join(way)
	}
	known.way = way
	if why == "" {
		return nil
	}
	known.told = time.Now()
	named := *route
	named.Name = peer
	text, err := named.AppendJSON(nil)
	if err != nil {
		return nil
	}
	return &wire.PairRoute{Peer: peer, Time: now, Why: why, Route: text}
}

// sendRounds hands the rounds to the hub, each once, in the order of time: a round is stored
// only behind the one before. Where it is not certain whether a round was stored, the last
// one that is there tells.
func (a *Agent) sendRounds(ctx context.Context) {
	last, known := uint64(0), false
	for wait := time.Second; ; {
		next, ok := a.ring.oldest(ctx)
		if !ok {
			return
		}
		stored := false
		var err error
		if !known {
			last, stored, err = a.lastRound(ctx, next.id)
			known = err == nil
		}
		if err == nil && !stored {
			last, err = a.storeRound(ctx, next, last)
			stored, known = err == nil, err == nil
		}
		if stored {
			a.ring.remove(next.id)
			a.rounds.Add(1)
			wait = time.Second
			continue
		}
		a.log.Debug("a round waits", "error", err)
		if !wire.Sleep(ctx, wait/2+rand.N(wait/2)) {
			return
		}
		wait = min(2*wait, 15*time.Second)
	}
}

// headerRound names a round in the stream.
const headerRound = "Icmp-Round"

// lastRound returns the sequence number of the last round that is stored, and whether it is
// the one with an id.
func (a *Agent) lastRound(ctx context.Context, id string) (uint64, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := a.js.Stream(ctx, wire.StreamMesh)
	if err != nil {
		return 0, false, err
	}
	msg, err := stream.GetLastMsgForSubject(ctx, wire.MeshSubject(a.name))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return msg.Sequence, msg.Header.Get(headerRound) == id, nil
}

func (a *Agent) storeRound(ctx context.Context, w waiting, last uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	msg := nats.NewMsg(wire.MeshSubject(a.name))
	msg.Header.Set(headerRound, w.id)
	msg.Data = w.body
	ack, err := a.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(last), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}
