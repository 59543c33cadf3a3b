package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/policy"
	"github.com/goicmp/icmplib/fleet/wire"
)

func eu(o *agentOptions) { o.enrollment.Tags = []string{"eu"} }

func TestAskingFromEverywhere(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	l.agent("fra1", eu)
	l.agent("ams1", eu)
	l.agent("nyc1", nil)
	results := readLines(t, l.mustRun(0, "ping", "10.9.0.5", "-c", "2", "-i", "10ms", "--json"))
	hosts := map[string]int{}
	for _, r := range results {
		if r.Kind == wire.KindHost {
			hosts[r.Agent] = r.Received
		}
	}
	if len(results) != 9 || hosts["fra1"] != 2 || hosts["ams1"] != 2 || hosts["nyc1"] != 2 {
		t.Errorf("%d answers, replies by agent %v", len(results), hosts)
	}
	out := l.mustRun(0, "traceroute", "10.9.0.5", "--from", "eu", "--limit", "1")
	if !strings.Contains(out, "10.0.0.2") || !strings.Contains(out, "reached") || strings.Contains(out, "nyc1") {
		t.Error(out)
	}
	if out := l.mustRun(0, "mtu", "10.9.0.5", "--from", "nyc1"); !strings.Contains(out, "nyc1:\n  10.9.0.5") {
		t.Error(out)
	}
	if out := l.mustRun(0, "mtr", "10.9.0.5", "--from", "nyc1", "-c", "2", "-i", "50ms"); !strings.Contains(out, "2 of 2 answered") {
		t.Error(out)
	}
	if out := l.mustRun(1, "ping", "10.7.0.1", "-c", "1", "-w", "50ms", "--from", "nyc1"); !strings.Contains(out, "no reply") {
		t.Error(out)
	}
	l.mustRun(4, "ping", "10.9.0.5", "--from", "moon")
	l.mustRun(3, "ping", "10.9.0.5", "--protocol", "smtp")
}

// Who does not answer is named with the reason, and never taken for one who is done.
func TestWhoDoesNotAnswerIsNamed(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	l.agent("here", nil)
	gone := l.agent("gone", nil)
	gone.stop()
	l.until("gone is away", func() bool { _, there := l.hub.View().Agents["gone"]; return !there })
	results := readLines(t, l.mustRun(1, "ping", "10.9.0.5", "-c", "1", "--json"))
	last := results[len(results)-1]
	if last.Kind != "gap" || last.Agent != "gone" || last.Reason != "it is not connected" {
		t.Errorf("%+v", last)
	}
	if !slices.ContainsFunc(results, func(r tagged) bool { return r.Agent == "here" && r.Kind == wire.KindHost }) {
		t.Error("who is there did not answer")
	}
	if out := l.mustRun(0, "ping", "10.9.0.5", "-c", "1", "--limit", "1"); !strings.Contains(out, "here") {
		t.Errorf("--limit takes an agent that is away:\n%s", out)
	}
}

