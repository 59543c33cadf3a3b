package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
	"github.com/goicmp/icmplib/icmptest"
)

// question is one to an agent, and what came back.
type question struct {
	micro.Request
	ask wire.Ask

	mu  sync.Mutex
	end wire.End
}

func (q *question) Subject() string { return wire.AskSubject("a", "alice") }
func (q *question) Data() []byte {
	text, _ := json.Marshal(q.ask)
	return text
}

func (q *question) publish(_ nats.Header, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	json.Unmarshal(body, &q.end) // the last one is the end
	return nil
}

// shardMessage is a shard, and what became of it.
type shardMessage struct {
	jetstream.Msg
	gaveBack bool
}

func (m *shardMessage) NakWithDelay(time.Duration) error {
	m.gaveBack = true
	return nil
}

// An agent probes nothing before it has heard its hub, and nothing any more when it has not heard it
// for 10 minutes, whatever it is at; and begins again when the hub is back. In virtual time.
func TestWithoutItsHubAnAgentProbesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := icmptest.NewProber(t, "client 192.0.2.1\nnode t 10.9.0.1 delay=1ms\npath 10.9.0.0/16 t", nil)
		a := New(Config{Token: &wire.Token{Name: "a"}, Policy: policy.Limits{Allow: prefixes("10.0.0.0/8"), Longest: policy.Duration(48 * time.Hour)},
			NewProber: func(*icmplib.Config) (*icmplib.Prober, error) { return network.Prober, nil }})
		var err error
		if a.gate, err = newGate(a.cfg.NewProber, policy.New(a.cfg.Policy, policy.Limits{})); err != nil {
			t.Fatal(err)
		}
		a.fleet.Store(&wire.Fleet{Agents: []wire.Member{{Name: "a", Site: "a"}, {Name: "b", Site: "b", Address: mustAddr("10.9.0.7")}}})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		all.Go(func() { a.meshRounds(ctx) })
		sent := func() int { return len(network.Truth()) }
		// during is what is sent in a time.
		during := func(d time.Duration) int {
			before := sent()
			time.Sleep(d)
			synctest.Wait()
			return sent() - before
		}
		ask := func(count int) *question {
			q := &question{ask: wire.Ask{Version: wire.Needed, ID: fmt.Sprint(count), Target: "10.9.0.9", Measure: wire.Measure{Kind: "ping", Count: count}}}
			all.Go(func() { a.answer(ctx, &answers{agent: "a", log: a.log, request: q, publish: q.publish}) })
			return q
		}
		refused := func(when string, q *question) {
			q.mu.Lock()
			defer q.mu.Unlock()
			if !strings.Contains(q.end.Error, errStale.Error()) {
				t.Errorf("%s a question ends with %+v", when, q.end)
			}
		}

		first := ask(1)
		if n := during(24 * time.Hour); n != 0 {
			t.Errorf("before it has heard the hub it sends %d packets", n)
		}
		refused("before the hub is heard", first)
		for run := range 2 {
			a.gate.hear(time.Now())
			long := ask(86_400)
			shard := &shardMessage{}
			all.Go(func() {
				running, done := a.begin(ctx, "job/0")
				defer done()
				a.doShard(running, &wire.Shard{Job: "job", Targets: []string{"10.9.0.8"}, Measure: wire.Measure{Kind: "ping", Count: 86_400}}, shard, func() {})
			})
			if n := during(wire.ConfigTTL - time.Second); n < 3*500 {
				t.Errorf("run %d: within 10 minutes it sends %d packets", run, n)
			}
			time.Sleep(3 * time.Second)
			if n := during(24 * time.Hour); n != 0 {
				t.Errorf("run %d: behind 10 minutes it sends %d packets", run, n)
			}
			refused("behind 10 minutes", long)
			late := ask(1)
			time.Sleep(time.Second)
			synctest.Wait()
			refused("much later", late)
			if !shard.gaveBack {
				t.Error("the shard is not given back")
			}
			if got := a.Presence().State; got != wire.StateStale {
				t.Errorf("the agent says that it is %s", got)
			}
		}
		// A hub that is heard all the time.
		for range 10 {
			a.gate.hear(time.Now())
			if n := during(5 * time.Minute); n < 5*50 {
				t.Fatalf("in 5 minutes with the hub it sends %d packets", n)
			}
		}
	})
}

// What is asked while the agent ends has not begun, and is not waited for.
func TestNothingBeginsAtTheEnd(t *testing.T) {
	a := New(Config{Token: &wire.Token{Name: "a"}})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for ended := false; !ended; {
				ctx, done := a.begin(t.Context(), fmt.Sprint(i))
				ended = context.Cause(ctx) == errEnding
				done()
			}
		})
	}
	a.drain()
	all.Wait()
}
