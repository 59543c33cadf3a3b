package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// jobs are the jobs of a hub. What was done is counted from the results that are stored,
// so that a hub that starts again knows it.
type jobs struct {
	h  *Hub
	kv jetstream.KeyValue

	mu  sync.Mutex
	all map[string]*job
}

// job is a job, and what is only known while it runs.
type job struct {
	wire.Job
	have    map[string]bool // the results that are there: "SHARD" or "SHARD.AGENT"
	loaded  map[int]int     // the targets of the shards that were handed in
	touched time.Time       // when a shard was handed in last
	unsaved bool
}

func openJobs(ctx context.Context, h *Hub, kv jetstream.KeyValue) (*jobs, error) {
	j := &jobs{h: h, kv: kv, all: map[string]*job{}}
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer watcher.Stop()
	for update := range watcher.Updates() {
		if update == nil {
			break
		}
		one := &job{have: map[string]bool{}}
		if err := json.Unmarshal(update.Value(), &one.Job); err != nil {
			h.log.Error("a job cannot be read", "job", update.Key(), "error", err)
			continue
		}
		if !one.Over() { // all results are seen again
			one.Results, one.Done, one.Alive, one.Refused, one.PerAgent = 0, 0, 0, 0, nil
		}
		j.all[one.ID] = one
	}
	for _, one := range j.all {
		if one.State == wire.JobLoading { // nobody knows which shards are there
			if _, err := j.end(ctx, one.ID, wire.JobCancelled); err != nil {
				return nil, err
			}
		}
	}
	return j, ctx.Err()
}

