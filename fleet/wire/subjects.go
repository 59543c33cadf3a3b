// Package wire is what hub, agents and askers say to each other: the subjects, streams
// and buckets of NATS, the messages, and the token with which somebody joins.
//
// Results are the library's own JSON. A reader skips the fields that it does not know, so
// that agents and hubs of neighbouring versions understand each other.
package wire

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// Versions of the messages. Who reads a message skips what it does not know. What an agent
// has to know, so that it does not do something else than it was asked for, has a version: an agent
// refuses a question or a shard that needs a newer one than its own.
//
//	1  the first one
//	2  a shard says who asked; a question and a shard say what they need, not who wrote them
const (
	Version = 2 // that this program knows
	Needed  = 1 // that an agent has to know for every measurement that there is
)

// Streams, and buckets of keys and values.
const (
	StreamWork = "WORK" // a work queue: shards until they are done
	StreamRes  = "RES"  // one result for each shard
	StreamMesh = "MESH" // the rounds of the mesh

	BucketAgents = "agents" // who is there: each agent puts its Presence every PresenceEvery
	BucketConfig = "config" // KeyFleet: the Fleet
	BucketJobs   = "jobs"   // a Job by its id

	KeyFleet = "fleet"
)

// Times that hub and agents agree about.
const (
	PresenceEvery = 10 * time.Second
	PresenceTTL   = 30 * time.Second // without a Presence for so long, an agent is away
	ConfigEvery   = time.Minute      // how often the hub says that the Fleet still holds
	ConfigTTL     = 10 * time.Minute // without hearing that for so long, an agent probes nothing
	BeatEvery     = 5 * time.Second  // from one sign of life to the next, while an agent works on a question
	BeatTTL       = 25 * time.Second // after so much silence it is not waited for
)

// QueueAny is the queue of shards that any agent may take.
const QueueAny = "any"

// Subjects. AGENT and ASKER are names of those who are enrolled; a queue is QueueAny, an
// agent's name or a tag.
const (
	WorkAll      = "icmp.work.*.*.*"   // QUEUE.JOB.SHARD
	ResAll       = "icmp.res.>"        // JOB.SHARD or JOB.SHARD.AGENT
	MeshAll      = "icmp.mesh.*"       // AGENT
	ConfigNews   = "icmp.news"         // there is a new Fleet
	CancelAskAll = "icmp.cancel.ask.*" // the question with this id
	CancelJobAll = "icmp.cancel.job.*" // the job with this id
	HubAll       = "icmp.hub.*.*"      // VERB.ASKER
	inbox        = "_INBOX_"
)

// The verbs of the hub's own service.
const (
	VerbTime   = "time"   // the hub's clock
	VerbFleet  = "fleet"  // a View
	VerbJobs   = "jobs"   // all jobs
	VerbJob    = "job"    // one job
	VerbMesh   = "mesh"   // rounds of the mesh: see MeshQuery
	VerbBegin  = "begin"  // a job; the reply is its Job
	VerbAdd    = "add"    // shards
	VerbCommit = "commit" // all shards are there
	VerbCancel = "cancel" // a job
	VerbEnroll = "enroll" // for administrators
	VerbRevoke = "revoke" // for administrators
)

// CodeAgain is the code of an error of the hub's that may pass: a request may be made again.
const CodeAgain = "503"

// AskSubject is where an asker asks an agent. The hub lets nobody use another's name.
func AskSubject(agent, asker string) string { return "icmp.ask." + agent + "." + asker }

// WorkSubject is that of a shard in a queue.
func WorkSubject(queue, job string, shard int) string {
	return fmt.Sprintf("icmp.work.%s.%s.%d", queue, job, shard)
}

// ResSubject is that of the result of a shard; agent is "" unless each agent has its own.
func ResSubject(job string, shard int, agent string) string {
	if agent == "" {
		return fmt.Sprintf("icmp.res.%s.%d", job, shard)
	}
	return fmt.Sprintf("icmp.res.%s.%d.%s", job, shard, agent)
}

// ResOf are the results of a job.
func ResOf(job string) string { return "icmp.res." + job + ".>" }

// MeshSubject is that of the rounds of an agent.
func MeshSubject(agent string) string { return "icmp.mesh." + agent }

// CancelAsk is where a question is called off.
func CancelAsk(id string) string { return "icmp.cancel.ask." + id }

// CancelJob is where a job is called off.
func CancelJob(id string) string { return "icmp.cancel.job." + id }

// HubSubject is where somebody asks the hub.
func HubSubject(verb, asker string) string { return "icmp.hub." + verb + "." + asker }

// Inbox is the prefix of the replies to somebody: nobody else may listen to them.
func Inbox(name string) string { return inbox + name }

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName returns an error if a word cannot be the name of an agent, an asker, a site or
// a tag.
func CheckName(name string) error {
	if !nameForm.MatchString(name) || name == QueueAny || name == "hub" {
		return fmt.Errorf("%q cannot be a name: use up to 63 of a-z, 0-9 and -, with - for each dot of a host's name, but neither %q nor %q", name, QueueAny, "hub")
	}
	return nil
}

// Respond answers a request of package micro from any goroutine. The request's own methods write what
// micro reads as soon as its handler has returned.
func Respond(nc *nats.Conn, r micro.Request, header nats.Header, body []byte) error {
	return nc.PublishMsg(&nats.Msg{Subject: r.Reply(), Header: header, Data: body})
}

// NewID returns an id that nobody can guess.
func NewID() string { return rand.Text() }

// Sleep waits, and reports whether ctx still holds.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
