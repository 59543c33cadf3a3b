package icmplib

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/goicmp/icmplib/internal/series"
)

// Stats sums up the results of the probes to one host or hop: feed it with
// [Stats.Add]. The zero value is ready for use. Its fields are counters that
// Add keeps; they balance at every moment:
//
//	PacketsSent = PacketsReceived + Silent + ICMPErrors + Late + Unsettled
//
// The other counters stand beside this sum.
//
// Everything that depends on an order is in sending order (Result.Seq),
// in whatever order the results arrive: [Stats.RTTs], [Stats.LastRTT],
// [Stats.Jitter] and [Stats.InterarrivalJitter].
//
// A Stats keeps up to 1024 round-trip times, or as many as a Ping of a finite
// Count sends. When there are more it keeps a histogram in their place, whose
// size does not depend on their number: see [Stats.RTTs] and
// [Stats.Percentile].
//
// A Stats is not safe for concurrent use. An assignment copies it only as long
// as neither of the two is fed any more; [Stats.Snapshot] makes a copy that
// stands alone.
type Stats struct {
	// PacketsSent is the number of packets that the kernel took and whose
	// results were added.
	PacketsSent int

	// PacketsReceived is the number of probes that the target answered in
	// time. For a hop of a route it is that of probes that anybody answered.
	PacketsReceived int

	// Silent is the number of probes to which nothing came, to this moment.
	Silent int

	// ICMPErrors is the number of probes that an ICMP error settled, or what
	// this system made of one.
	ICMPErrors int

	// Late is the number of probes that were answered after their timeout.
	// They were silent until then. They count as lost.
	Late int

	// Unsettled is the number of probes whose fate was unknown when the call
	// ended. They count neither as received nor as lost.
	Unsettled int

	// Duplicates is the number of further answers to settled probes.
	Duplicates int

	// Altered is the number of replies whose payload was not the one sent:
	// those that answered a probe all the same, for its nonce was whole
	// (Result.Altered), and those that answered none ([StatusAltered]).
	Altered int

	// Advised is the number of ICMP messages about probes that settled none:
	// redirects, source quenches, parameter problems, and errors about probes
	// whose reply came in time after all.
	Advised int

	// SendErrors is the number of probes that this system did not send. They are
	// no part of PacketsSent, and count as lost.
	SendErrors int

	// Suspect is the part of Silent that may be this system's own loss: its
	// socket dropped packets while they were in flight.
	Suspect int

	// LastICMPError is the last of the ICMP errors that settled a probe, an
	// [*icmp.Error]; nil while ICMPErrors is 0.
	LastICMPError error

	everyAnswer bool // whether ICMP errors are received, too
	rtts        series.Series
	maxLate     time.Duration
}

// Add takes the result of a probe. Results may come in any order, all those of
// one probe included, save that silence comes before the late answer.
//
//   - A result without a Sent time counts as one of SendErrors.
//   - A Duplicate and a Status that only informs settle no probe, and are
//     counted beside: as Duplicates, Altered or Advised.
//   - A reply that Corrects the error that came before it turns one of
//     ICMPErrors into a received probe and one of Advised. Where its turn in
//     sending order has passed, its RTT counts as the last. A hop received the
//     error as the answer already, and only Advised is counted. So late that
//     it is Late, too, it changes no counter.
//   - A Late answer turns one Silent probe into a Late one. Its RTT is no part
//     of any figure but [Stats.MaxLateRTT].
//   - Any other result settles its probe. A [StatusReply] brings an RTT, unless
//     it is Retransmitted.
func (s *Stats) Add(r Result) {
	switch {
	case r.Sent.IsZero():
		s.SendErrors++
		s.rtts.Skip(r.Seq)
	case r.Duplicate:
		s.Duplicates++
	case r.Status == StatusAltered:
		s.Altered++
	case r.informs(), r.Corrects && s.everyAnswer && !r.Late:
		s.Advised++
	case r.Corrects && r.Late:
		s.maxLate = max(s.maxLate, r.RTT)
	case r.Corrects && s.ICMPErrors > 0: // else its error was not told: this settles it
		s.correct(&r)
	case r.Late:
		s.addLate(&r)
	default:
		s.addFate(&r)
	}
}

