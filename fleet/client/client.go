// Package client is what an asker does: it asks agents, hands in jobs, and reads what came
// of them.
package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

// Client is a connection of somebody who is enrolled as an asker or an administrator.
type Client struct {
	token  *wire.Token
	nc     *nats.Conn
	js     jetstream.JetStream
	denied chan error // what NATS did not permit, or that it no longer knows the holder of the token
}

// Connect connects the holder of a token.
func Connect(token *wire.Token) (*Client, error) {
	c := &Client{token: token, denied: make(chan error, 1)}
	nc, err := token.Connect(nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) || errors.Is(err, nats.ErrAuthorization) {
			select {
			case c.denied <- fmt.Errorf("%s may not do that: %w", token.Name, err):
			default:
			}
		}
	}))
	if errors.Is(err, nats.ErrAuthorization) {
		return nil, fmt.Errorf("the hub at %s does not know %s: an administrator adds it with icmp-fleet enroll", token.URL, token.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("the hub at %s cannot be reached: %w", token.URL, err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	c.nc, c.js = nc, js
	return c, nil
}

// Close closes the connection.
func (c *Client) Close() { c.nc.Close() }

// signed returns a request to the hub.
func (c *Client) signed(verb string, body []byte) (*nats.Msg, error) {
	msg := nats.NewMsg(wire.HubSubject(verb, c.token.Name))
	msg.Data = body
	return msg, c.token.Sign(msg, time.Now())
}

// refusal is an error that does not pass: to ask again does not help.
type refusal struct{ error }

// hub asks the hub, and reads its reply.
func (c *Client) hub(ctx context.Context, verb string, body []byte, reply any) error {
	msg, err := c.signed(verb, body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the hub does not answer"))
	defer cancel()
	ctx, deny := context.WithCancelCause(ctx)
	defer deny(nil)
	select {
	case err := <-c.denied: // while nothing was asked
		return refusal{err}
	default:
	}
	// A publish that is denied looks like a request that nobody answers.
	go func() {
		select {
		case <-ctx.Done():
		case err := <-c.denied:
			deny(refusal{err})
		}
	}()
	answer, err := c.nc.RequestMsgWithContext(ctx, msg)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return errors.New("NATS answers, but the hub does not")
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	if text := answer.Header.Get(micro.ErrorHeader); text != "" {
		err := errors.New(text)
		if answer.Header.Get(micro.ErrorCodeHeader) != wire.CodeAgain {
			err = refusal{err}
		}
		return err
	}
	return json.Unmarshal(answer.Data, reply)
}

// again does what may be done twice for as long as a server, or the hub, may take to be replaced. A
// refusal ends it.
func again(ctx context.Context, f func(context.Context) error) error {
	for begun := time.Now(); ; {
		err := f(ctx)
		if err == nil || errors.As(err, &refusal{}) || time.Since(begun) > time.Minute || !wire.Sleep(ctx, 500*time.Millisecond) {
			return err
		}
	}
}

func (c *Client) hubJSON(ctx context.Context, verb string, body, reply any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.hub(ctx, verb, text, reply)
}

// View returns who is enrolled, and who is there.
func (c *Client) View(ctx context.Context) (*wire.View, error) {
	view := &wire.View{}
	return view, c.hub(ctx, wire.VerbFleet, nil, view)
}

// Enroll enrolls somebody and returns his token.
func (c *Client) Enroll(ctx context.Context, e wire.Enrollment) (*wire.Token, error) {
	token := &wire.Token{}
	return token, c.hubJSON(ctx, wire.VerbEnroll, e, token)
}

// Revoke takes somebody's key away.
func (c *Client) Revoke(ctx context.Context, name string) error {
	var done bool
	return c.hubJSON(ctx, wire.VerbRevoke, name, &done)
}

// Select returns the agents that one of the words names, by name, site or tag; all without a
// word. With a limit above 0 it is so many, those that are there first, of as many sites as
// possible.
func Select(view *wire.View, from []string, limit int) ([]wire.Member, error) {
	for _, word := range from {
		if !slices.ContainsFunc(view.Fleet.Agents, func(m wire.Member) bool { return m.Is(word) }) {
			return nil, fmt.Errorf("no agent has the name, site or tag %q", word)
		}
	}
	var all []wire.Member
	for _, m := range view.Fleet.Agents {
		if len(from) == 0 || slices.ContainsFunc(from, m.Is) {
			all = append(all, m)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no agent is enrolled: icmp-fleet enroll NAME prints the token for one")
	}
	if limit <= 0 || limit >= len(all) {
		return all, nil
	}
	type rank struct{ away, turn int }
	ranks, turns := map[string]rank{}, map[string]int{}
	for _, m := range all {
		r := rank{turn: turns[m.Site]}
		if _, there := view.Agents[m.Name]; there {
			turns[m.Site]++
		} else {
			r.away = 1
		}
		ranks[m.Name] = r
	}
	slices.SortStableFunc(all, func(a, b wire.Member) int {
		x, y := ranks[a.Name], ranks[b.Name]
		return cmp.Or(cmp.Compare(x.away, y.away), cmp.Compare(x.turn, y.turn))
	})
	return all[:limit], nil
}

// Answer is what an agent says.
type Answer struct {
	Agent string // who says it
	Kind  string // see the kinds of package wire
	Body  []byte // JSON of the library
}

// Gap is an agent that did not answer as it should.
type Gap struct {
	Agent   string `json:"agent"`   // who
	Reason  string `json:"reason"`  // for people
	Answers int    `json:"answers"` // that came nevertheless
}

// String returns the gap in a line, for people.
func (g Gap) String() string {
	if g.Answers == 0 {
		return g.Agent + ": " + g.Reason
	}
	return fmt.Sprintf("%s: %s, after %d answers", g.Agent, g.Reason, g.Answers)
}

// answering is an agent while it is asked.
type answering struct {
	heard time.Time
	count int
	over  bool
}

// Ask asks agents to measure a target, and calls f with each answer as it comes. It ends when
// every agent has said that it is done, or is no longer waited for, and returns who of them
// did not answer all, in the order of agents. When ctx ends, the agents are told.
func (c *Client) Ask(ctx context.Context, agents []wire.Member, target string, m wire.Measure, f func(Answer)) ([]Gap, error) {
	m, err := m.Filled()
	if err != nil {
		return nil, err
	}
	ask := wire.Ask{Version: wire.Needed, ID: wire.NewID(), Target: target, Measure: m}
	text, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	inbox := wire.Inbox(c.token.Name) + "." + ask.ID + "."
	ctx, end := context.WithCancel(ctx)
	defer end()
	messages := make(chan *nats.Msg)
	sub, err := c.nc.Subscribe(inbox+"*", func(m *nats.Msg) {
		select {
		case messages <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	if err := sub.SetPendingLimits(-1, 256<<20); err != nil {
		return nil, err
	}
	waiting := map[string]*answering{}
	for _, agent := range agents {
		waiting[agent.Name] = &answering{heard: time.Now()}
		if err := c.nc.PublishRequest(wire.AskSubject(agent.Name, c.token.Name), inbox+agent.Name, text); err != nil {
			return nil, err
		}
	}
	gaps, err := collect(ctx, messages, waiting, f)
	if ctx.Err() != nil || len(gaps) > 0 {
		c.nc.Publish(wire.CancelAsk(ask.ID), nil) // those that still work on it need not
		c.nc.Flush()
	}
	slices.SortFunc(gaps, func(a, b Gap) int { return cmp.Compare(a.Agent, b.Agent) })
	return gaps, err
}

func collect(ctx context.Context, messages <-chan *nats.Msg, waiting map[string]*answering, f func(Answer)) (gaps []Gap, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	miss := func(name string, a *answering, reason string) {
		gaps = append(gaps, Gap{Agent: name, Reason: reason, Answers: a.count})
		a.over = true
	}
	for {
		open := 0
		for name, a := range waiting {
			if !a.over && time.Since(a.heard) > wire.BeatTTL {
				miss(name, a, fmt.Sprintf("no sign of life for %v", wire.BeatTTL))
			}
			if !a.over {
				open++
			}
		}
		if open == 0 {
			return gaps, nil
		}
		select {
		case <-ctx.Done():
			reason := "not waited for"
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				reason = "not done before the deadline"
			}
			for name, a := range waiting {
				if !a.over {
					miss(name, a, reason)
				}
			}
			return gaps, context.Cause(ctx)
		case <-tick.C:
		case msg := <-messages:
			name := msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:]
			if a := waiting[name]; a != nil && !a.over {
				take(name, a, msg, f, miss)
			}
		}
	}
}

// take takes a message of an agent.
func take(name string, a *answering, msg *nats.Msg, f func(Answer), miss func(string, *answering, string)) {
	a.heard = time.Now()
	if msg.Header.Get("Status") == "503" {
		miss(name, a, "it is not connected")
		return
	}
	switch kind := msg.Header.Get(wire.HeaderKind); kind {
	case wire.KindBeat:
	case wire.KindEnd:
		var end wire.End
		if err := json.Unmarshal(msg.Data, &end); err != nil {
			miss(name, a, "its last answer cannot be read")
		} else if end.Error != "" {
			miss(name, a, end.Error)
		} else if end.Count != a.count {
			miss(name, a, fmt.Sprintf("only %d of its %d answers came", a.count, end.Count))
		}
		a.over = true
	default:
		a.count++
		f(Answer{Agent: name, Kind: kind, Body: msg.Data})
	}
}

// Jobs returns all jobs, the newest first.
func (c *Client) Jobs(ctx context.Context) (all []wire.Job, err error) {
	return all, c.hub(ctx, wire.VerbJobs, nil, &all)
}

// Job returns one job.
func (c *Client) Job(ctx context.Context, id string) (job wire.Job, err error) {
	err = c.hubJSON(ctx, wire.VerbJob, id, &job)
	return job, err
}

// Cancel ends a job before its time.
func (c *Client) Cancel(ctx context.Context, id string) (job wire.Job, err error) {
	err = c.hubJSON(ctx, wire.VerbCancel, id, &job)
	return job, err
}

// Mesh yields the rounds of some agents, or of all, as they are stored, since a time before
// now.
func (c *Client) Mesh(ctx context.Context, agents []string, since time.Duration) iter.Seq2[*wire.Round, error] {
	return func(yield func(*wire.Round, error) bool) {
		sub, err := c.askMesh(wire.MeshQuery{Agents: agents, Since: policy.Duration(since)})
		if err != nil {
			yield(nil, err)
			return
		}
		defer sub.Unsubscribe()
		for count := 0; ; count++ {
			round, more, err := nextRound(ctx, sub, count)
			if !more && err == nil {
				return
			}
			if !yield(round, err) || err != nil {
				return
			}
		}
	}
}

// askMesh asks the hub for rounds, which come to the subscription that it returns.
func (c *Client) askMesh(query wire.MeshQuery) (*nats.Subscription, error) {
	text, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	msg, err := c.signed(wire.VerbMesh, text)
	if err != nil {
		return nil, err
	}
	msg.Reply = wire.Inbox(c.token.Name) + "." + wire.NewID()
	sub, err := c.nc.SubscribeSync(msg.Reply)
	if err != nil {
		return nil, err
	}
	return sub, errors.Join(sub.SetPendingLimits(-1, 512<<20), c.nc.PublishMsg(msg))
}

// nextRound reads a round; more is false at the end, of which count says whether it is one.
func nextRound(ctx context.Context, sub *nats.Subscription, count int) (r *wire.Round, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	msg, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("the hub's answer is not complete: %w", err)
	}
	if text := msg.Header.Get(micro.ErrorHeader); text != "" {
		return nil, false, errors.New(text)
	}
	if msg.Header.Get(wire.HeaderKind) == wire.KindEnd {
		var end wire.End
		if err := json.Unmarshal(msg.Data, &end); err != nil || end.Count != count {
			return nil, false, fmt.Errorf("the hub's answer is not complete: %d of %d rounds came", count, end.Count)
		}
		return nil, false, nil
	}
	r = &wire.Round{}
	return r, true, wire.UnpackJSON(msg.Data, r)
}