// No packet leaves for what the agent's owner does not allow, by whatever way it is asked.
func TestForbiddenTargets(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}, Limits: policy.Limits{Deny: []netip.Prefix{netip.MustParsePrefix("10.9.9.0/24")}}})
	a := l.agent("fra1", nil)
	closed := []string{"127.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1", "9.9.9.9", "::1", "10.9.9.9"}
	for _, target := range closed {
		for _, verb := range []string{"ping", "traceroute", "mtr", "mtu"} {
			if out := l.mustRun(1, verb, target); !strings.Contains(out, "refused by the agent's policy") {
				t.Errorf("%s %s: %s", verb, target, out)
			}
		}
	}
	if out := l.mustRun(1, "ping", "10.9.0.1", "-c", "10000"); !strings.Contains(out, "the maximum is 10m0s") {
		t.Errorf("too long: %s", out)
	}
	if out := l.mustRun(1, "ping", "10.9.0.1", "--protocol", "sctp"); !strings.Contains(out, "sctp probes are not allowed") {
		t.Error(out)
	}
	id := strings.TrimSpace(l.mustRun(1, "sweep", writeFile(t, lines(append(closed, "10.9.0.1"))), "-i", "10ms"))
	results := readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, append(closed, "10.9.0.1"), 1)
	refused := 0
	for _, r := range results {
		if r.Error != nil && strings.Contains(*r.Error, "refused by the agent's policy") {
			refused++
		}
	}
	if refused != len(closed) {
		t.Errorf("%d targets of the job were refused, want %d", refused, len(closed))
	}
	var jobs []wire.Job
	if err := json.Unmarshal([]byte(l.mustRun(0, "jobs", "--json")), &jobs); err != nil || jobs[0].Refused != len(closed) {
		t.Errorf("%+v, %v", jobs, err)
	}
	if got, want := a.Presence().Refused, int64(len(closed)*5+2); got != want {
		t.Errorf("%d refusals are counted, want %d", got, want)
	}
	for _, p := range a.packets() {
		if slices.Contains(closed, p.Destination.String()) {
			t.Errorf("a packet left for %s", p.Destination)
		}
	}
}

func TestSweeps(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	l.agent("fra1", eu)
	l.agent("ams1", eu)
	l.agent("nyc1", nil)
	targets := addresses("10.9.0.0", 1500)
	id := strings.TrimSpace(l.mustRun(0, "sweep", writeFile(t, "# comment\n"+lines(targets)), "-i", "10ms"))
	results := readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, targets, 1)
	// A prefix, by the agents of a tag, and everything from everywhere.
	id = strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.0/22", "--from", "eu", "-i", "10ms"))
	results = readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, addresses("10.9.0.0", 1024), 1)
	if slices.ContainsFunc(results, func(r tagged) bool { return r.Agent == "nyc1" }) {
		t.Error("an agent of another tag has taken part")
	}
	id = strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.0/24", "--each", "-i", "10ms"))
	results = readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, addresses("10.9.0.0", 256), 3)
	id = strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.0/26", "--trace", "-c", "1"))
	results = readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, addresses("10.9.0.0", 64), 1)
	if results[0].Kind != wire.KindRoute {
		t.Errorf("a trace has results of the kind %s", results[0].Kind)
	}
	if out := l.mustRun(0, "results", id); !strings.Contains(out, "10.0.0.2") {
		t.Error(out)
	}
	l.mustRun(4, "sweep", "10.9.0.0/24", "--from", "eu,nyc1")
	l.mustRun(4, "sweep", "fd00::/32")
	l.mustRun(3, "sweep", "no-such-file")
	l.mustRun(4, "results", "nosuchjob")
}

func TestACancelledJobEnds(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	id := strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.0/20", "-d")) // nobody is there to do it
	if out := l.mustRun(0, "cancel", id); !strings.Contains(out, "cancelled: 0 of 4096") {
		t.Error(out)
	}
	a := l.agent("fra1", nil)
	l.mustRun(0, "sweep", "10.9.0.0/28", "-i", "10ms")
	for _, p := range a.packets() {
		if netip.MustParsePrefix("10.9.0.0/28").Contains(p.Destination) {
			continue
		}
		t.Fatalf("a target of the cancelled job was probed: %s", p.Destination)
	}
	if code, _, errs := l.run("results", id); code != 1 || !strings.Contains(errs, "0 of 16 shards") {
		t.Errorf("%d %s", code, errs)
	}
	l.mustRun(4, "cancel", id)
}

// What nobody has asked before the deadline has a result that says so.
func TestAJobThatNobodyDoesExpires(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	id := strings.TrimSpace(l.mustRun(1, "sweep", "10.9.0.0/23", "--deadline", "1s"))
	results := readLines(t, l.mustRun(0, "results", id, "--json"))
	exactly(t, results, addresses("10.9.0.0", 512), 1)
	for _, r := range results {
		if r.Agent != "hub" || r.Error == nil || !strings.Contains(*r.Error, "deadline") {
			t.Fatalf("%+v", r)
		}
	}
	if job := l.hub.Jobs()[0]; job.State != wire.JobExpired || job.Done != 512 || job.Alive != 0 {
		t.Errorf("%+v", job)
	}
}

