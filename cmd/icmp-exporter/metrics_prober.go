package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goicmp/icmplib"
)

// proberMetrics tells the counters of the Prober, which are over all targets, as
// they stand when they are asked for.
type proberMetrics struct{ prober prober }

// proberCounters are the counters and their meaning.
var proberCounters = []struct {
	desc  *prometheus.Desc
	value func(*icmplib.Counters) uint64
}{
	{proberCounter("sent", "Probes that the kernel took."), func(c *icmplib.Counters) uint64 { return c.PacketsSent }},
	{proberCounter("received", "Answers of targets that came in time."), func(c *icmplib.Counters) uint64 { return c.PacketsReceived }},
	{proberCounter("icmp_errors", "Probes that met an ICMP error, port unreachable of UDP included."), func(c *icmplib.Counters) uint64 { return c.ICMPErrors }},
	{proberCounter("silent", "Probes to which nothing came in time."), func(c *icmplib.Counters) uint64 { return c.Silent }},
	{proberCounter("late", "Silent probes that were answered after their timeout."), func(c *icmplib.Counters) uint64 { return c.Late }},
	{proberCounter("duplicates", "Further answers to answered probes."), func(c *icmplib.Counters) uint64 { return c.Duplicates }},
	{proberCounter("altered", "Replies without the payload of their probe."), func(c *icmplib.Counters) uint64 { return c.Altered }},
	{proberCounter("advised", "Redirects, source quenches and parameter problems about our probes, and errors that a reply in time corrected."), func(c *icmplib.Counters) uint64 { return c.Advised }},
	{proberCounter("foreign", "Messages about no probe of ours."), func(c *icmplib.Counters) uint64 { return c.Foreign }},
	{proberCounter("malformed", "Messages that could not be read."), func(c *icmplib.Counters) uint64 { return c.Malformed }},
	{proberCounter("dropped", "Messages that our sockets had no room for: loss of our own making."), func(c *icmplib.Counters) uint64 { return c.Dropped }},
	{proberCounter("busy", "Times that the kernel had no room and sending waited."), func(c *icmplib.Counters) uint64 { return c.Busy }},
}

func proberCounter(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("icmp_prober_"+name+"_total", help, nil, nil)
}

func (p proberMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range proberCounters {
		ch <- c.desc
	}
}

func (p proberMetrics) Collect(ch chan<- prometheus.Metric) {
	counters := p.prober.Counters()
	for _, c := range proberCounters {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.value(&counters)))
	}
}
