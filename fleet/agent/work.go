package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// takeShards takes shards of each queue that is the agent's until ctx ends; life lasts
// until what was taken is done.
func (a *Agent) takeShards(ctx, life context.Context) {
	takers := map[string]context.CancelFunc{}
	var all sync.WaitGroup
	defer all.Wait()
	for ctx.Err() == nil {
		var queues []string
		if fleet := a.fleet.Load(); fleet != nil {
			if self := fleet.Member(a.name); self != nil {
				queues = self.Queues()
			}
		}
		for queue, stop := range takers {
			if !slices.Contains(queues, queue) {
				stop()
				delete(takers, queue)
			}
		}
		for _, queue := range queues {
			if takers[queue] == nil {
				taking, stop := context.WithCancel(ctx)
				takers[queue] = stop
				all.Go(func() { a.take(taking, life, queue) })
			}
		}
		wire.Sleep(ctx, time.Second)
	}
	for _, stop := range takers {
		stop()
	}
}

// take takes the shards of a queue, one at a time, when there is a place for one: what waits
// in an agent could be done by another.
func (a *Agent) take(ctx, life context.Context, queue string) {
	var consumer jetstream.Consumer
	for ctx.Err() == nil {
		if a.gate.stale() != nil || !a.nc.IsConnected() {
			wire.Sleep(ctx, time.Second)
			continue
		}
		if consumer == nil {
			found, cancel := context.WithTimeout(ctx, 5*time.Second)
			c, err := a.js.Consumer(found, wire.StreamWork, queue)
			cancel()
			if err != nil {
				wire.Sleep(ctx, time.Second+rand.N(2*time.Second))
				continue
			}
			consumer = c
		}
		if a.gate.enter(ctx) != nil {
			return
		}
		a.gate.leave() // a place is free now; it is taken when there is a shard
		next, cancel := context.WithTimeout(ctx, 10*time.Second)
		msg, err := consumer.Next(jetstream.FetchContext(next))
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoMessages):
		case err != nil:
			consumer = nil
			wire.Sleep(ctx, time.Second+rand.N(time.Second))
		case ctx.Err() != nil:
			msg.Nak()
		default:
			a.takeShard(ctx, life, msg)
		}
	}
}

// takeShard waits for a place for a shard and starts it.
func (a *Agent) takeShard(ctx, life context.Context, msg jetstream.Msg) {
	shard := &wire.Shard{}
	if err := json.Unmarshal(msg.Data(), shard); err != nil {
		a.log.Error("a shard cannot be read", "subject", msg.Subject(), "error", err)
		msg.NakWithDelay(time.Minute) // another agent, or another version, may
		return
	}
	if shard.Version > wire.Version {
		a.log.Error("a shard is left to newer agents: upgrade this one", "job", shard.Job, "needs", shard.Version, "knows", wire.Version)
		msg.NakWithDelay(time.Minute)
		return
	}
	running, done := a.begin(life, fmt.Sprintf("%s/%d", wire.CancelJob(shard.Job), shard.Shard))
	beating := beat(running, msg)
	if err := a.gate.enter(ctx); err != nil {
		beating()
		done()
		msg.Nak()
		return
	}
	go func() {
		defer done()
		defer a.gate.leave()
		a.doShard(running, shard, msg, beating)
	}()
}

// beat tells the hub that a shard is being worked on until it is called.
func beat(ctx context.Context, msg jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for wire.Sleep(ctx, wire.BeatEvery) {
			msg.InProgress()
		}
	}()
	return cancel
}

// doShard does a shard, stores its result and acknowledges it, in this order: who dies
// between has done it twice, and reported once.
func (a *Agent) doShard(ctx context.Context, shard *wire.Shard, msg jetstream.Msg, stopBeat func()) {
	defer stopBeat()
	watched, stop := a.gate.watch(ctx)
	defer stop(nil)
	result, err := a.runShard(watched, shard)
	switch {
	case err == nil:
		a.log.Info("a shard is done", "asker", shard.Asker, "job", shard.Job, "shard", shard.Shard, "kind", shard.Measure.Kind,
			"targets", result.Header.Get(wire.HeaderTargets), "refused", result.Header.Get(wire.HeaderRefused))
		a.storeShard(ctx, result, msg)
	case errors.Is(context.Cause(ctx), errCalledOff):
		msg.Ack()
	default:
		a.log.Warn("a shard is given back", "job", shard.Job, "shard", shard.Shard, "error", err)
		msg.NakWithDelay(time.Second)
	}
}

// storeShard stores a result where there is none yet, and goes on until that is certain.
func (a *Agent) storeShard(ctx context.Context, result *nats.Msg, msg jetstream.Msg) {
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := a.js.PublishMsg(attempt, result, jetstream.WithExpectLastSequencePerSubject(0), jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil || wire.AlreadyThere(err) {
			break
		}
		a.log.Warn("a result cannot be stored yet", "subject", result.Subject, "error", err)
		if !wire.Sleep(ctx, wait/2+rand.N(wait/2)) {
			if errors.Is(context.Cause(ctx), errCalledOff) {
				msg.Ack()
			}
			return // the shard comes again, to somebody
		}
	}
	a.shards.Add(1)
	ack, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := msg.DoubleAck(ack); err != nil {
		a.log.Warn("a shard will be delivered again, because its acknowledgement was lost", "subject", result.Subject, "error", err)
	}
}

