package engine

// Counters counts what an engine has seen since it was made. PacketsSent is always the sum
// of PacketsReceived, ICMPErrors, Silent and the probes in flight. Its fields are those of
// the root package's Counters, so that the root package converts it.
type Counters struct {
	PacketsSent     uint64 // probes that the kernel took
	PacketsReceived uint64 // settled by the answer of the target
	ICMPErrors      uint64 // settled by an ICMP error
	Silent          uint64 // settled by their deadline, including those in Late
	Late            uint64 // silent probes that were answered later
	Duplicates      uint64 // further answers to an answered probe
	Altered         uint64 // replies without the probe's payload
	Advised         uint64 // messages that settled no probe: see Stats.Advised of the root package
	Foreign         uint64 // messages about no probe of ours, or about an unknown one of several
	Malformed       uint64 // malformed messages
	Dropped         uint64 // messages for which our socket had no room
	Busy            uint64 // times that the kernel had no room for a probe
}

// merge adds the counters of another engine.
func (c *Counters) merge(o Counters) {
	c.PacketsSent += o.PacketsSent
	c.PacketsReceived += o.PacketsReceived
	c.ICMPErrors += o.ICMPErrors
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

// add counts one outcome. A reply that comes after an error and after the timeout
// changes nothing.
func (c *Counters) add(o *Outcome) {
	switch o.Fate {
	case Corrected:
		if !o.Overdue {
			c.ICMPErrors--
			c.PacketsReceived++
			c.Advised++
		}
	case Replied:
		c.PacketsReceived++
	case Failed:
		c.ICMPErrors++
	case Silent:
		c.Silent++
	case Late:
		c.Late++
	case Duplicate:
		c.Duplicates++
	case Altered:
		c.Altered++
	case Advised:
		c.Advised++
	}
}
