package icmplib

import "time"

// MonitorOptions says how to watch a route. Nil and the zero value mean all
// defaults.
type MonitorOptions struct {
	// Interval is the time from one round to the next: in each round, every hop
	// is probed once. The default is 1 s; a negative value is refused.
	Interval time.Duration

	// Rounds is after how many rounds to end. The default is not to end before
	// ctx does; a negative value is refused.
	Rounds int

	// FirstHop and MaxHops are the first and the last TTL that is tried, from 1
	// to 255. The defaults are 1, and 30 or FirstHop where that is more.
	FirstHop int
	MaxHops  int

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h.
	Timeout time.Duration

	// Outage is the number of silent probes to the target, one after the other,
	// that make an outage. The default is 3; a negative value means that there
	// are no events of outages.
	Outage int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where the name has such an address, else IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions].
	Packet Packet
}
