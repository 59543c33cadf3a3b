package wire

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/fleet/policy"
)

// Headers of answers and results.
const (
	HeaderAgent   = "Icmp-Agent"
	HeaderSeq     = "Icmp-Seq"     // the ordinal of an answer, from 1
	HeaderKind    = "Icmp-Kind"    // what the body is: see the constants of kinds
	HeaderTargets = "Icmp-Targets" // in a result: how many targets
	HeaderAlive   = "Icmp-Alive"   // in a result: how many of them answered
	HeaderRefused = "Icmp-Refused" // in a result: how many of them were refused
	HeaderJob     = "Icmp-Job"
	HeaderShard   = "Icmp-Shard"
)

// Kinds of answers. All but the last three are JSON of the library.
const (
	KindResult   = "result"   // an icmplib.Result
	KindHost     = "host"     // an icmplib.Host
	KindHop      = "hop"      // an icmplib.Hop
	KindRoute    = "route"    // an icmplib.Route
	KindSnapshot = "snapshot" // an icmplib.Snapshot
	KindMTU      = "mtu"      // an icmplib.MTUReport
	KindRound    = "round"    // a Round, packed
	KindBeat     = "beat"     // nothing: the agent is at work
	KindEnd      = "end"      // an End
)

// Measure says what to do with a target.
type Measure struct {
	Kind     string          `json:"kind"`            // ping, traceroute, mtr or mtu
	Count    int             `json:"count,omitempty"` // of requests, of probes to a hop, of rounds
	Interval policy.Duration `json:"interval,omitempty"`
	Timeout  policy.Duration `json:"timeout,omitempty"`
	MaxHops  int             `json:"max_hops,omitempty"`
	Family   int             `json:"family,omitempty"`   // 4, 6 or 0
	Protocol string          `json:"protocol,omitempty"` // icmp, udp, tcp, sctp; "": icmp
	Port     uint16          `json:"port,omitempty"`
	Size     int             `json:"size,omitempty"`
}

// Filled returns m with the defaults in place of what is 0, or an error that says what
// cannot be used.
func (m Measure) Filled() (Measure, error) {
	defaults, ok := map[string]Measure{
		"ping":       {Count: 4, Interval: policy.Duration(time.Second)},
		"traceroute": {Count: 2, MaxHops: 30, Interval: policy.Duration(50 * time.Millisecond)},
		"mtr":        {Count: 10, MaxHops: 30, Interval: policy.Duration(time.Second)},
		"mtu":        {Count: 3, MaxHops: 30, Interval: policy.Duration(100 * time.Millisecond)},
	}[m.Kind]
	if !ok {
		return m, fmt.Errorf("there is no measurement %q: ping, traceroute, mtr and mtu are allowed", m.Kind)
	}
	if m.Count < 0 || m.Count > 100_000 || m.Interval < 0 || m.Timeout < 0 || m.MaxHops < 0 || m.MaxHops > 255 || m.Size < 0 {
		return m, errors.New("count (up to 100,000), interval, timeout, max-hops (up to 255) and size must not be negative")
	}
	m.Count, m.Interval, m.MaxHops = cmp.Or(m.Count, defaults.Count), cmp.Or(m.Interval, defaults.Interval), cmp.Or(m.MaxHops, defaults.MaxHops)
	m.Timeout, m.Protocol = cmp.Or(m.Timeout, policy.Duration(2*time.Second)), cmp.Or(m.Protocol, "icmp")
	if !slices.Contains([]string{"icmp", "udp", "tcp", "sctp"}, m.Protocol) {
		return m, fmt.Errorf("there is no protocol %q: icmp, udp, tcp and sctp are allowed", m.Protocol)
	}
	if m.Family != 0 && m.Family != 4 && m.Family != 6 {
		return m, fmt.Errorf("there is no IP version %d", m.Family)
	}
	return m, nil
}

// Takes is how long the measurement of one target takes at the most, when everybody is
// silent. It is for a Measure that is Filled.
func (m Measure) Takes() time.Duration {
	interval, timeout := time.Duration(m.Interval), time.Duration(m.Timeout)
	if m.Kind == "ping" || m.Kind == "mtr" {
		return time.Duration(m.Count)*interval + timeout
	}
	return time.Duration(m.Count)*(interval+timeout) + timeout*time.Duration(m.MaxHops)/3
}

