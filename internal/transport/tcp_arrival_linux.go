package transport

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
)

func (l *tcpLink) arrival(i int, a *Arrival) verdict {
	r := &l.results[i]
	a.Identity, a.Identified, a.Retransmitted = r.probe.identity, true, r.Again
	if r.Queued {
		return l.failure(i, a)
	}
	kind := RST
	if r.Established {
		kind = SYNACK
	}
	a.Segment = Segment{Kind: kind, SourcePort: r.probe.toPort, DestinationPort: r.probe.fromPort}
	a.Source = r.probe.to
	a.Time = l.reading.Mono
	if r.RTT > 0 && !r.Again {
		// No stamp comes with a segment, but the kernel has measured.
		a.Queued = min(max(0, a.Time.Sub(r.probe.sent.Add(r.RTT))), l.reading.Mono.Sub(l.since.Mono))
		a.Time, a.Stamped = a.Time.Add(-a.Queued), true
	}
	return keep
}

// failure decodes an ICMP error, of which the kernel quotes the TCP header.
func (l *tcpLink) failure(i int, a *Arrival) verdict {
	l.datagram(i, &l.in)
	netio.Describe(&a.Reply, &l.in, l.cfg.zones)
	quoted, ok := parseQueued(a, l.cfg.Version, &l.in, l.cfg.zones)
	if !ok {
		return ignore
	}
	probe := &l.results[i].probe
	if a.Quote.ParseTransport(icmp.TCP, quoted) != nil {
		a.Quote.Transport = quoted
	}
	a.Quote.SourcePort, a.Quote.DestinationPort = probe.fromPort, probe.toPort
	return keep
}
