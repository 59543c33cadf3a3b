package main

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	model "github.com/prometheus/client_model/go"

	"github.com/goicmp/icmplib"
)

// metric is what Prometheus is told of figures that have a name.
type metric struct {
	name string
	kind model.MetricType
	desc *prometheus.Desc
}

// allMetrics are those of targets and of the Prober.
var allMetrics []*metric

func counter(name, help string) *metric { return newMetric(name, help, model.MetricType_COUNTER) }
func gauge(name, help string) *metric   { return newMetric(name, help, model.MetricType_GAUGE) }

// summary is of a sum and a count, from which a mean is computed.
func summary(name, help string) *metric { return newMetric(name, help, model.MetricType_SUMMARY) }

func newMetric(name, help string, kind model.MetricType) *metric {
	m := &metric{name, kind, prometheus.NewDesc(name, help, nil, nil)}
	allMetrics = append(allMetrics, m)
	return m
}

// of returns a figure.
func (m *metric) of(labels labelSet, value float64) prometheus.Metric {
	return &figure{m, labels, value, 0}
}

// sum returns a figure of a summary.
func (m *metric) sum(labels labelSet, sum float64, count uint64) prometheus.Metric {
	return &figure{m, labels, sum, count}
}

// figure is a value of a metric at this moment. Other than the vectors of the client
// library, it takes labels that another figure of the metric has not.
type figure struct {
	*metric
	labels labelSet
	value  float64
	count  uint64 // of a summary
}

// Desc returns what the metric is called, and what it means.
func (f *figure) Desc() *prometheus.Desc { return f.desc }

// Write fills in what Prometheus is told.
func (f *figure) Write(m *model.Metric) error {
	m.Label = f.labels
	switch f.kind {
	case model.MetricType_COUNTER:
		m.Counter = &model.Counter{Value: &f.value}
	case model.MetricType_SUMMARY:
		m.Summary = &model.Summary{SampleSum: &f.value, SampleCount: &f.count}
	default:
		m.Gauge = &model.Gauge{Value: &f.value}
	}
	return nil
}

// labelSet is labels in the order of their names, without empty ones, which to
// Prometheus are none.
type labelSet []*model.LabelPair

func labelSetOf(labels map[string]string) (all labelSet) {
	for name, value := range labels {
		if value != "" {
			all = append(all, &model.LabelPair{Name: &name, Value: &value})
		}
	}
	slices.SortFunc(all, compareNames)
	return all
}

func compareNames(a, b *model.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) }

// with returns the labels and one more.
func (l labelSet) with(name, value string) labelSet {
	pair := &model.LabelPair{Name: &name, Value: &value}
	i, _ := slices.BinarySearchFunc(l, pair, compareNames)
	return slices.Insert(slices.Clone(l), i, pair)
}

// collector tells what a function returns, each time that it is asked.
type collector func() []prometheus.Metric

// Describe tells nothing: which figures there are depends on what is probed.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect tells all figures.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c() {
		ch <- m
	}
}

// proberCounters are the counters of the Prober, which are over all targets, and what
// they mean.
var proberCounters = []struct {
	metric *metric
	value  func(*icmplib.Counters) uint64
}{
	{proberCounter("sent", "Probes that the kernel accepted."), func(c *icmplib.Counters) uint64 { return c.PacketsSent }},
	{proberCounter("received", "Answers of targets that arrived in time."), func(c *icmplib.Counters) uint64 { return c.PacketsReceived }},
	{proberCounter("icmp_errors", "Probes that caused an ICMP error, including port unreachable for UDP."), func(c *icmplib.Counters) uint64 { return c.ICMPErrors }},
	{proberCounter("silent", "Probes without any answer in time."), func(c *icmplib.Counters) uint64 { return c.Silent }},
	{proberCounter("late", "Silent probes that were answered after their timeout."), func(c *icmplib.Counters) uint64 { return c.Late }},
	{proberCounter("duplicates", "Duplicate answers."), func(c *icmplib.Counters) uint64 { return c.Duplicates }},
	{proberCounter("altered", "Replies without the payload of their probe."), func(c *icmplib.Counters) uint64 { return c.Altered }},
	{proberCounter("advised", "Redirects, source quenches and parameter problems about our probes, and errors that a later reply in time overruled."), func(c *icmplib.Counters) uint64 { return c.Advised }},
	{proberCounter("foreign", "Messages that concern no probe of ours."), func(c *icmplib.Counters) uint64 { return c.Foreign }},
	{proberCounter("malformed", "Malformed messages."), func(c *icmplib.Counters) uint64 { return c.Malformed }},
	{proberCounter("dropped", "Messages dropped because our own socket buffers were full."), func(c *icmplib.Counters) uint64 { return c.Dropped }},
	{proberCounter("busy", "Times that sending waited because the kernel had no buffer space."), func(c *icmplib.Counters) uint64 { return c.Busy }},
}

func proberCounter(name, help string) *metric { return counter("icmp_prober_"+name+"_total", help) }

// proberFigures returns the counters of a Prober as they stand.
func proberFigures(p *icmplib.Prober) (all []prometheus.Metric) {
	counters := p.Counters()
	for _, c := range proberCounters {
		all = append(all, c.metric.of(nil, float64(c.value(&counters))))
	}
	return all
}