// list returns all jobs, the newest first.
func (j *jobs) list() []wire.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]wire.Job, 0, len(j.all))
	for _, one := range j.all {
		all = append(all, one.copy())
	}
	slices.SortFunc(all, func(a, b wire.Job) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (one *job) copy() wire.Job {
	c := one.Job
	c.PerAgent = maps.Clone(c.PerAgent)
	return c
}

func (j *jobs) get(id string) (wire.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	one := j.all[id]
	if one == nil {
		return wire.Job{}, fmt.Errorf("there is no job %q", id)
	}
	return one.copy(), nil
}

// begin makes a job.
func (j *jobs) begin(ctx context.Context, spec wire.Job) (wire.Job, error) {
	measure, err := spec.Measure.Filled()
	if err != nil {
		return wire.Job{}, err
	}
	if measure.Kind != "ping" && measure.Kind != "traceroute" {
		return wire.Job{}, fmt.Errorf("a job is of pings or traces, not of %s", measure.Kind)
	}
	queues := queuesOf(j.h.View().Fleet)
	for _, queue := range spec.Queues {
		if !queues[queue] {
			return wire.Job{}, fmt.Errorf("no agent has the name, site or tag %q", queue)
		}
	}
	if len(spec.Queues) == 0 || len(spec.Queues) > 1 && !spec.Each {
		return wire.Job{}, errors.New("a job that is divided among agents takes one name, site or tag")
	}
	one := &job{have: map[string]bool{}, loaded: map[int]int{}, touched: time.Now(), Job: wire.Job{
		ID: strings.ToLower(wire.NewID()[:10]), Asker: spec.Asker, Measure: measure, Each: spec.Each, Queues: spec.Queues,
		Deadline: cmp.Or(spec.Deadline, policy.Duration(24*time.Hour)), State: wire.JobLoading,
		Created: time.Now().UTC(), PerAgent: map[string]int{}}}
	j.mu.Lock()
	j.all[one.ID] = one
	copied := one.copy()
	j.mu.Unlock()
	j.h.log.Info("a job begins", "job", one.ID, "asker", one.Asker, "kind", measure.Kind, "each", one.Each, "queues", one.Queues)
	return copied, j.save(ctx, copied)
}

// unstored is an error of the streams, and not of the asker, who may try again.
type unstored struct{ error }

// Error returns what could not be done.
func (e unstored) Error() string { return "the hub cannot store it: " + e.error.Error() }

// add puts shards of a job into the queues. The same shards may be handed in again, as by an
// asker who did not get the reply.
func (j *jobs) add(ctx context.Context, asker string, shards wire.Shards) error {
	j.mu.Lock()
	one := j.all[shards.Job]
	if one == nil || one.Asker != asker || one.State != wire.JobLoading {
		j.mu.Unlock()
		return fmt.Errorf("job %q takes no shards", shards.Job)
	}
	spec := one.Job
	one.touched = time.Now()
	j.mu.Unlock()
	size := wire.ShardSize(spec.Measure.Kind)
	var acks []jetstream.PubAckFuture
	for i := range shards.Shards {
		s := &shards.Shards[i]
		n := len(s.Targets)
		if s.First.IsValid() {
			n += s.Count
		}
		if n <= 0 || n > size || s.Shard < 0 || s.First.IsValid() == (s.Targets != nil) {
			return fmt.Errorf("shard %d has %d targets: 1 to %d are allowed", s.Shard, n, size)
		}
		s.Version, s.Job, s.Asker, s.Each, s.Measure = wire.Needed, spec.ID, asker, spec.Each, spec.Measure
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		for _, queue := range spec.Queues {
			subject := wire.WorkSubject(queue, s.Job, s.Shard)
			ack, err := j.h.js.PublishMsgAsync(&nats.Msg{Subject: subject, Data: text}, jetstream.WithMsgID(subject), jetstream.WithStallWait(30*time.Second))
			if err != nil {
				return unstored{err}
			}
			acks = append(acks, ack)
		}
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return unstored{err}
		case <-ctx.Done():
			return unstored{ctx.Err()}
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range shards.Shards {
		s := &shards.Shards[i]
		one.loaded[s.Shard] = len(s.Targets) + s.Count
	}
	return nil
}

// commit says that all shards are there.
func (j *jobs) commit(ctx context.Context, asker, id string) (wire.Job, error) {
	j.mu.Lock()
	one := j.all[id]
	if one == nil || one.Asker != asker {
		j.mu.Unlock()
		return wire.Job{}, fmt.Errorf("there is no job %q of %s", id, asker)
	}
	if one.State != wire.JobLoading { // the reply was lost, or the job could not be saved
		copied := one.copy()
		j.mu.Unlock()
		return copied, j.save(ctx, copied)
	}
	copies := len(one.Reporters())
	for i := range len(one.loaded) {
		n, ok := one.loaded[i]
		if !ok {
			j.mu.Unlock()
			return wire.Job{}, fmt.Errorf("shard %d of job %s is missing", i, id)
		}
		one.Targets += n * copies
	}
	one.Shards, one.State, one.loaded = len(one.loaded), wire.JobRunning, nil
	one.settle()
	copied := one.copy()
	j.mu.Unlock()
	return copied, j.save(ctx, copied)
}

// settle ends a job that has all its results. It reports whether it did.
func (one *job) settle() bool {
	if one.State != wire.JobRunning || one.Results < one.Expected() {
		return false
	}
	one.State, one.Ended, one.have = wire.JobFinished, time.Now().UTC(), nil
	if one.PerAgent[hubItself] > 0 {
		one.State = wire.JobExpired
	}
	return true
}

// end ends a job before all its results are there.
func (j *jobs) end(ctx context.Context, id, state string) (wire.Job, error) {
	j.mu.Lock()
	one := j.all[id]
	if one == nil || one.Over() {
		j.mu.Unlock()
		return wire.Job{}, fmt.Errorf("job %q does not run", id)
	}
	one.State, one.Ended, one.have, one.loaded = state, time.Now().UTC(), nil, nil
	copied := one.copy()
	j.mu.Unlock()
	j.h.log.Info("a job ends", "job", id, "state", state)
	return copied, j.save(ctx, copied)
}

// save writes a job, and calls off what is left of one that is over. What fails is tried again: see
// keepDeadlines.
func (j *jobs) save(ctx context.Context, one wire.Job) error {
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	_, err = j.kv.Put(ctx, one.ID, text)
	if one.Over() && one.Results < one.Expected() {
		err = errors.Join(err, j.callOff(ctx, one.ID))
	}
	if err == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if kept := j.all[one.ID]; kept != nil {
		kept.unsaved = true
	}
	return unstored{err}
}

func (j *jobs) callOff(ctx context.Context, id string) error {
	stream, err := j.h.js.Stream(ctx, wire.StreamWork)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject("icmp.work.*."+id+".*"))
	}
	return errors.Join(err, j.h.nc.Publish(wire.CancelJob(id), nil))
}

// watch counts the results. Their bodies are not read.
func (j *jobs) watch(ctx context.Context) {
	consume(ctx, j.h.js, wire.StreamRes, j.h.log, jetstream.OrderedConsumerConfig{HeadersOnly: true}, func(msg jetstream.Msg) {
		if ended := j.count(msg); ended != nil {
			j.h.log.Info("a job ends", "job", ended.ID, "state", ended.State, "targets", ended.Done, "alive", ended.Alive)
			j.save(ctx, *ended) // or keepDeadlines does
		}
	})
}

