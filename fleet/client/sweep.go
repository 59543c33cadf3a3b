package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/wire"
)

// Targets are what a job is about: prefixes, and names and addresses one by one.
type Targets struct {
	Prefixes []netip.Prefix // all of whose addresses are targets
	List     io.Reader      // a target a line; # begins a comment; may be nil
}

// shards yields the targets in shards of a size.
func (t *Targets) shards(size int) iter.Seq2[wire.Shard, error] {
	return func(yield func(wire.Shard, error) bool) {
		number := 0
		send := func(s wire.Shard) bool {
			s.Shard = number
			number++
			return yield(s, nil)
		}
		for _, prefix := range t.Prefixes {
			prefix = prefix.Masked()
			bits := prefix.Addr().BitLen() - prefix.Bits()
			if bits > 32 {
				yield(wire.Shard{}, fmt.Errorf("%s has too many addresses: give a list of those that exist", prefix))
				return
			}
			first := prefix.Addr()
			for left := 1 << bits; left > 0; left -= size {
				n := min(left, size)
				if !send(wire.Shard{First: first, Count: n}) {
					return
				}
				for range n {
					first = first.Next()
				}
			}
		}
		if t.List == nil {
			return
		}
		var targets []string
		lines := bufio.NewScanner(t.List)
		for lines.Scan() {
			line, _, _ := strings.Cut(lines.Text(), "#")
			for _, target := range strings.Fields(line) {
				targets = append(targets, target)
				if len(targets) == size {
					if !send(wire.Shard{Targets: targets}) {
						return
					}
					targets = nil
				}
			}
		}
		if err := lines.Err(); err != nil {
			yield(wire.Shard{}, err)
			return
		}
		if len(targets) > 0 {
			send(wire.Shard{Targets: targets})
		}
	}
}

// batchOf is how many shards are handed in at a time.
const batchOf = 200

// Submit hands in a job, of which Measure, Each, Queues and Deadline are used. Agents begin while
// its targets are still being read. A job that cannot be handed in as a whole is called off.
func (c *Client) Submit(ctx context.Context, spec wire.Job, targets Targets) (job wire.Job, err error) {
	if err := c.hubJSON(ctx, wire.VerbBegin, spec, &job); err != nil {
		return job, err
	}
	defer func() {
		if err != nil {
			gone, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_, off := c.Cancel(gone, job.ID)
			err = errors.Join(err, off)
		}
	}()
	batch, any := wire.Shards{Job: job.ID}, false
	for shard, err := range targets.shards(wire.ShardSize(job.Measure.Kind)) {
		if err != nil {
			return job, err
		}
		any = true
		if batch.Shards = append(batch.Shards, shard); len(batch.Shards) == batchOf {
			if err := c.add(ctx, &batch); err != nil {
				return job, err
			}
		}
	}
	if !any {
		return job, errors.New("there are no targets")
	}
	if err := c.add(ctx, &batch); err != nil {
		return job, err
	}
	return job, again(ctx, func(ctx context.Context) error { return c.hubJSON(ctx, wire.VerbCommit, job.ID, &job) })
}

// add hands in a batch, and empties it.
func (c *Client) add(ctx context.Context, batch *wire.Shards) error {
	if len(batch.Shards) == 0 {
		return nil
	}
	text, err := wire.PackJSON(batch)
	if err != nil {
		return err
	}
	var done bool
	err = again(ctx, func(ctx context.Context) error { return c.hub(ctx, wire.VerbAdd, text, &done) })
	batch.Shards = batch.Shards[:0]
	return err
}

// Wait calls f with the job now and then, and returns it when it has ended. While the hub is away the
// job is not: f is then told why it cannot be asked.
func (c *Client) Wait(ctx context.Context, id string, f func(wire.Job, error)) (wire.Job, error) {
	for {
		job, err := c.Job(ctx, id)
		if errors.As(err, &refusal{}) || err == nil && job.Over() {
			return job, err
		}
		if ctx.Err() == nil {
			f(job, err)
		}
		if !wire.Sleep(ctx, 500*time.Millisecond) {
			return job, context.Cause(ctx)
		}
	}
}

// Result is the result of a shard: a line of JSON for each target, an icmplib.Host or an
// icmplib.Route.
type Result struct {
	Agent string // who measured
	Shard int    // its ordinal
	Kind  string // wire.KindHost or wire.KindRoute
	Lines []byte
}

// Results yields the results of a job that are there, in the order of its targets.
func (c *Client) Results(ctx context.Context, job wire.Job) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		stream, err := c.js.Stream(ctx, wire.StreamRes)
		if err != nil {
			yield(Result{}, err)
			return
		}
		type pending struct {
			Result
			ok  bool
			err error
		}
		// They are asked for ahead: the way to the hub may be long.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		queue := make(chan chan pending, 32)
		go func() {
			defer close(queue)
			for shard := range job.Shards {
				for _, agent := range job.Reporters() {
					one := make(chan pending, 1)
					select {
					case queue <- one:
					case <-ctx.Done():
						return
					}
					go func() {
						r, ok, err := result(ctx, stream, job, shard, agent)
						one <- pending{r, ok, err}
					}()
				}
			}
		}()
		for one := range queue {
			p := <-one
			if !p.ok && p.err == nil {
				continue
			}
			if !yield(p.Result, p.err) || p.err != nil {
				return
			}
		}
		if err := context.Cause(ctx); err != nil {
			yield(Result{}, err)
		}
	}
}

// result reads the result of a shard; ok is false where there is none.
func result(ctx context.Context, stream jetstream.Stream, job wire.Job, shard int, agent string) (r Result, ok bool, err error) {
	msg, err := stream.GetLastMsgForSubject(ctx, wire.ResSubject(job.ID, shard, agent))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	r = Result{Agent: msg.Header.Get(wire.HeaderAgent), Shard: shard, Kind: wire.KindHost}
	if job.Measure.Kind == "traceroute" {
		r.Kind = wire.KindRoute
	}
	r.Lines, err = wire.Unpack(msg.Data)
	return r, err == nil, err
}
