package wire

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

// Round is what an agent found out about its peers in one round of the mesh.
type Round struct {
	Version int         `json:"version"` // that of the agent
	Agent   string      `json:"agent"`   // who pinged
	Boot    string      `json:"boot"`    // which run of the agent
	Seq     uint64      `json:"seq"`     // counts the rounds of the run from 1
	Start   time.Time   `json:"start"`   // by the hub's clock
	End     time.Time   `json:"end"`
	Dropped int64       `json:"dropped,omitempty"` // rounds of this run that were lost before
	Pairs   []Pair      `json:"pairs"`
	Routes  []PairRoute `json:"routes,omitempty"`
}

// Pair is what became of the pings to a peer. Times are in milliseconds.
type Pair struct {
	Peer      string     `json:"peer"`                  // who was pinged
	Address   netip.Addr `json:"address"`               // where
	Sent      int        `json:"packets_sent"`          // that the kernel took
	Received  int        `json:"packets_received"`      // answered in time
	Unsettled int        `json:"unsettled,omitempty"`   // whose fate was not known at the end
	Errors    int        `json:"send_errors,omitempty"` // packets that the agent's system did not send
	Suspect   int        `json:"suspect,omitempty"`     // perhaps lost by the agent's own host
	Loss      float64    `json:"packet_loss"`
	Min       float64    `json:"min_rtt_ms,omitempty"`
	Median    float64    `json:"median_rtt_ms,omitempty"`
	P95       float64    `json:"p95_rtt_ms,omitempty"`
	Max       float64    `json:"max_rtt_ms,omitempty"`
	Jitter    float64    `json:"jitter_ms,omitempty"`
	Error     string     `json:"error,omitempty"`
}

// PairOf sums up the pings to a peer.
func PairOf(peer string, h *icmplib.Host) Pair {
	ms := func(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / float64(time.Millisecond) }
	p := Pair{Peer: peer, Address: h.Address, Sent: h.PacketsSent, Received: h.PacketsReceived, Unsettled: h.Unsettled,
		Errors: h.SendErrors, Suspect: h.Suspect, Loss: h.PacketLoss(), Min: ms(h.MinRTT()), Median: ms(h.Percentile(0.5)),
		P95: ms(h.Percentile(0.95)), Max: ms(h.MaxRTT()), Jitter: ms(h.Jitter())}
	if h.Err != nil {
		p.Error = h.Err.Error()
	}
	return p
}

// Bad reports whether the pair lost anything.
func (p *Pair) Bad() bool { return p.Loss > 0 || p.Error != "" }

// PairRoute is the way to a peer: when it was first seen, whenever it is another one or the
// pair is bad, and once an hour.
type PairRoute struct {
	Peer  string          `json:"peer"`  // to whom
	Time  time.Time       `json:"time"`  // by the hub's clock
	Why   string          `json:"why"`   // first, changed, loss or unchanged
	Route json.RawMessage `json:"route"` // an icmplib.Route
}

// weight orders the agents of a site for a task, differently for each task.
func weight(words ...string) uint64 {
	h := fnv.New64a()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

// Peers returns whom an agent pings. In a fleet of up to complete agents that is everybody
// else. In a larger one, two agents of each site ping two of each other site, so that each
// pair of sites is covered both ways and one agent that is away leaves no gap; and within a
// site each pings the two behind it in the order of names, so that everybody is pinged.
func (f *Fleet) Peers(name string) []Member {
	self := f.Member(name)
	if self == nil {
		return nil
	}
	if complete := cmp.Or(f.Mesh.Complete, 50); len(f.Agents) <= complete {
		return slices.DeleteFunc(slices.Clone(f.Agents), func(m Member) bool { return m.Name == name })
	}
	sites := map[string][]Member{}
	for _, m := range f.Agents {
		sites[m.Site] = append(sites[m.Site], m)
	}
	var peers []Member
	for site, members := range sites {
		if site == self.Site {
			peers = append(peers, behind(members, name, 2)...)
			continue
		}
		from, to := heaviest(sites[self.Site], self.Site, site), heaviest(members, self.Site, site)
		for i, m := range from {
			if m.Name == name {
				peers = append(peers, to[i%len(to)])
			}
		}
	}
	slices.SortFunc(peers, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	return peers
}

// heaviest returns the two agents of a site that measure from one site to another.
func heaviest(members []Member, from, to string) []Member {
	sorted := slices.SortedFunc(slices.Values(members), func(a, b Member) int {
		return cmp.Or(cmp.Compare(weight(a.Name, from, to), weight(b.Name, from, to)), cmp.Compare(a.Name, b.Name))
	})
	return sorted[:min(2, len(sorted))]
}

// behind returns up to n agents of a site that follow one in the order of names.
func behind(members []Member, name string, n int) []Member {
	sorted := slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	at := slices.IndexFunc(sorted, func(m Member) bool { return m.Name == name })
	var all []Member
	for i := 1; i <= min(n, len(sorted)-1); i++ {
		all = append(all, sorted[(at+i)%len(sorted)])
	}
	return all
}