func TestTheMesh(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Every: policy.Duration(time.Second), Count: 12, Timeout: policy.Duration(50 * time.Millisecond)}})
	at := func(addr string) func(*agentOptions) {
		return func(o *agentOptions) { o.enrollment.Address = netip.MustParseAddr(addr) }
	}
	l.agent("good1", at("10.9.0.1"))
	l.agent("good2", at("10.9.0.2"))
	l.agent("lossy", at("10.8.0.1"))
	l.until("all have had two rounds", func() bool {
		rounds := l.hub.Mesh().Rounds()
		return len(rounds) == 3 && !slices.ContainsFunc(rounds, func(r *wire.Round) bool { return r.Seq < 3 || len(r.Pairs) < 2 })
	})
	var pairs []meshPair
	for line := range strings.Lines(l.mustRun(0, "mesh", "show", "--json")) {
		var p meshPair
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, p)
	}
	if len(pairs) != 6 {
		t.Fatalf("%d pairs", len(pairs))
	}
	for i, p := range pairs {
		if bad := p.Peer == "lossy"; bad != (i < 2) || bad != (p.Loss > 0) {
			t.Errorf("%d: %s to %s lost %v", i, p.From, p.Peer, p.Loss)
		}
		if p.Peer == "lossy" && (p.Loss < 0.3 || p.Loss > 0.37) { // the network loses every third
			t.Errorf("%s to %s lost %v", p.From, p.Peer, p.Loss)
		}
		if p.Sent != 12 {
			t.Errorf("%s to %s: %d packets", p.From, p.Peer, p.Sent)
		}
	}
	out := l.mustRun(1, "mesh", "explain", "good1", "lossy")
	for _, says := range []string{"good1 > lossy", "loss begins", "route (first): 10.0.0.1 ", " 10.8.0.1 (reached)", "lossy > good1", "now (as before): 10.0.0.1"} {
		if !strings.Contains(out, says) {
			t.Errorf("it does not say %q:\n%s", says, out)
		}
	}
	if strings.Contains(out, "changed") { // lossy is silent now and then
		t.Error(out)
	}
	if out := l.mustRun(0, "mesh", "explain", "good1", "good2"); strings.Contains(out, "loss begins") {
		t.Error(out)
	}
	l.mustRun(4, "mesh", "explain", "good1", "nobody")
}

// An owner who allows nothing private has a mesh of private addresses nevertheless, and it explains
// itself: questions by ICMP about the peers are as the mesh's own. Nothing else is.
func TestThePrivateMeshExplainsItself(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: fastMesh})
	for name, at := range map[string]string{"fra1": "10.9.0.1", "nyc1": "10.9.0.2"} {
		l.agent(name, func(o *agentOptions) {
			o.enrollment.Address, o.Policy.Allow = netip.MustParseAddr(at), nil
		})
	}
	l.until("rounds of both", func() bool { return len(l.hub.Mesh().Rounds()) == 2 })
	if out := l.mustRun(0, "mesh", "explain", "fra1", "nyc1"); strings.Count(out, "  now (") != 2 {
		t.Error(out)
	}
	for _, args := range [][]string{{"ping", "10.9.0.3"}, {"ping", "10.9.0.2", "--protocol", "udp"}, {"ping", "10.9.0.1"}} {
		if out := l.mustRun(1, append(args, "--from", "fra1")...); !strings.Contains(out, "refused") {
			t.Errorf("%v: %s", args, out)
		}
	}
	l.mustRun(1, "sweep", writeFile(t, "10.9.0.2\n"), "--from", "fra1")
	if job := l.hub.Jobs()[0]; job.Refused != 1 {
		t.Errorf("%+v", job)
	}
}

