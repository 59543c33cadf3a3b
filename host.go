package icmplib

import (
	"net/netip"
	"strconv"
	"time"
)

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
