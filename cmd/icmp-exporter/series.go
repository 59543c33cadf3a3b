package main

import (
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/internal/trouble"
)

// What is told of an address of a target.
var (
	sentTotal        = counter("icmp_probes_sent_total", "Probes sent whose result is known.")
	answeredTotal    = counter("icmp_probes_answered_total", "Probes that the target answered in time.")
	lostTotal        = counter("icmp_probes_lost_total", "Probes sent but not answered in time, by what came instead.")
	suspectTotal     = counter("icmp_probes_suspect_total", "Probes without an answer while this host's own socket dropped packets: this host may have lost the answers.")
	lateTotal        = counter("icmp_replies_late_total", "Answers to probes already counted as lost.")
	duplicateTotal   = counter("icmp_replies_duplicate_total", "Duplicate answers to probes.")
	alteredTotal     = counter("icmp_replies_altered_total", "Answers with another payload than the one sent.")
	sendErrorsTotal  = counter("icmp_send_errors_total", "Probes that this host failed to send, by reason.")
	newIDsTotal      = counter("icmp_new_ids_total", "Changes of the ICMP id after a run of silent probes, because a firewall may hold a bad session for the old id.")
	upGauge          = gauge("icmp_up", "Whether the latest probe with a known result was answered in time: 1 or 0.")
	lastReplyGauge   = gauge("icmp_last_reply_timestamp_seconds", "Unix time of the last answer in time.")
	hopLimitGauge    = gauge("icmp_reply_hop_limit", "TTL or hop limit of the last answer in time, where the system reports it.")
	replyDSCPGauge   = gauge("icmp_reply_dscp", "DSCP of the last answer in time.")
	rttName, rttHelp = "icmp_rtt_seconds", "Round-trip times of probes answered in time."
)

// series is what is told about one address of a target, from the first moment to
// the last: while it is probed, its counters are there. The lock of its world guards it.
type series struct {
	target *target
	addr   netip.Addr
	labels labelSet

	sent, answered, suspect, late, duplicate, altered, newIDs uint64
	lost, sendErrors                                          [icmplib.StatusSendError + 1]uint64
	rtt                                                       prometheus.Histogram

	known, up bool // up is known
	newest    int  // Seq of the probe that up is about
	reply     icmplib.Result

	stop      func() // ends what finds out about its way
	way       way
	loss      trouble.Loss
	down      bool
	good      *icmplib.Route // when it was up last; nil: it was not traced
	goodAsked time.Time
	traces    map[traceFate]uint64
}

// newSeries begins the series of an address.
func newSeries(t *target, addr netip.Addr, buckets []float64) *series {
	labels := map[string]string{"address": addr.String()}
	for name, value := range t.labels {
		labels[name] = value
	}
	return &series{
		target: t, addr: addr, labels: labelSetOf(labels), traces: map[traceFate]uint64{}, stop: func() {},
		rtt: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: rttName, Help: rttHelp, ConstLabels: withoutEmpty(labels), Buckets: buckets,
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}),
	}
}

// withoutEmpty returns the labels that are some to Prometheus.
func withoutEmpty(labels map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range labels {
		if value != "" {
			all[name] = value
		}
	}
	return all
}

// add counts a result. Each probe is counted once when it is settled, and then
// in all that it belongs to, so that parts fit their whole.
func (s *series) add(r *icmplib.Result) {
	switch {
	case r.Sent.IsZero():
		s.sendErrors[r.Status]++
		s.setUp(r.Seq, false)
	case r.Duplicate:
		s.duplicate++
	case r.Late && !r.Corrects:
		s.late++
	case r.Status == icmplib.StatusAltered:
		s.altered++
	case r.Corrects && r.Late:
	case r.Corrects:
		s.setUp(r.Seq, true) // the probe is counted as lost already
	case !r.Settles():
		// It settles no probe. The Prober counts it.
	case r.Status == icmplib.StatusUnsettled:
		// The end of the probing is no fate of a probe.
	default:
		s.addFate(r)
	}
}

// addFate counts the result that settles a probe.
func (s *series) addFate(r *icmplib.Result) {
	s.sent++
	if r.Altered {
		s.altered++
	}
	if r.Status != icmplib.StatusReply {
		s.lost[r.Status]++
		if r.Suspect {
			s.suspect++
		}
		s.setUp(r.Seq, false)
		return
	}
	s.answered++
	s.setUp(r.Seq, true)
	s.reply = *r
	if !r.Retransmitted { // else nobody knows which packet was answered
		s.rtt.Observe(r.RTT.Seconds())
	}
}

// setUp notes whether a probe was answered, unless that is known of a later one:
// silence takes the timeout to be known, an answer does not.
func (s *series) setUp(seq int, up bool) {
	if seq >= s.newest {
		s.newest, s.known, s.up = seq, true, up
	}
}

// figures appends what is known to all.
func (s *series) figures(all []prometheus.Metric) []prometheus.Metric {
	tell := func(m *metric, value float64) { all = append(all, m.of(s.labels, value)) }
	tell(sentTotal, float64(s.sent))
	tell(answeredTotal, float64(s.answered))
	tell(suspectTotal, float64(s.suspect))
	tell(lateTotal, float64(s.late))
	tell(duplicateTotal, float64(s.duplicate))
	tell(alteredTotal, float64(s.altered))
	tell(newIDsTotal, float64(s.newIDs))
	for status := range s.lost {
		word := icmplib.Status(status)
		if n := s.lost[status]; n > 0 || word == icmplib.StatusNoReply { // 0 from the start
			all = append(all, lostTotal.of(s.labels.with("reason", word.String()), float64(n)))
		}
		if n := s.sendErrors[status]; n > 0 {
			all = append(all, sendErrorsTotal.of(s.labels.with("reason", word.String()), float64(n)))
		}
	}
	if s.known {
		tell(upGauge, oneIf(s.up))
	}
	if !s.reply.Sent.IsZero() {
		tell(lastReplyGauge, seconds(s.reply.Sent.Add(s.reply.RTT)))
		tell(replyDSCPGauge, float64(s.reply.ReplyTrafficClass>>2))
		if s.reply.ReplyTTL > 0 {
			tell(hopLimitGauge, float64(s.reply.ReplyTTL))
		}
	}
	if s.target.following.trace {
		for _, fate := range traceFates { // 0 from the start, too, else the first would be no increase
			all = append(all, troubleTracesTotal.of(s.labels.with("reason", fate.why).with("route", fate.outcome), float64(s.traces[fate])))
		}
	}
	return s.way.figures(append(all, s.rtt), s.labels)
}

// oneIf is how Prometheus says yes and no.
func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// seconds is a moment in Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