// runShard measures the targets of a shard. Each of them has a result, whatever it is.
func (a *Agent) runShard(ctx context.Context, shard *wire.Shard) (*nats.Msg, error) {
	m, err := shard.Measure.Filled()
	if err != nil {
		return nil, err
	}
	prober, rules := a.gate.current()
	bounded, cancel := longest(ctx, rules.Longest())
	defer cancel()
	run := &shardRun{Measure: m, lines: make([]byte, 0, 256*len(shard.List()))}
	if run.packet, err = m.Packet(); err != nil {
		return nil, err
	}
	run.sort(bounded, prober, rules, shard.List())
	if m.Kind == "traceroute" {
		err = run.traceroute(bounded, prober)
	} else {
		err = run.ping(bounded, prober)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil && bounded.Err() == nil {
		return nil, err
	}
	a.refused.Add(int64(run.refused))
	return a.shardResult(shard, run)
}

func (a *Agent) shardResult(shard *wire.Shard, run *shardRun) (*nats.Msg, error) {
	body, err := wire.Pack(run.lines)
	if err != nil {
		return nil, err
	}
	agent := ""
	if shard.Each {
		agent = a.name
	}
	msg := nats.NewMsg(wire.ResSubject(shard.Job, shard.Shard, agent))
	msg.Data = body
	for name, value := range map[string]string{
		wire.HeaderAgent: a.name, wire.HeaderJob: shard.Job, wire.HeaderShard: strconv.Itoa(shard.Shard),
		wire.HeaderTargets: strconv.Itoa(run.targets), wire.HeaderAlive: strconv.Itoa(run.alive),
		wire.HeaderRefused: strconv.Itoa(run.refused),
	} {
		msg.Header.Set(name, value)
	}
	return msg, nil
}

// shardRun is a shard while it is measured.
type shardRun struct {
	wire.Measure
	packet  icmplib.Packet
	names   map[string][]string // of the addresses that are probed; a target may be there twice
	addrs   []string
	lines   []byte
	targets int
	alive   int
	refused int
}

// resolvers is how many names of a shard are looked up at a time.
const resolvers = 16

// sort separates the targets that may be probed from those that have their result.
func (r *shardRun) sort(ctx context.Context, prober *icmplib.Prober, rules policy.Policy, targets []string) {
	r.names = make(map[string][]string, len(targets))
	type verdict struct {
		addr string
		err  error
	}
	verdicts := make([]verdict, len(targets))
	places := make(chan struct{}, resolvers)
	var all sync.WaitGroup
	for i, target := range targets {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			addr, err := allowedTarget(ctx, prober, rules, target, r.Measure)
			verdicts[i] = verdict{addr.String(), err}
		})
	}
	all.Wait()
	for i, target := range targets {
		v := verdicts[i]
		if v.err == nil {
			r.addrs = append(r.addrs, v.addr)
			r.names[v.addr] = append(r.names[v.addr], target)
			continue
		}
		var refusal *policy.Refusal
		if errors.As(v.err, &refusal) {
			r.refused++
		}
		r.lines, _ = wire.Unprobed(r.lines, r.Kind, target, v.err) // no result of the library's has no JSON
		r.targets++
	}
}

// name returns the target that an address stands for.
func (r *shardRun) name(addr string) string {
	name := r.names[addr][0]
	r.names[addr] = r.names[addr][1:]
	return name
}

func (r *shardRun) add(result jsonAppender, alive bool) {
	lines, err := result.AppendJSON(r.lines)
	if err != nil {
		return // no result of the library's has none
	}
	r.lines = append(lines, '\n')
	r.targets++
	if alive {
		r.alive++
	}
}

func (r *shardRun) ping(ctx context.Context, prober *icmplib.Prober) error {
	opts := &icmplib.MultiPingOptions{Count: r.Count, Interval: time.Duration(r.Interval), Timeout: time.Duration(r.Timeout),
		Rate: -1, Packet: r.packet}
	for host, err := range prober.MultiPingSeq(ctx, slices.Values(r.addrs), opts) {
		if err != nil {
			return err
		}
		host.Name = r.name(host.Name)
		r.add(host, host.IsAlive())
	}
	return nil
}

func (r *shardRun) traceroute(ctx context.Context, prober *icmplib.Prober) error {
	opts := &icmplib.MultiTracerouteOptions{Count: r.Count, Interval: time.Duration(r.Interval), Timeout: time.Duration(r.Timeout),
		MaxHops: r.MaxHops, Rate: -1, Packet: r.packet}
	for route, err := range prober.MultiTracerouteSeq(ctx, slices.Values(r.addrs), opts) {
		if err != nil {
			return err
		}
		route.Name = r.name(route.Name)
		r.add(route, route.Reached)
	}
	return nil
}
