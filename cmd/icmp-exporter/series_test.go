package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/goicmp/icmplib"
)

// series1 are the series of an address of a target that has a label.
func series1(t *testing.T) (*prometheus.Registry, *series) {
	t.Helper()
	s := mustSettings(t, "classic_buckets: [0.01, 0.1]\ntargets: [{hosts: [h.example], labels: {site: x, none: \"\"}}]")
	one := newSeries(newTarget(&s.jobs[0]), netip.MustParseAddr("192.0.2.1"), s.shape.buckets)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector(func() []prometheus.Metric { return one.figures(nil) }))
	return registry, one
}

// result is one of a probe that was sent.
func result(seq int, status icmplib.Status, rtt time.Duration) icmplib.Result {
	return icmplib.Result{Seq: seq, Status: status, RTT: rtt, Sent: time.Unix(1000, 0)}
}

func TestEachResultIsCountedForWhatItIs(t *testing.T) {
	registry, s := series1(t)
	suspect := result(2, icmplib.StatusNoReply, 0)
	suspect.Suspect = true
	late := result(1, icmplib.StatusReply, 3*time.Second)
	late.Late = true
	duplicate := result(0, icmplib.StatusReply, time.Second)
	duplicate.Duplicate = true
	altered := result(5, icmplib.StatusReply, 50*time.Millisecond)
	altered.Altered = true
	retransmitted := result(6, icmplib.StatusReply, time.Second)
	retransmitted.Retransmitted = true
	for _, r := range []icmplib.Result{
		result(0, icmplib.StatusReply, 5*time.Millisecond),
		result(1, icmplib.StatusNoReply, 0), late,
		suspect,
		result(3, icmplib.StatusUnreachable, time.Millisecond),
		{Seq: 4, Status: icmplib.StatusNetworkUnreachable}, // not sent
		altered,
		retransmitted,
		duplicate,
		result(7, icmplib.StatusAltered, 0), // informs
		result(7, icmplib.StatusRedirect, 0),
		result(7, icmplib.StatusUnsettled, 0),
	} {
		s.add(&r)
	}
	want := strings.NewReplacer(
		"LABELS", `address="192.0.2.1",protocol="icmp",site="x",target="h.example"`,
		"HEAD", `address="192.0.2.1",protocol="icmp"`, "TAIL", `site="x",target="h.example"`,
	).Replace(`
# HELP icmp_last_reply_timestamp_seconds Unix time of the last answer in time.
# TYPE icmp_last_reply_timestamp_seconds gauge
icmp_last_reply_timestamp_seconds{LABELS} 1001
# HELP icmp_probes_answered_total Probes that the target answered in time.
# TYPE icmp_probes_answered_total counter
icmp_probes_answered_total{LABELS} 3
# HELP icmp_probes_lost_total Probes sent but not answered in time, by what came instead.
# TYPE icmp_probes_lost_total counter
icmp_probes_lost_total{HEAD,reason="no-reply",TAIL} 2
icmp_probes_lost_total{HEAD,reason="no-route-host",TAIL} 1
# HELP icmp_probes_sent_total Probes sent whose result is known.
# TYPE icmp_probes_sent_total counter
icmp_probes_sent_total{LABELS} 6
# HELP icmp_probes_suspect_total Probes without an answer while this host's own socket dropped packets: this host may have lost the answers.
# TYPE icmp_probes_suspect_total counter
icmp_probes_suspect_total{LABELS} 1
# HELP icmp_replies_altered_total Answers with another payload than the one sent.
# TYPE icmp_replies_altered_total counter
icmp_replies_altered_total{LABELS} 2
# HELP icmp_replies_duplicate_total Duplicate answers to probes.
# TYPE icmp_replies_duplicate_total counter
icmp_replies_duplicate_total{LABELS} 1
# HELP icmp_replies_late_total Answers to probes already counted as lost.
# TYPE icmp_replies_late_total counter
icmp_replies_late_total{LABELS} 1
# HELP icmp_rtt_seconds Round-trip times of probes answered in time.
# TYPE icmp_rtt_seconds histogram
icmp_rtt_seconds_bucket{LABELS,le="0.01"} 1
icmp_rtt_seconds_bucket{LABELS,le="0.1"} 2
icmp_rtt_seconds_bucket{LABELS,le="+Inf"} 2
icmp_rtt_seconds_sum{LABELS} 0.055
icmp_rtt_seconds_count{LABELS} 2
# HELP icmp_send_errors_total Probes that this host failed to send, by reason.
# TYPE icmp_send_errors_total counter
icmp_send_errors_total{HEAD,reason="no-route-network",TAIL} 1
`)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want),
		"icmp_last_reply_timestamp_seconds", "icmp_probes_answered_total", "icmp_probes_lost_total", "icmp_probes_sent_total",
		"icmp_probes_suspect_total", "icmp_replies_altered_total", "icmp_replies_duplicate_total", "icmp_replies_late_total",
		"icmp_rtt_seconds", "icmp_send_errors_total"); err != nil {
		t.Error(err)
	}
}

func TestUpIsAboutTheProbeThatWasSentLast(t *testing.T) {
	up := func(seq int) icmplib.Result { return result(seq, icmplib.StatusReply, time.Millisecond) }
	down := func(seq int) icmplib.Result { return result(seq, icmplib.StatusNoReply, 0) }
	for _, tt := range []struct {
		name    string
		results []icmplib.Result
		want    float64
	}{
		{"an answer", []icmplib.Result{up(0)}, 1},
		{"silence", []icmplib.Result{up(0), down(1)}, 0},
		{"an ICMP error", []icmplib.Result{up(0), result(1, icmplib.StatusUnreachable, 0)}, 0},
		{"an answer that is known before an earlier silence", []icmplib.Result{up(2), down(1)}, 1},
		{"what was not sent", []icmplib.Result{up(0), {Seq: 1, Status: icmplib.StatusNetworkUnreachable}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s := series1(t)
			if _, ok := figureOf(s, upGauge); ok {
				t.Errorf("it is told before anything is known")
			}
			for _, r := range tt.results {
				s.add(&r)
			}
			if got, _ := figureOf(s, upGauge); got != tt.want {
				t.Errorf("up is %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheLastReplyIsToldOf(t *testing.T) {
	_, s := series1(t)
	r := result(0, icmplib.StatusReply, time.Millisecond)
	r.ReplyTrafficClass = 46<<2 | 1
	s.add(&r)
	if _, ok := figureOf(s, hopLimitGauge); ok {
		t.Error("there is a hop limit that the system did not tell")
	}
	r.ReplyTTL = 57
	s.add(&r)
	lost := result(1, icmplib.StatusTTLExpired, 0)
	lost.ReplyTTL = 200
	s.add(&lost)
	if limit, _ := figureOf(s, hopLimitGauge); limit != 57 {
		t.Errorf("the hop limit is %v, want 57", limit)
	}
	if dscp, _ := figureOf(s, replyDSCPGauge); dscp != 46 {
		t.Errorf("the DSCP is %v, want 46", dscp)
	}
}
