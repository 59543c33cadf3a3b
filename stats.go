package icmplib

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/series"
	"github.com/goicmp/icmplib/internal/text"
)

// Stats sums up the results of the probes to one host or hop: pass each to [Stats.Add]. The
// zero value is ready for use. The fields are counters, and always add up:
//
//	PacketsSent = PacketsReceived + Silent + ICMPErrors + Late + Unsettled
//
// The other counters are not part of this sum.
//
// Figures that depend on an order ([Stats.RTTs], [Stats.LastRTT], [Stats.Jitter] and
// [Stats.InterarrivalJitter]) use the order of sending (Result.Seq), whatever the order in
// which results arrive.
//
// A Stats keeps up to 1024 round-trip times; one that a Ping with a greater Count fills
// keeps up to Count. If there are more, it keeps a histogram of constant size instead: see
// [Stats.RTTs] and [Stats.Percentile].
//
// A Stats is not safe for concurrent use. Assignment copies it only if neither copy gets
// more results; [Stats.Snapshot] makes an independent copy.
type Stats struct {
	// PacketsSent is the number of packets that the kernel accepted and whose results were
	// added.
	PacketsSent int

	// PacketsReceived is the number of probes that the target answered in time. For a hop
	// of a route, it is the number of probes that any address answered.
	PacketsReceived int

	// Silent is the number of probes that have had no answer so far.
	Silent int

	// ICMPErrors is the number of probes that were settled by an ICMP error, or by this
	// system's own error that resulted from one.
	ICMPErrors int

	// Late is the number of probes that were answered after their timeout. Until then they
	// were silent. They count as lost.
	Late int

	// Unsettled is the number of probes that were still in flight when the call ended. They
	// count neither as received nor as lost.
	Unsettled int

	// Duplicates is the number of further answers to settled probes.
	Duplicates int

	// Altered is the number of replies whose payload differs from the one sent: those that
	// answer a probe anyway, because its nonce was intact (Result.Altered), and those that
	// answer none ([StatusAltered]).
	Altered int

	// Advised is the number of ICMP messages that settled no probe: redirects, source
	// quenches, parameter problems, and errors about probes whose reply came in time.
	Advised int

	// SendErrors is the number of probes that this system did not send. They are not part
	// of PacketsSent, and count as lost.
	SendErrors int

	// Suspect is the part of Silent that may be this system's own loss: its socket dropped
	// packets while these probes were in flight.
	Suspect int

	// NewIDs is how often an endless ping changed its id after a run of silent requests:
	// see PingOptions.NewIDAfter.
	NewIDs int

	// LastICMPError is the last ICMP error that settled a probe, an [*icmp.Error]; nil
	// while ICMPErrors is 0.
	LastICMPError error

	rtts    series.Series
	maxLate time.Duration
}

// Add adds the result of a probe. Results may come in any order, and a probe may have
// several, but silence must come before the late answer.
//
//   - A result without a Sent time counts in SendErrors, unless its Status is StatusReply or
//     StatusNoReply, which only a probe that was sent has: results made by hand need no time.
//   - A Duplicate, or a Status that only informs, settles no probe, and counts in
//     Duplicates, Altered or Advised.
//   - A reply that Corrects an earlier error moves one probe from ICMPErrors to
//     PacketsReceived, and counts in Advised. If its turn in sending order has passed, its
//     RTT becomes the last. For a hop, the error already counts as the answer, so the reply
//     counts in Advised only. If it is also Late, it changes no counter.
//   - A Late answer moves one probe from Silent to Late. Its RTT is part of
//     [Stats.MaxLateRTT] only.
//   - Any other result settles its probe. A [StatusReply] adds an RTT, unless it is
//     Retransmitted.
func (s *Stats) Add(r Result) { s.count(&r, false) }

// count adds a result. For a hop, every answer counts as received: its time exceeded is what
// the probe asked for.
func (s *Stats) count(r *Result, everyAnswer bool) {
	switch {
	case r.neverLeft():
		s.SendErrors++
		s.rtts.Skip(r.Seq)
	case r.Duplicate:
		s.Duplicates++
	case r.Status == StatusAltered:
		s.Altered++
	case r.informs(), r.Corrects && everyAnswer && !r.Late:
		s.Advised++
	case r.Corrects && r.Late:
		s.maxLate = max(s.maxLate, r.RTT)
	case r.Corrects && s.ICMPErrors > 0: // else its error was not added: this settles it
		s.correct(r)
	case r.Late:
		s.addLate(r)
	default:
		s.addFate(r, everyAnswer)
	}
}

