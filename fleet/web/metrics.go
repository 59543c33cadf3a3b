package web

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/goicmp/icmplib/fleet/wire"
)

// metric writes the head of a metric in Prometheus' text format.
func metric(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// agentMetrics are what each agent says of itself. The names of agents need no escaping.
var agentMetrics = []struct {
	name, kind, help string
	value            func(*wire.Presence) float64
}{
	{"icmp_fleet_packets_sent_total", "counter", "Probes that the kernel accepted.", func(p *wire.Presence) float64 { return float64(p.Counters.PacketsSent) }},
	{"icmp_fleet_packets_received_total", "counter", "Answers of targets that arrived in time.", func(p *wire.Presence) float64 { return float64(p.Counters.PacketsReceived) }},
	{"icmp_fleet_packets_dropped_total", "counter", "Messages dropped because the agent's socket buffers were full.", func(p *wire.Presence) float64 { return float64(p.Counters.Dropped) }},
	{"icmp_fleet_asks_total", "counter", "Questions.", func(p *wire.Presence) float64 { return float64(p.Asks) }},
	{"icmp_fleet_shards_total", "counter", "Completed shards of jobs.", func(p *wire.Presence) float64 { return float64(p.Shards) }},
	{"icmp_fleet_refused_total", "counter", "Targets and questions refused by the agent's policy.", func(p *wire.Presence) float64 { return float64(p.Refused) }},
	{"icmp_fleet_rounds_total", "counter", "Stored rounds of the mesh.", func(p *wire.Presence) float64 { return float64(p.Rounds) }},
	{"icmp_fleet_rounds_dropped_total", "counter", "Rounds discarded because they waited too long.", func(p *wire.Presence) float64 { return float64(p.Dropped) }},
	{"icmp_fleet_rounds_waiting", "gauge", "Rounds not yet delivered to the hub.", func(p *wire.Presence) float64 { return float64(p.Waiting) }},
	{"icmp_fleet_running", "gauge", "Questions and shards in progress.", func(p *wire.Presence) float64 { return float64(p.Running) }},
	{"icmp_fleet_clock_error_seconds", "gauge", "How far the agent's clock is ahead of the hub's.", func(p *wire.Presence) float64 { return time.Duration(p.ClockError).Seconds() }},
}

// WriteAgents writes the metrics of agents by what they say of themselves.
func WriteAgents(w io.Writer, agents map[string]wire.Presence) {
	names := slices.Sorted(maps.Keys(agents))
	for _, m := range agentMetrics {
		metric(w, m.name, m.kind, m.help)
		for _, name := range names {
			p := agents[name]
			fmt.Fprintf(w, "%s{agent=%q} %g\n", m.name, name, m.value(&p))
		}
	}
	metric(w, "icmp_fleet_agent_state", "gauge", "State of the agent: connecting, ready, working, stale or draining.")
	for _, name := range names {
		fmt.Fprintf(w, "icmp_fleet_agent_state{agent=%q,state=%q} 1\n", name, agents[name].State)
	}
}

// metrics answers with metrics by agent, and with those of each pair for ?pairs=1.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	out := bufio.NewWriter(w)
	defer out.Flush()
	view := s.hub.View()
	metric(out, "icmp_fleet_agent_up", "gauge", "Whether an enrolled agent is connected.")
	for _, m := range view.Fleet.Agents {
		up := 0
		if _, there := view.Agents[m.Name]; there {
			up = 1
		}
		fmt.Fprintf(out, "icmp_fleet_agent_up{agent=%q,site=%q} %d\n", m.Name, m.Site, up)
	}
	WriteAgents(out, view.Agents)
	states := map[string]int{}
	for _, j := range s.hub.Jobs() {
		states[j.State]++
	}
	metric(out, "icmp_fleet_jobs", "gauge", "Jobs by their state.")
	for _, state := range []string{wire.JobLoading, wire.JobRunning, wire.JobFinished, wire.JobCancelled, wire.JobExpired} {
		fmt.Fprintf(out, "icmp_fleet_jobs{state=%q} %d\n", state, states[state])
	}
	rounds := s.hub.Mesh().Rounds()
	slices.SortFunc(rounds, func(a, b *wire.Round) int { return a.Start.Compare(b.Start) })
	metric(out, "icmp_fleet_mesh_bad_pairs", "gauge", "Pairs of the agent's last round that lost packets.")
	for _, round := range rounds {
		bad := 0
		for i := range round.Pairs {
			if round.Pairs[i].Bad() {
				bad++
			}
		}
		fmt.Fprintf(out, "icmp_fleet_mesh_bad_pairs{agent=%q} %d\n", round.Agent, bad)
	}
	if r.FormValue("pairs") != "" {
		pairMetrics(out, rounds)
	}
}

func pairMetrics(out io.Writer, rounds []*wire.Round) {
	for _, m := range []struct {
		name, help string
		value      func(*wire.Pair) float64
	}{
		{"icmp_fleet_mesh_loss_ratio", "Share of packets lost in the last round, 0 to 1.", func(p *wire.Pair) float64 { return p.Loss }},
		{"icmp_fleet_mesh_median_rtt_seconds", "The median RTT of the last round.", func(p *wire.Pair) float64 { return p.Median / 1000 }},
		{"icmp_fleet_mesh_p95_rtt_seconds", "The 95th percentile of the RTTs of the last round.", func(p *wire.Pair) float64 { return p.P95 / 1000 }},
	} {
		metric(out, m.name, "gauge", m.help)
		for _, round := range rounds {
			for i := range round.Pairs {
				fmt.Fprintf(out, "%s{agent=%q,peer=%q} %g\n", m.name, round.Agent, round.Pairs[i].Peer, m.value(&round.Pairs[i]))
			}
		}
	}
}