// addFate counts the result that settles a probe.
func (s *Stats) addFate(r *Result) {
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
	case r.Status == StatusReply, s.everyAnswer && r.Responder.IsValid():
		s.PacketsReceived++
		timed = !r.Retransmitted // else nobody knows which packet was answered
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

// addLate counts an answer to a probe that was taken for silent.
func (s *Stats) addLate(r *Result) {
	s.Late++
	s.maxLate = max(s.maxLate, r.RTT)
	if s.Silent == 0 { // its silence was not told: this settles it
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

// abandon counts probes whose fate will not be known.
func (s *Stats) abandon(probes int) {
	s.PacketsSent += probes
	s.Unsettled += probes
}

// KeepRTTs has s keep up to count RTTs, if those are more than it keeps anyway;
// Ping does so with its Count. It is to be called before the first [Stats.Add].
func (s *Stats) KeepRTTs(count int) { s.rtts.Keep(max(count, series.DefaultKeep)) }

// receiveEveryAnswer has s count as received what any responder sends, as is
// right for a hop: its time exceeded is the answer that was asked for. It is
// to be called before the first Add.
func (s *Stats) receiveEveryAnswer() { s.everyAnswer = true }

// Snapshot returns a copy of s that shares nothing with it: what is added to
// the one does not show in the other.
func (s *Stats) Snapshot() Stats {
	c := *s
	c.rtts = s.rtts.Clone()
	return c
}

// Merge adds what o has counted, as of another part of the same probes: of another
// shard, process or day. All counters add up. The RTTs of o come behind those of s:
// LastRTT is that of o, LastICMPError too, where it has one. Where both together have
// more RTTs than s or o keeps, a histogram is left, and a percentile errs by 1 % at
// most. The jitter is the mean of all differences within either, the interarrival
// jitter the mean of both, weighed by their RTTs. o does not change.
func (s *Stats) Merge(o *Stats) {
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
	if o.LastICMPError != nil {
		s.LastICMPError = o.LastICMPError
	}
	s.maxLate = max(s.maxLate, o.maxLate)
	s.rtts.Merge(&o.rtts)
}

// IsAlive reports whether at least one probe was answered in time.
func (s *Stats) IsAlive() bool { return s.PacketsReceived > 0 }

// PacketLoss returns the part of the probes that was not answered in time, from 0
// to 1: silent ones (also those that are Suspect), late ones, those that met an ICMP
// error and those that this system did not send (SendErrors), for a link that is down
// loses what it was to carry. Probes whose fate is unknown are left out; while there
// are no others, as where none was tried, it is 0. It is 1 if no packet could be sent.
func (s *Stats) PacketLoss() float64 {
	settled := s.PacketsSent + s.SendErrors - s.Unsettled
	if settled == 0 {
		return 0
	}
	return float64(settled-s.PacketsReceived) / float64(settled)
}

// MinRTT returns the smallest RTT, 0 if there is none.
func (s *Stats) MinRTT() time.Duration { return s.rtts.Min() }

// AvgRTT returns the mean of the RTTs, 0 if there is none.
func (s *Stats) AvgRTT() time.Duration { return s.rtts.Mean() }

// MaxRTT returns the greatest RTT, 0 if there is none.
func (s *Stats) MaxRTT() time.Duration { return s.rtts.Max() }

// StdDev returns the sample standard deviation of the RTTs, the root of the sum
// of squared differences from the mean over n-1: 7.07 ms for 10 ms and 20 ms.
// It is 0 if there are fewer than two.
func (s *Stats) StdDev() time.Duration { return s.rtts.StdDev() }

// LastRTT returns the RTT of the last probe sent that has one, 0 if none has.
func (s *Stats) LastRTT() time.Duration { return s.rtts.Last() }

// Jitter returns the mean of the absolute differences of consecutive RTTs in
// sending order. Probes without an RTT are passed over. It is 0 if there are
// fewer than two RTTs.
func (s *Stats) Jitter() time.Duration { return s.rtts.Jitter() }

// InterarrivalJitter returns the jitter of RFC 3550 section 6.4.1: starting at
// 0, each difference D of consecutive RTTs in sending order moves it by a
// sixteenth of its distance from |D|. It favours what was sent last.
func (s *Stats) InterarrivalJitter() time.Duration { return s.rtts.Interarrival() }

// MaxLateRTT returns the greatest RTT of a late answer, 0 if there was none:
// with a timeout that long it would have been in time.
func (s *Stats) MaxLateRTT() time.Duration { return s.maxLate }

// Percentile returns the RTT that the part q of all RTTs, from 0 to 1, does not
// exceed, by the nearest-rank method: the smallest RTT of which that is true,
// with no interpolation. 0.5 gives the median, 0.95 what 19 of 20 replies keep
// to. q below 0 or not a number counts as 0 and gives the smallest RTT, above 1
// it counts as 1 and gives the greatest. It is 0 if there is no RTT.
//
// As long as [Stats.RTTs] returns the RTTs it is exact. After that it errs by 1
// % at most, the smallest and the greatest RTT excepted, which stay exact.
func (s *Stats) Percentile(q float64) time.Duration { return s.rtts.Percentile(q) }

// RTTs returns the RTT of each probe that has one, in sending order. The slice
// is the caller's own. It is nil if there is none, and when there are more than
// s keeps (see [Stats]): only their histogram is left then.
func (s *Stats) RTTs() []time.Duration { return s.rtts.RTTs() }

// Host is a target and the statistics of the probes sent to it: the result of
// Ping and MultiPing.
//
// A target that cannot be resolved or sent to has its entry all the same, with
// the reason in Err and PacketsSent 0.
type Host struct {
	// Address is the address that was probed, or the zero Addr if the name
	// could not be resolved. Who answered is told by each [Result].
	Address netip.Addr

	// Name is the target as the caller gave it: a name or an address.
	Name string

	// Err is why nothing could be sent to the target, or received, or nil. That nobody
	// answers is no error: see [Stats.IsAlive].
	Err error

	Stats
}

// String returns a summary of h over several lines, for people:
//
//	example.org (192.0.2.1)
//	  packets   4 sent, 3 received, 25.00 % lost
//	  unheard   1 silent
//	  rtt       9.800 ms min, 10.600 ms avg, 11.900 ms max, 1.100 ms deviation
//	  jitter    1.350 ms
//
// Lines without content are left out. Its layout may change; read the fields
// and methods instead.
func (h *Host) String() string {
	b := append(make([]byte, 0, 256), targetText(h.Name, h.Address)...)
	if h.Err != nil {
		b = append(b, "\n  error     "...)
		b = append(b, h.Err.Error()...)
	}
	return string(h.Stats.appendSummary(b))
}

// appendSummary appends the lines that tell of s, each with its newline first.
func (s *Stats) appendSummary(b []byte) []byte {
	if s.PacketsSent > 0 || s.SendErrors > 0 {
		b = append(b, "\n  packets   "...)
		b = appendCount(b, s.PacketsSent, " sent, ")
		b = appendCount(b, s.PacketsReceived, " received, ")
		b = strconv.AppendFloat(b, 100*s.PacketLoss(), 'f', 2, 64)
		b = append(b, " % lost"...)
	}
	b = appendCounts(b, "\n  unheard   ", []count{
		{s.Silent, " silent"}, {s.Suspect, " of them suspect"}, {s.Late, " late"},
		{s.ICMPErrors, " met an ICMP error"}, {s.Unsettled, " unsettled"},
	})
	b = appendCounts(b, "\n  besides   ", []count{
		{s.Duplicates, " duplicate"}, {s.Altered, " altered"}, {s.Advised, " advised"}, {s.SendErrors, " not sent"},
	})
	if s.PacketsReceived == 0 {
		return b
	}
	b = append(b, "\n  rtt       "...)
	b = appendMilliseconds(b, s.MinRTT(), " min, ")
	b = appendMilliseconds(b, s.AvgRTT(), " avg, ")
	b = appendMilliseconds(b, s.MaxRTT(), " max, ")
	b = appendMilliseconds(b, s.StdDev(), " deviation")
	if s.PacketsReceived == 1 {
		return b
	}
	b = append(b, "\n  jitter    "...)
	return appendMilliseconds(b, s.Jitter(), "")
}

// count is a number of things and what they are.
type count struct {
	n    int
	what string
}

// appendCounts appends the counts that are not 0, after title if there are any.
func appendCounts(b []byte, title string, counts []count) []byte {
	before := title
	for _, c := range counts {
		if c.n == 0 {
			continue
		}
		b = append(b, before...)
		b = appendCount(b, c.n, c.what)
		before = ", "
	}
	return b
}

func appendCount(b []byte, n int, what string) []byte {
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, what...)
}

// appendMilliseconds appends d to the microsecond, with its unit.
func appendMilliseconds(b []byte, d time.Duration, what string) []byte {
	const perMillisecond = float64(time.Millisecond)
	b = strconv.AppendFloat(b, float64(d)/perMillisecond, 'f', 3, 64)
	b = append(b, " ms"...)
	return append(b, what...)
}