// neverLeft reports whether the result is of a probe that the system did not send.
func (r *Result) neverLeft() bool {
	return r.Sent.IsZero() && r.Status != StatusReply && r.Status != StatusNoReply
}

// addFate counts the result that settles a probe.
func (s *Stats) addFate(r *Result, everyAnswer bool) {
	s.PacketsSent++
	if r.Altered {
		s.Altered++
	}
	timed := false
	switch {
	case r.Status == StatusUnsettled:
		s.Unsettled++
	case r.Status == StatusNoReply:
		s.Silent++
		if r.Suspect {
			s.Suspect++
		}
		if r.NewID {
			s.NewIDs++
		}
	case r.Status == StatusReply, everyAnswer && r.Responder.IsValid() && !r.Local:
		s.PacketsReceived++
		timed = !r.Retransmitted // else it is unknown which packet was answered
	default:
		s.ICMPErrors++
		s.LastICMPError = r.Err()
	}
	if timed {
		s.rtts.Add(r.Seq, r.RTT)
		return
	}
	s.rtts.Skip(r.Seq)
}

// correct counts a reply to a probe that an error had settled.
func (s *Stats) correct(r *Result) {
	s.ICMPErrors--
	s.PacketsReceived++
	s.Advised++
	if s.ICMPErrors == 0 {
		s.LastICMPError = nil
	}
	if r.Altered {
		s.Altered++
	}
	if !r.Retransmitted {
		s.rtts.Amend(r.Seq, r.RTT)
	}
}

// addLate counts an answer to a probe that was considered silent.
func (s *Stats) addLate(r *Result) {
	s.Late++
	s.maxLate = max(s.maxLate, r.RTT)
	if s.Silent == 0 { // its silence was not added: this settles it
		s.PacketsSent++
		s.rtts.Skip(r.Seq)
		return
	}
	s.Silent--
	if r.Suspect && s.Suspect > 0 {
		s.Suspect--
	}
	s.Suspect = min(s.Suspect, s.Silent)
}

// abandon counts probes that will never be settled.
func (s *Stats) abandon(probes int) {
	s.PacketsSent += probes
	s.Unsettled += probes
}

// KeepRTTs makes s keep up to count RTTs, if that is more than the default of 1024. Ping
// calls it with its Count. Call it before the first [Stats.Add].
func (s *Stats) KeepRTTs(count int) { s.rtts.Keep(max(count, series.DefaultKeep)) }

// Snapshot returns an independent copy of s.
func (s *Stats) Snapshot() Stats {
	c := *s
	c.rtts = s.rtts.Clone()
	return c
}

// Merge adds the counts of o, which come from another part of the same measurement: another
// shard, process or day. Counters add up. The RTTs of o follow those of s: LastRTT becomes
// that of o, and so does LastICMPError if o has one. If both together have more RTTs than
// either keeps, a histogram remains, whose percentiles err by at most 1 %. The jitter
// becomes the mean of all differences within either part, and the interarrival jitter the
// mean of both, weighted by their RTTs. o does not change; a nil one adds nothing.
func (s *Stats) Merge(o *Stats) {
	if o == nil {
		return
	}
	s.PacketsSent += o.PacketsSent
	s.PacketsReceived += o.PacketsReceived
	s.Silent += o.Silent
	s.ICMPErrors += o.ICMPErrors
	s.Late += o.Late
	s.Unsettled += o.Unsettled
	s.Duplicates += o.Duplicates
	s.Altered += o.Altered
	s.Advised += o.Advised
	s.SendErrors += o.SendErrors
	s.Suspect += o.Suspect
	s.NewIDs += o.NewIDs
	if o.LastICMPError != nil {
		s.LastICMPError = o.LastICMPError
	}
	s.maxLate = max(s.maxLate, o.maxLate)
	s.rtts.Merge(&o.rtts)
}

// IsAlive reports whether at least one probe was answered in time.
func (s *Stats) IsAlive() bool { return s.PacketsReceived > 0 }

// PacketLoss returns the share of probes that were not answered in time, from 0 to 1.
// Probes count as lost if they were silent (Suspect ones included), were answered late or
// by an ICMP error, or could not be sent (SendErrors), because a link that is down loses
// what it should carry. Unsettled probes are left out. The result is 0 if nothing is
// settled, and 1 if no packet could be sent.
func (s *Stats) PacketLoss() float64 {
	settled := s.PacketsSent + s.SendErrors - s.Unsettled
	if settled == 0 {
		return 0
	}
	return float64(settled-s.PacketsReceived) / float64(settled)
}

// MinRTT returns the smallest RTT, or 0 without any.
func (s *Stats) MinRTT() time.Duration { return s.rtts.Min() }