// count counts a result, and returns the job if it ends with that.
func (j *jobs) count(msg jetstream.Msg) *wire.Job {
	words := strings.SplitN(strings.TrimPrefix(msg.Subject(), "icmp.res."), ".", 2)
	if len(words) < 2 {
		return nil
	}
	number := func(header string) int {
		n, _ := strconv.Atoi(msg.Headers().Get(header))
		return n
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	one := j.all[words[0]]
	if one == nil || one.Over() || one.have[words[1]] {
		return nil
	}
	one.have[words[1]] = true
	one.Results++
	one.Done += number(wire.HeaderTargets)
	one.Alive += number(wire.HeaderAlive)
	one.Refused += number(wire.HeaderRefused)
	if one.PerAgent == nil {
		one.PerAgent = map[string]int{}
	}
	one.PerAgent[msg.Headers().Get(wire.HeaderAgent)] += number(wire.HeaderTargets)
	if !one.settle() {
		return nil
	}
	copied := one.copy()
	return &copied
}

// loadingFor is how long an asker may take from one shard to the next, and how long a job may take
// behind its deadline: of shards that are lost, as with the streams, there is nothing to be filled in.
const loadingFor = 10 * time.Minute

// keepDeadlines ends jobs whose time is over, and saves those that could not be saved.
func (j *jobs) keepDeadlines(ctx context.Context) {
	for wire.Sleep(ctx, 2*time.Second) {
		for _, f := range j.due(ctx) {
			if err := f(); err != nil && ctx.Err() == nil {
				j.h.log.Error("a job cannot be ended or saved", "error", err)
			}
		}
	}
}

// due returns what there is to do, and drops jobs whose results are no longer kept.
func (j *jobs) due(ctx context.Context) (all []func() error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	maps.DeleteFunc(j.all, func(_ string, one *job) bool {
		return one.Over() && time.Since(one.Ended) > j.h.cfg.Keep+24*time.Hour
	})
	for _, one := range j.all {
		copied, late := one.copy(), time.Since(one.Created)-time.Duration(one.Deadline)
		end := func(state string) func() error {
			return func() error { _, err := j.end(ctx, copied.ID, state); return err }
		}
		switch {
		case one.State == wire.JobLoading && time.Since(one.touched) > loadingFor:
			all = append(all, end(wire.JobCancelled))
		case one.State == wire.JobRunning && late > loadingFor:
			all = append(all, end(wire.JobExpired))
		case one.State == wire.JobRunning && late > 0:
			all = append(all, func() error { return j.expire(ctx, copied) })
		case one.unsaved:
			one.unsaved = false
			all = append(all, func() error { return j.save(ctx, copied) })
		}
	}
	return all
}

// hubItself is whose results those of expire are.
const hubItself = "hub"

// expire gives each target that nobody has asked a result that says so.
func (j *jobs) expire(ctx context.Context, one wire.Job) error {
	stream, err := j.h.js.Stream(ctx, wire.StreamWork)
	if err != nil {
		return err
	}
	for shard := range one.Shards {
		for _, queue := range one.Queues {
			agent := ""
			if one.Each {
				agent = queue
			}
			if err := j.fillIn(ctx, stream, one, shard, queue, agent); err != nil {
				return err
			}
		}
	}
	return nil // the job ends when the last result was counted
}

// errNotInTime is the result of targets that nobody has asked.
var errNotInTime = errors.New("no agent probed it before the job's deadline")

func (j *jobs) fillIn(ctx context.Context, work jetstream.Stream, one wire.Job, number int, queue, agent string) error {
	subject := wire.ResSubject(one.ID, number, agent)
	j.mu.Lock()
	there := j.all[one.ID].have[strings.TrimPrefix(subject, "icmp.res."+one.ID+".")]
	j.mu.Unlock()
	if there {
		return nil
	}
	stored, err := work.GetLastMsgForSubject(ctx, wire.WorkSubject(queue, one.ID, number))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil // it is done, and its result on its way to us
	}
	if err != nil {
		return err
	}
	shard := &wire.Shard{}
	if err := json.Unmarshal(stored.Data, shard); err != nil {
		return err
	}
	result, err := unasked(shard, subject)
	if err != nil {
		return err
	}
	_, err = j.h.js.PublishMsg(ctx, result, jetstream.WithExpectLastSequencePerSubject(0))
	if err != nil && !wire.AlreadyThere(err) {
		return err
	}
	return work.DeleteMsg(ctx, stored.Sequence)
}

// unasked is the result of a shard that nobody has done.
func unasked(shard *wire.Shard, subject string) (*nats.Msg, error) {
	var lines []byte
	var err error
	for _, target := range shard.List() {
		if lines, err = wire.Unprobed(lines, shard.Measure.Kind, target, errNotInTime); err != nil {
			return nil, err
		}
	}
	body, err := wire.Pack(lines)
	if err != nil {
		return nil, err
	}
	msg := nats.NewMsg(subject)
	msg.Data = body
	msg.Header.Set(wire.HeaderAgent, hubItself)
	msg.Header.Set(wire.HeaderTargets, strconv.Itoa(len(shard.List())))
	return msg, nil
}
