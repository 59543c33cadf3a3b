package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// maxAsks is how many questions may wait or run.
const maxAsks = 256

// listen takes questions, and what calls something off.
func (a *Agent) listen(ctx context.Context) error {
	asks := make(chan struct{}, maxAsks)
	service, err := micro.AddService(a.nc, micro.Config{
		Name: "icmp-agent", Version: fmt.Sprintf("%d.0.0", wire.Version), QueueGroupDisabled: true,
		Description: "asks " + a.name, Metadata: map[string]string{"agent": a.name},
	})
	if err != nil {
		return err
	}
	handle := micro.HandlerFunc(func(r micro.Request) {
		answers := &answers{agent: a.name, log: a.log, request: r,
			publish: func(header nats.Header, body []byte) error { return wire.Respond(a.nc, r, header, body) }}
		select {
		case asks <- struct{}{}:
			a.asks.Add(1)
			go func() {
				defer func() { <-asks }()
				a.answer(ctx, answers)
			}()
		default:
			answers.end(&wire.Ask{}, fmt.Errorf("the agent is busy with %d questions", maxAsks))
		}
	})
	if err := service.AddEndpoint("ask", handle, micro.WithEndpointSubject(wire.AskSubject(a.name, "*"))); err != nil {
		return err
	}
	for _, subject := range []string{wire.CancelAskAll, wire.CancelJobAll} {
		if _, err := a.nc.Subscribe(subject, a.callOff); err != nil {
			return err
		}
	}
	_, err = a.nc.Subscribe(wire.ConfigNews, func(*nats.Msg) { a.wake() })
	return err
}

// errCalledOff is why something ends that nobody wants any more.
var errCalledOff = errors.New("it was cancelled")

// callOff ends a question, or all shards of a job.
func (a *Agent) callOff(m *nats.Msg) {
	a.runningMu.Lock()
	defer a.runningMu.Unlock()
	for running, cancel := range a.running {
		if subject, _, _ := strings.Cut(running, "/"); subject == m.Subject {
			cancel(errCalledOff)
		}
	}
}

// answer answers a question.
func (a *Agent) answer(ctx context.Context, to *answers) {
	ask := &wire.Ask{}
	if err := json.Unmarshal(to.request.Data(), ask); err != nil {
		to.end(ask, fmt.Errorf("the question cannot be read: %w", err))
		return
	}
	ctx, done := a.begin(ctx, wire.CancelAsk(ask.ID))
	defer done()
	ctx, stop := a.gate.watch(ctx)
	defer stop(nil)
	go to.beat(ctx)
	err := a.askAllowed(ctx, ask)
	if err == nil {
		if err = a.gate.enter(ctx); err == nil {
			err = a.measure(ctx, ask, to.send)
			a.gate.leave()
		}
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var refusal *policy.Refusal
	if errors.As(err, &refusal) {
		a.refused.Add(1)
	}
	to.end(ask, err)
}

// askAllowed checks a question before it has a place, and fills its defaults in.
func (a *Agent) askAllowed(ctx context.Context, ask *wire.Ask) (err error) {
	if ask.Version > wire.Version {
		return fmt.Errorf("the question needs message version %d, but the agent knows %d: upgrade the agent", ask.Version, wire.Version)
	}
	if a.draining.Load() {
		return errEnding
	}
	if err := a.gate.stale(); err != nil {
		return err
	}
	if ask.Measure, err = ask.Measure.Filled(); err != nil {
		return err
	}
	_, p := a.gate.current()
	return p.Duration(ask.Measure.Takes())
}

// answers are those to one question.
type answers struct {
	agent   string
	log     *slog.Logger
	request micro.Request
	publish func(nats.Header, []byte) error

	mu    sync.Mutex
	count int // without signs of life
	over  bool
}

// send sends an answer. It fails when the connection is lost: the asker then sees the gap.
func (to *answers) send(kind string, body []byte) error {
	to.mu.Lock()
	defer to.mu.Unlock()
	return to.respond(kind, body)
}

func (to *answers) respond(kind string, body []byte) error {
	if to.over {
		return nil
	}
	if kind != wire.KindBeat {
		to.count++
	}
	return to.publish(nats.Header{wire.HeaderAgent: {to.agent}, wire.HeaderKind: {kind}, wire.HeaderSeq: {strconv.Itoa(to.count)}}, body)
}

// beat sends signs of life until ctx ends.
func (to *answers) beat(ctx context.Context) {
	for to.send(wire.KindBeat, nil); wire.Sleep(ctx, wire.BeatEvery); {
		to.send(wire.KindBeat, nil)
	}
}

// end sends the last answer, and logs who has asked what, and what came of it.
func (to *answers) end(ask *wire.Ask, err error) {
	to.mu.Lock()
	defer to.mu.Unlock()
	subject := to.request.Subject() // which nobody but the asker may publish to
	to.log.Info("asked", "asker", subject[strings.LastIndexByte(subject, '.')+1:], "id", ask.ID, "kind", ask.Measure.Kind,
		"target", ask.Target, "answers", to.count, "error", err)
	end := wire.End{Count: to.count}
	var refusal *policy.Refusal
	if err != nil {
		end.Error, end.Refused = err.Error(), errors.As(err, &refusal)
	}
	text, _ := json.Marshal(end) // of texts and numbers
	to.respond(wire.KindEnd, text)
	to.over = true
}

// longest returns a context for work that may take so long at the most.
func longest(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("it took longer than the %v that the agent's policy allows", d))
}
