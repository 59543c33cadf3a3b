package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics is all that is told to Prometheus.
type metrics struct {
	registry *prometheus.Registry
	labels   []string // those of the configuration

	// By target and address.
	sent, replies, late, duplicates, altered, suspect, failures *prometheus.CounterVec
	up, lastReply                                               *prometheus.GaugeVec
	rtt                                                         *prometheus.HistogramVec

	// By reason, too.
	lost, sendErrors *prometheus.CounterVec

	// By target.
	addresses     *prometheus.GaugeVec
	resolveErrors *prometheus.CounterVec
}

// newMetrics makes metrics whose series have labels of the configuration, too.
func newMetrics(s *shape) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), labels: s.labels}
	target := append([]string{"target", "protocol"}, s.labels...)
	address := append([]string{"address"}, target...)
	reason := append([]string{"reason"}, address...)

	m.sent = m.counter("icmp_probes_sent_total", "Probes that were sent and whose fate is known.", address)
	m.replies = m.counter("icmp_probes_answered_total", "Probes that the target answered in time.", address)
	m.lost = m.counter("icmp_probes_lost_total", "Probes that were sent and not answered in time, by what came instead.", reason)
	m.suspect = m.counter("icmp_probes_suspect_total", "Probes lost without an answer while this host's own socket dropped packets: the loss may be ours.", address)
	m.late = m.counter("icmp_replies_late_total", "Answers to probes that had been counted as lost.", address)
	m.duplicates = m.counter("icmp_replies_duplicate_total", "Further answers to probes that were answered.", address)
	m.altered = m.counter("icmp_replies_altered_total", "Answers whose payload was not the one sent.", address)
	m.sendErrors = m.counter("icmp_send_errors_total", "Probes that this host did not send, by its reason.", reason)
	m.failures = m.counter("icmp_probing_failures_total", "Times that probing broke off and had to begin anew, for want of a socket for one.", address)
	m.up = m.gauge("icmp_up", "Whether the latest probe whose fate is known was answered in time: 1 or 0.", address)
	m.lastReply = m.gauge("icmp_last_reply_timestamp_seconds", "When the last answer in time arrived, in Unix time.", address)
	m.addresses = m.gauge("icmp_target_addresses", "Addresses of the target that are probed.", target)
	m.resolveErrors = m.counter("icmp_resolve_errors_total", "Look-ups of the target's name that failed.", target)

	m.rtt = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            "icmp_rtt_seconds",
		Help:                            "Round-trip times of probes that were answered in time.",
		Buckets:                         s.buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, address)
	m.registry.MustRegister(m.rtt, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) counter(name, help string, labels []string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) gauge(name, help string, labels []string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

// labelsOf returns the labels that all series of a job have.
func (m *metrics) labelsOf(j *job) prometheus.Labels {
	labels := prometheus.Labels{"target": j.host, "protocol": j.ping.Packet.Protocol.String()}
	for _, name := range m.labels {
		labels[name] = j.labels[name]
	}
	return labels
}