func TestKeys(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	alice := writeFile(t, l.mustRun(0, "enroll", "alice", "--asker"))
	a := l.agent("fra1", nil)
	if code, out, errs := runAs(t, alice, "ping", "10.9.0.1", "-c", "1"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	for _, args := range [][]string{{"enroll", "bob"}, {"revoke", "fra1"}} {
		if code, _, errs := runAs(t, alice, args...); code != 4 || !strings.Contains(errs, "alice may not do that") {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
	l.mustRun(4, "enroll", "alice")
	l.mustRun(3, "enroll", "not.a.name")
	l.mustRun(4, "enroll", "bob", "--tag", "alice")
	l.mustRun(0, "revoke", "alice")
	if code, _, errs := runAs(t, alice, "agents"); code != 4 || !strings.Contains(errs, "does not know alice") {
		t.Errorf("%d %s", code, errs)
	}
	// A revoked agent is out at once, and does not come back.
	l.mustRun(0, "revoke", "fra1")
	if view := l.hub.View(); view.Agents["fra1"].Name != "" || view.Fleet.Member("fra1") != nil {
		t.Error("who is revoked is still there")
	}
	l.mustRun(4, "ping", "10.9.0.1", "--from", "fra1")
	if _, err := a.token.Connect(); err == nil {
		t.Error("a revoked key connects")
	}
	l.until("it stops", func() bool { return a.Presence().State == wire.StateStale })
	if err := os.Chmod(alice, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runAs(t, alice, "agents"); code != 3 || !strings.Contains(errs, "chmod 600") {
		t.Errorf("a token that everybody reads: %d %s", code, errs)
	}
}

// What an agent reports is in the hub's time, whatever its clock shows.
func TestAClockThatIsAnHourOff(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: fastMesh})
	l.agent("lossy", func(o *agentOptions) { o.enrollment.Address = netip.MustParseAddr("10.8.0.1") })
	l.agent("wrong", func(o *agentOptions) {
		o.enrollment.Address = netip.MustParseAddr("10.9.0.2")
		o.Now = func() time.Time { return time.Now().Add(time.Hour) }
	})
	var round *wire.Round
	l.until("a round of the agent", func() bool {
		for _, r := range l.hub.Mesh().Rounds() {
			if r.Agent == "wrong" && r.Seq > 2 && len(r.Pairs) == 1 {
				round = r
			}
		}
		return round != nil
	})
	if age := time.Since(round.Start); age < 0 || age > time.Minute {
		t.Errorf("a round began %v ago", age)
	}
	if p := round.Pairs[0]; p.Peer != "lossy" || p.Loss < 0.3 || p.Loss > 0.37 { // the network loses every third
		t.Errorf("%+v", p)
	}
	targets := amid(addresses("10.9.0.0", 512))
	id := strings.TrimSpace(l.mustRun(1, "sweep", writeFile(t, lines(targets)), "-i", "10ms"))
	exactly(t, readLines(t, l.mustRun(0, "results", id, "--json")), targets, 1)
	if job := l.hub.Jobs()[0]; job.Refused != len(forbidden) || job.Alive != 512 {
		t.Errorf("%+v", job)
	}
	l.until("the clock is seen", func() bool {
		return strings.Contains(l.mustRun(0, "agents"), "off by 1h0m0s")
	})
}

// An agent that is to end completes what it has, and what it gives back another one does.
func TestDraining(t *testing.T) {
	l := newLab(t, hub.Config{Mesh: wire.Mesh{Off: true}})
	first := l.agent("first", nil)
	id := strings.TrimSpace(l.mustRun(0, "sweep", "10.9.0.0/20", "-d", "-i", "300ms"))
	l.until("it has begun", func() bool { return first.Presence().Running > 0 })
	l.agent("second", nil)
	first.stop()
	l.until("the job is done", func() bool { return l.hub.Jobs()[0].Over() })
	exactly(t, readLines(t, l.mustRun(0, "results", id, "--json")), addresses("10.9.0.0", 4096), 1)
	if job := l.hub.Jobs()[0]; job.PerAgent["first"] == 0 || job.PerAgent["second"] == 0 {
		t.Errorf("%+v", job.PerAgent)
	}
}
