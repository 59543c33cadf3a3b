package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

// frozen is a message of version 1, as it was then.
func frozen(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "version1", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(text)
}

// understood checks that a message of today has all that one of version 1 had, in the same form,
// and asks for no more than that version.
func understood(t *testing.T, name string, today []byte) {
	t.Helper()
	var was, is any
	if err := json.Unmarshal(frozen(t, name), &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(today, &is); err != nil {
		t.Errorf("%s: %v: %s", name, err, today)
		return
	}
	if version := is.(map[string]any)["version"].(float64); name != "fleet.json" && version > 1 {
		t.Errorf("%s needs version %v", name, version)
	}
	for _, missing := range without(was, is, "") {
		t.Errorf("%s has no %s: %s", name, missing, today)
	}
}

// without returns what one value has and another has not, or in another form.
func without(was, is any, path string) (missing []string) {
	switch was := was.(type) {
	case map[string]any:
		object, ok := is.(map[string]any)
		if !ok {
			return []string{path + " as an object"}
		}
		for key, value := range was {
			if _, ok := object[key]; !ok {
				missing = append(missing, path+"."+key)
				continue
			}
			missing = append(missing, without(value, object[key], path+"."+key)...)
		}
	case []any:
		array, ok := is.([]any)
		if !ok || len(array) < len(was) {
			return []string{path + " as an array"}
		}
		for i := range was {
			missing = append(missing, without(was[i], array[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		if fmt.Sprintf("%T", was) != fmt.Sprintf("%T", is) {
			return []string{fmt.Sprintf("%s as %T", path, was)}
		}
	}
	return missing
}

// oldAgent joins as an agent of version 1 did: it says, byte by byte, what one said then, and
// checks that it would understand what it is told.
func oldAgent(t *testing.T, token *wire.Token) (nc *nats.Conn, js jetstream.JetStream) {
	t.Helper()
	nc, err := token.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	config, err := js.KeyValue(t.Context(), wire.BucketConfig)
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := config.Get(t.Context(), wire.KeyFleet)
	if err != nil {
		t.Fatal(err)
	}
	understood(t, "fleet.json", fleet.Value())
	if _, err := nc.Request("icmp.hub.time.old", nil, 10*time.Second); err != nil {
		t.Error("the hub's clock:", err)
	}
	agents, err := js.KeyValue(t.Context(), wire.BucketAgents)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agents.Put(t.Context(), "old", frozen(t, "presence.json")); err != nil {
		t.Fatal(err)
	}
	_, err = nc.Subscribe("icmp.ask.old.*", func(m *nats.Msg) {
		understood(t, "ask.json", m.Data)
		for i, kind := range []string{"result", "host", "end"} {
			answer := nats.NewMsg(m.Reply)
			answer.Data = frozen(t, "answer-"+kind+".json")
			answer.Header = nats.Header{"Icmp-Agent": {"old"}, "Icmp-Kind": {kind}, "Icmp-Seq": {fmt.Sprint(i + 1)}}
			if err := nc.PublishMsg(answer); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// An agent of the version before joins, works and is seen to be old.
func TestAnAgentOfTheVersionBefore(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: fastMesh})
	at := func(addr string) wire.Enrollment {
		return wire.Enrollment{Role: wire.RoleAgent, Site: "fra", Address: netip.MustParseAddr(addr)}
	}
	l.agent("new", func(o *agentOptions) { e := at("10.9.0.2"); e.Name = "new"; o.enrollment = e })
	e := at("10.9.0.1")
	e.Name = "old"
	token, err := l.hub.Enroll(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	nc, js := oldAgent(t, token)

	l.until("it is there", func() bool { _, there := l.hub.View().Agents["old"]; return there })
	for line := range strings.Lines(l.mustRun(0, "agents")) {
		if old := strings.Contains(line, "1, old: upgrade it"); old != strings.HasPrefix(line, "old ") {
			t.Error(line)
		}
	}
	results := readLines(t, l.mustRun(0, "ping", "10.9.0.5", "-c", "1", "--json"))
	for _, name := range []string{"old", "new"} {
		if !slices.ContainsFunc(results, func(r tagged) bool { return r.Agent == name && r.Kind == wire.KindHost && r.Received == 1 }) {
			t.Errorf("%s did not answer: %+v", name, results)
		}
	}

	id := strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.8/31", "--from", "old", "-c", "1", "-d"))
	queue, err := js.Consumer(t.Context(), "WORK", "old")
	if err != nil {
		t.Fatal(err)
	}
	shard, err := queue.Next(jetstream.FetchMaxWait(30 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	understood(t, "shard.json", shard.Data())
	body, err := wire.Pack(frozen(t, "shard-result.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	result := nats.NewMsg("icmp.res." + id + ".0")
	result.Data = body
	result.Header = nats.Header{"Icmp-Agent": {"old"}, "Icmp-Job": {id}, "Icmp-Shard": {"0"}, "Icmp-Targets": {"2"}, "Icmp-Alive": {"2"}, "Icmp-Refused": {"0"}}
	if _, err := js.PublishMsg(t.Context(), result, jetstream.WithExpectLastSequencePerSubject(0)); err != nil {
		t.Fatal(err)
	}
	if err := shard.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.until("the job is done", func() bool { return l.hub.Jobs()[0].State == wire.JobFinished })
	exactly(t, readLines(t, l.mustRun(0, "results", id, "--json")), addresses("10.9.0.8", 2), 1)

	round, err := wire.Pack(frozen(t, "round.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "icmp.mesh.old", round); err != nil {
		t.Fatal(err)
	}
	l.until("rounds of both", func() bool { return len(l.hub.Mesh().Rounds()) == 2 })
	if out := l.mustRun(0, "mesh", "show", "--json"); !strings.Contains(out, `"from":"old"`) || !strings.Contains(out, `"peer":"old"`) {
		t.Error(out)
	}
	if ways := l.hub.Mesh().Ways("old", "new"); len(ways) != 1 {
		t.Errorf("%d routes of the old agent's", len(ways))
	}
	if err := nc.LastError(); err != nil {
		t.Error("the old agent:", err)
	}
}

// A question that needs a newer version than the agent's is refused, with what to do; what the
// agent does not know in one that does not need it is skipped.
func TestQuestionsOfANewerVersion(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	l.agent("fra1", nil)
	token, err := wire.ReadToken(l.admin)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := token.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for needs, says := range map[int]string{wire.Version: `{"count":2}`, wire.Version + 1: "upgrade the agent"} {
		sub, err := nc.SubscribeSync(wire.Inbox("admin") + "." + fmt.Sprint(needs))
		if err != nil {
			t.Fatal(err)
		}
		ask := fmt.Sprintf(`{"version":%d,"later":{"x":1},"id":"x","target":"10.9.0.1","measure":{"kind":"ping","count":1,"later":true}}`, needs)
		if err := nc.PublishRequest(wire.AskSubject("fra1", "admin"), sub.Subject, []byte(ask)); err != nil {
			t.Fatal(err)
		}
		for over := false; !over; {
			msg, err := sub.NextMsg(10 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if over = msg.Header.Get(wire.HeaderKind) == wire.KindEnd; over && !strings.Contains(string(msg.Data), says) {
				t.Errorf("version %d: %s", needs, msg.Data)
			}
		}
	}
}

// Who asked what is in the log of the agent, whatever came of it.
func TestEveryQuestionIsLogged(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	log := &lockedBuffer{}
	alice := writeFile(t, l.mustRun(0, "enroll", "alice", "--asker"))
	l.agent("fra1", func(o *agentOptions) { o.Log = textLog(log) })
	for _, args := range [][]string{
		{"ping", "10.9.0.5", "-c", "1"}, {"traceroute", "10.9.0.6", "-c", "1"}, {"mtr", "10.9.0.7", "-c", "1"}, {"mtu", "10.9.0.8"},
		{"ping", "192.168.1.1"}, {"ping", "10.9.0.9", "-c", "10000"}, {"sweep", "10.9.0.0/30", "-c", "1"},
	} {
		runAs(t, alice, args...)
	}
	token, err := wire.ReadToken(alice)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := token.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.PublishRequest(wire.AskSubject("fra1", "alice"), wire.Inbox("alice")+".x", []byte("no question")); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{
		"kind=ping target=10.9.0.5 answers=2", "kind=traceroute target=10.9.0.6", "kind=mtr target=10.9.0.7", "kind=mtu target=10.9.0.8",
		"target=192.168.1.1 answers=0 error=\"refused", "target=10.9.0.9 answers=0 error=\"refused", "a shard is done", "cannot be read",
	} {
		l.until("the log says "+says, func() bool {
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, says) && strings.Contains(line, "asker=alice") {
					return true
				}
			}
			return false
		})
	}
}