// Packet is the shape of the probes.
func (m Measure) Packet() (p icmplib.Packet, err error) {
	p = icmplib.Packet{Port: m.Port, Size: m.Size}
	err = p.Protocol.UnmarshalText([]byte(m.Protocol))
	return p, err
}

// Ask is a question to an agent.
type Ask struct {
	Version int     `json:"version"` // that an agent has to know
	ID      string  `json:"id"`      // which nobody can guess, to call it off
	Target  string  `json:"target"`  // a name or an address
	Measure Measure `json:"measure"` // what to do
}

// End is the last answer to a question.
type End struct {
	Count   int    `json:"count"` // of the answers before this one
	Error   string `json:"error,omitempty"`
	Refused bool   `json:"refused,omitempty"` // the agent's policy did not allow it
}

// Shard is a part of a job: its targets are listed, or so many addresses from First on.
type Shard struct {
	Version int        `json:"version"`         // that an agent has to know
	Job     string     `json:"job"`             // to which it belongs
	Asker   string     `json:"asker,omitempty"` // who handed it in
	Shard   int        `json:"shard"`           // its ordinal, from 0
	Each    bool       `json:"each,omitempty"`  // each agent has a result of its own
	Measure Measure    `json:"measure"`
	Targets []string   `json:"targets,omitempty"`
	First   netip.Addr `json:"first,omitzero"`
	Count   int        `json:"count,omitempty"`
}

// ShardSize is how many targets a shard has at the most.
func ShardSize(kind string) int {
	if kind == "traceroute" {
		return 32
	}
	return 256
}

// List returns the targets.
func (s *Shard) List() []string {
	if !s.First.IsValid() {
		return s.Targets
	}
	targets := make([]string, 0, s.Count)
	for a := s.First; len(targets) < s.Count && a.IsValid(); a = a.Next() {
		targets = append(targets, a.String())
	}
	return targets
}

// States of a job.
const (
	JobLoading   = "loading" // its shards are being handed in
	JobRunning   = "running"
	JobFinished  = "finished"  // each target has its result
	JobCancelled = "cancelled" // what was done by then is there
	JobExpired   = "expired"   // the deadline passed; what is missing has a result that says so
)

// Job is a sweep, or traces, of many targets.
type Job struct {
	ID       string          `json:"id"`             // a word
	Asker    string          `json:"asker"`          // who handed it in
	Measure  Measure         `json:"measure"`        // what to do with each target
	Each     bool            `json:"each,omitempty"` // every agent does
	Queues   []string        `json:"queues"`         // from which agents take the shards
	Deadline policy.Duration `json:"deadline"`       // from Created on

	State    string         `json:"state"`          // see the constants
	Created  time.Time      `json:"created"`        // by the hub
	Ended    time.Time      `json:"ended,omitzero"` // zero while it runs
	Shards   int            `json:"shards"`         // how many there are, for each of Queues if Each
	Targets  int            `json:"targets"`        // likewise
	Results  int            `json:"results"`        // of shards
	Done     int            `json:"done"`           // targets that have a result
	Alive    int            `json:"alive"`
	Refused  int            `json:"refused"`
	PerAgent map[string]int `json:"per_agent,omitempty"` // targets by who asked them
}

// Expected is how many results the job has when it is finished.
func (j *Job) Expected() int {
	return j.Shards * len(j.Reporters())
}

// Reporters are those whose results the job has for each shard: "" stands for one of them,
// whoever it is.
func (j *Job) Reporters() []string {
	if j.Each {
		return j.Queues
	}
	return []string{""}
}

// Over reports whether the job has ended.
func (j *Job) Over() bool { return j.State != JobLoading && j.State != JobRunning }

// Member is an agent that is enrolled.
type Member struct {
	Name    string     `json:"name"`             // under which it is enrolled
	Site    string     `json:"site"`             // agents of one site are near each other
	Tags    []string   `json:"tags,omitempty"`   // further words that name it
	Address netip.Addr `json:"address,omitzero"` // at which others of the mesh ping it; zero: not known
}