// AvgRTT returns the mean of the RTTs, or 0 without any.
func (s *Stats) AvgRTT() time.Duration { return s.rtts.Mean() }

// MaxRTT returns the greatest RTT, or 0 without any.
func (s *Stats) MaxRTT() time.Duration { return s.rtts.Max() }

// StdDev returns the sample standard deviation of the RTTs: the square root of the sum of
// squared differences from the mean over n-1. For 10 ms and 20 ms it is 7.07 ms. It is 0
// with fewer than two RTTs.
func (s *Stats) StdDev() time.Duration { return s.rtts.StdDev() }

// LastRTT returns the RTT of the last probe sent that has one, or 0.
func (s *Stats) LastRTT() time.Duration { return s.rtts.Last() }

// Jitter returns the mean absolute difference of consecutive RTTs in sending order, as
// icmplib for Python defines it. Probes without an RTT are skipped. It is 0 with fewer than
// two RTTs.
func (s *Stats) Jitter() time.Duration { return s.rtts.Jitter() }

// InterarrivalJitter returns the jitter of RFC 3550 section 6.4.1: starting at 0, each
// difference D of consecutive RTTs in sending order moves it by a sixteenth of its distance
// from |D|. Recent probes weigh more.
func (s *Stats) InterarrivalJitter() time.Duration { return s.rtts.Interarrival() }

// MaxLateRTT returns the greatest RTT of a late answer, or 0 without any: with a timeout of
// this length, every late answer would have been in time.
func (s *Stats) MaxLateRTT() time.Duration { return s.maxLate }

// Percentile returns the smallest RTT that the share q of all RTTs, from 0 to 1, does not
// exceed: the nearest-rank method, without interpolation. 0.5 is the median. A q below 0 or
// not a number counts as 0, the smallest RTT; above 1 it counts as 1, the greatest. The
// result is 0 without RTTs.
//
// It is exact as long as [Stats.RTTs] returns the RTTs. After that it errs by at most 1 %;
// the smallest and the greatest RTT stay exact.
func (s *Stats) Percentile(q float64) time.Duration { return s.rtts.Percentile(q) }

// RTTs returns the RTTs in sending order, in a slice that the caller owns. It is nil if
// there are none, or more than s keeps (see [Stats]): then only their histogram is left.
func (s *Stats) RTTs() []time.Duration { return s.rtts.RTTs() }

// appendSummary appends the lines about s, each preceded by a newline.
func (s *Stats) appendSummary(b []byte) []byte {
	if s.PacketsSent > 0 || s.SendErrors > 0 {
		b = fmt.Appendf(b, "\n  packets   %d sent, %d received, %.2f %% lost", s.PacketsSent, s.PacketsReceived, 100*s.PacketLoss())
	}
	b = text.AppendCounts(b, "\n  unheard   ", text.Count{N: s.Silent, What: "silent"}, text.Count{N: s.Suspect, What: "of them suspect"},
		text.Count{N: s.Late, What: "late"}, text.Count{N: s.ICMPErrors, What: "met an ICMP error"}, text.Count{N: s.Unsettled, What: "unsettled"})
	b = text.AppendCounts(b, "\n  besides   ", text.Count{N: s.Duplicates, What: "duplicate"}, text.Count{N: s.Altered, What: "altered"},
		text.Count{N: s.Advised, What: "advised"}, text.Count{N: s.SendErrors, What: "not sent"})
	if s.PacketsReceived > 0 {
		b = fmt.Appendf(b, "\n  rtt       %s min, %s avg, %s max, %s deviation", text.Milliseconds(s.MinRTT()), text.Milliseconds(s.AvgRTT()),
			text.Milliseconds(s.MaxRTT()), text.Milliseconds(s.StdDev()))
	}
	if s.PacketsReceived > 1 {
		b = fmt.Appendf(b, "\n  jitter    %s", text.Milliseconds(s.Jitter()))
	}
	return b
}

// LogValue returns the counters and the least, mean and greatest round-trip time.
func (s Stats) LogValue() slog.Value {
	var a fields.Attrs
	logStats(&a, &s)
	return a.Group()
}

// logStats adds the counters and the round-trip times.
func logStats(a *fields.Attrs, s *Stats) {
	*a = append(*a, slog.Int("sent", s.PacketsSent), slog.Int("received", s.PacketsReceived), slog.Float64("loss", s.PacketLoss()))
	a.Count("send_errors", s.SendErrors)
	a.Count("late", s.Late)
	a.Count("suspect", s.Suspect)
	if s.PacketsReceived > 0 {
		*a = append(*a, slog.Duration("min", s.MinRTT()), slog.Duration("avg", s.AvgRTT()), slog.Duration("max", s.MaxRTT()))
	}
}
