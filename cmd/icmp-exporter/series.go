package main

import (
	"maps"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goicmp/icmplib"
)

// series is what is told about one address of a target, from the first moment to
// the last: while it is probed, its counters are there.
type series struct {
	m      *metrics
	labels prometheus.Labels

	sent, replies, late, duplicates, altered, suspect, failures prometheus.Counter
	lost, sendErrors                                            *prometheus.CounterVec
	rtt                                                         prometheus.Observer

	// They come with what they tell.
	up, lastReply prometheus.Gauge

	newest int // Seq of the probe that up is about
}

// newSeries begins the series of an address.
func (m *metrics) newSeries(j *job, addr netip.Addr) *series {
	labels := m.labelsOf(j)
	labels["address"] = addr.String()
	s := &series{
		m: m, labels: labels,
		sent:       m.sent.With(labels),
		replies:    m.replies.With(labels),
		late:       m.late.With(labels),
		duplicates: m.duplicates.With(labels),
		altered:    m.altered.With(labels),
		suspect:    m.suspect.With(labels),
		failures:   m.failures.With(labels),
		lost:       m.lost.MustCurryWith(labels),
		sendErrors: m.sendErrors.MustCurryWith(labels),
		rtt:        m.rtt.With(labels),
	}
	s.lost.WithLabelValues(icmplib.StatusNoReply.String()) // 0 from the start
	return s
}

// add counts a result. Each probe is counted once when its fate is known, and then
// in all that it belongs to, so that parts fit their whole.
func (s *series) add(r *icmplib.Result) {
	switch {
	case r.Sent.IsZero():
		s.sendErrors.WithLabelValues(r.Status.String()).Inc()
		s.setUp(r.Seq, false)
	case r.Duplicate:
		s.duplicates.Inc()
	case r.Late && !r.Corrects:
		s.late.Inc()
	case r.Status == icmplib.StatusAltered:
		s.altered.Inc()
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
	s.sent.Inc()
	if r.Altered {
		s.altered.Inc()
	}
	if r.Status != icmplib.StatusReply {
		s.lost.WithLabelValues(r.Status.String()).Inc()
		if r.Suspect {
			s.suspect.Inc()
		}
		s.setUp(r.Seq, false)
		return
	}
	s.replies.Inc()
	s.setUp(r.Seq, true)
	if s.lastReply == nil {
		s.lastReply = s.m.lastReply.With(s.labels)
	}
	s.lastReply.Set(seconds(r.Sent.Add(r.RTT)))
	if !r.Retransmitted { // else nobody knows which packet was answered
		s.rtt.Observe(r.RTT.Seconds())
	}
}

// fail counts that the probing broke off. What comes next counts from 0 again.
func (s *series) fail() {
	s.failures.Inc()
	s.newest = 0
	s.setUp(0, false)
}

// setUp tells whether a probe was answered, unless that is known of a later one:
// silence takes the timeout to be known, an answer does not.
func (s *series) setUp(seq int, up bool) {
	if seq < s.newest {
		return
	}
	s.newest = seq
	value := 0.0
	if up {
		value = 1
	}
	if s.up == nil {
		s.up = s.m.up.With(s.labels)
	}
	s.up.Set(value)
}

// end removes all series of the address.
func (s *series) end() {
	m := s.m
	for _, v := range []interface{ Delete(prometheus.Labels) bool }{
		m.sent, m.replies, m.late, m.duplicates, m.altered, m.suspect, m.failures, m.up, m.lastReply, m.rtt,
	} {
		v.Delete(s.labels)
	}
	labels := maps.Clone(s.labels)
	for status := icmplib.StatusUnsettled; status <= icmplib.StatusSendError; status++ {
		labels["reason"] = status.String()
		m.lost.Delete(labels)
		m.sendErrors.Delete(labels)
	}
}

// seconds is a moment in Unix time.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