// Queues are those whose shards the agent takes, its own first.
func (m *Member) Queues() []string {
	all := []string{m.Name}
	for _, name := range append([]string{m.Site}, m.Tags...) {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return append(all, QueueAny)
}

// Is reports whether a word names the agent, its site or one of its tags.
func (m *Member) Is(word string) bool { return slices.Contains(m.Queues(), word) }

// Mesh says how agents ping each other.
type Mesh struct {
	Off      bool            `json:"off,omitempty"` // there is none
	Every    policy.Duration `json:"every"`         // from one round to the next
	Count    int             `json:"count"`         // of pings to each peer in a round
	Timeout  policy.Duration `json:"timeout"`       // of each
	Retrace  policy.Duration `json:"retrace"`       // how long a route is taken for known while all is well
	Complete int             `json:"complete"`      // up to so many agents each pings all others
}

// Fleet is what the hub tells its agents.
type Fleet struct {
	Version int           `json:"version"` // that of the hub
	Agents  []Member      `json:"agents"`  // who is enrolled
	Mesh    Mesh          `json:"mesh"`    // how they ping each other
	Limits  policy.Limits `json:"limits"`  // which narrow those of their owners
}

// Member returns the agent with a name; nil if there is none.
func (f *Fleet) Member(name string) *Member {
	for i := range f.Agents {
		if f.Agents[i].Name == name {
			return &f.Agents[i]
		}
	}
	return nil
}

// States of an agent.
const (
	StateConnecting = "connecting" // it has not heard of the hub yet
	StateReady      = "ready"
	StateWorking    = "working"
	StateStale      = "stale" // it has not heard of the hub for ConfigTTL, or is revoked, and probes nothing
	StateDraining   = "draining"
)

// Presence is what an agent says of itself.
type Presence struct {
	Version    int              `json:"version"`           // of the messages that it knows
	Name       string           `json:"name"`              // of the agent
	Program    string           `json:"program,omitempty"` // the version of the program
	State      string           `json:"state"`
	Started    time.Time        `json:"started"`
	Address    netip.Addr       `json:"address,omitzero"`
	Policy     policy.Limits    `json:"policy"`
	Running    int              `json:"running"` // questions and shards at the moment
	Asks       int64            `json:"asks"`
	Shards     int64            `json:"shards"`
	Refused    int64            `json:"refused"`     // targets and questions
	Rounds     int64            `json:"rounds"`      // of the mesh, stored
	Waiting    int              `json:"waiting"`     // rounds that the hub has not got yet
	Dropped    int64            `json:"dropped"`     // rounds that waited for too long
	ClockError policy.Duration  `json:"clock_error"` // of the agent's clock, against the hub's
	Counters   icmplib.Counters `json:"counters"`
}

// Age is how the agent's messages are to those of this program, in words.
func (p *Presence) Age() string {
	switch {
	case p.Version < Version:
		return fmt.Sprintf("%d, old: upgrade it", p.Version)
	case p.Version > Version:
		return fmt.Sprintf("%d, newer: upgrade the hub", p.Version)
	}
	return fmt.Sprint(p.Version)
}

// Enrollment asks the hub to enroll somebody.
type Enrollment struct {
	Name    string     `json:"name"`             // of an agent or an asker
	Role    string     `json:"role"`             // RoleAgent, RoleAsker or RoleAdmin
	Site    string     `json:"site,omitempty"`   // of an agent
	Tags    []string   `json:"tags,omitempty"`   // of an agent
	Address netip.Addr `json:"address,omitzero"` // of an agent, for the mesh
}

// View is who is enrolled, and who of them is there.
type View struct {
	Fleet  Fleet               `json:"fleet"`  // who is enrolled
	Agents map[string]Presence `json:"agents"` // who is there, by name
}

// MeshQuery asks the hub for rounds of the mesh: those of some agents, or of all.
type MeshQuery struct {
	Agents []string        `json:"agents,omitempty"` // none: all
	Since  policy.Duration `json:"since"`            // before now
}

// Roles of those who are enrolled.
const (
	RoleAgent = "agent"
	RoleAsker = "asker"
	RoleAdmin = "admin" // an asker who may enroll and revoke
)

// Shards is a part of a job that is handed in.
type Shards struct {
	Job    string  `json:"job"`    // to which they belong
	Shards []Shard `json:"shards"` // of which Job, Each, Version and Measure are filled in by the hub
}
