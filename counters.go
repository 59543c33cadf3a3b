package icmplib

import "github.com/goicmp/icmplib/internal/engine"

// Counters counts what a [Prober] has sent and received since it was made, over
// all its operations. PacketsSent is at any time the sum of PacketsReceived,
// ICMPErrors, Silent and what is in flight. (Unlike in [Stats], a late answer
// leaves its probe among the silent ones: Late is a part of Silent here.)
type Counters struct {
	PacketsSent     uint64 // probes that the kernel took
	PacketsReceived uint64 // answers of targets that came in time
	ICMPErrors      uint64 // probes that met an ICMP error, port unreachable of UDP included
	Silent          uint64 // probes to which nothing came in time
	Late            uint64 // of the silent ones: answered after their deadline
	Duplicates      uint64 // further answers to a probe that had been answered
	Altered         uint64 // replies to a probe of ours, but without its payload
	Advised         uint64 // redirects, quenches and parameter problems about probes of ours, and errors that a reply in time corrected
	Foreign         uint64 // messages about no probe of ours
	Malformed       uint64 // messages that could not be read
	Dropped         uint64 // messages that our sockets had no room for: loss of our own making; 0 where the system does not say
	Busy            uint64 // times that the kernel had no room and sending waited
}

// Counters returns what was counted so far; after Close, what was counted until
// then.
func (p *Prober) Counters() Counters {
	p.mu.Lock()
	sum := p.final
	pools := make([]*engine.Pool, 0, len(p.pools))
	for _, pool := range p.pools {
		pools = append(pools, pool)
	}
	p.mu.Unlock()
	for _, pool := range pools {
		sum.add(pool.Counters())
	}
	return sum
}

// merge adds what was counted elsewhere.
func (c *Counters) merge(o *Counters) {
	c.add(engine.Counters{
		Sent: o.PacketsSent, Replied: o.PacketsReceived, Failed: o.ICMPErrors, Silent: o.Silent, Malformed: o.Malformed, Dropped: o.Dropped,
	})
}

func (c *Counters) add(o engine.Counters) {
	c.PacketsSent += o.Sent
	c.PacketsReceived += o.Replied
	c.ICMPErrors += o.Failed
	c.Silent += o.Silent
	c.Late += o.Late
	c.Duplicates += o.Duplicates
	c.Altered += o.Altered
	c.Advised += o.Advised
	c.Foreign += o.Foreign
	c.Malformed += o.Malformed
	c.Dropped += o.Dropped
	c.Busy += o.Busy
}
