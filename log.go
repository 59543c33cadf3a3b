package icmplib

import (
	"log/slog"
	"net/netip"
	"time"
)

// What can be logged has a LogValue: a group of the fields that are set and mean something
// to whoever reads a log. Errors are logged as their text.

// logAttrs are the fields of a group.
type logAttrs []slog.Attr

func (a *logAttrs) text(key, value string) {
	if value != "" {
		*a = append(*a, slog.String(key, value))
	}
}

func (a *logAttrs) addr(key string, addr netip.Addr) {
	if addr.IsValid() {
		*a = append(*a, slog.String(key, addr.String()))
	}
}

func (a *logAttrs) count(key string, n int) {
	if n != 0 {
		*a = append(*a, slog.Int(key, n))
	}
}

func (a *logAttrs) duration(key string, d time.Duration) {
	if d != 0 {
		*a = append(*a, slog.Duration(key, d))
	}
}

func (a *logAttrs) flag(key string, set bool) {
	if set {
		*a = append(*a, slog.Bool(key, true))
	}
}

func (a *logAttrs) error(key string, err error) {
	if err != nil {
		*a = append(*a, slog.String(key, err.Error()))
	}
}

func (a *logAttrs) group() slog.Value { return slog.GroupValue(*a...) }

// target says who was asked.
func (a *logAttrs) target(name string, addr netip.Addr) {
	if addr.IsValid() && name == addr.String() {
		name = ""
	}
	a.text("name", name)
	a.addr("address", addr)
}

// stats says what was counted.
func (a *logAttrs) stats(s *Stats) {
	*a = append(*a, slog.Int("sent", s.PacketsSent), slog.Int("received", s.PacketsReceived), slog.Float64("loss", s.PacketLoss()))
	a.count("send_errors", s.SendErrors)
	a.count("late", s.Late)
	a.count("suspect", s.Suspect)
	if s.PacketsReceived > 0 {
		*a = append(*a, slog.Duration("min", s.MinRTT()), slog.Duration("avg", s.AvgRTT()), slog.Duration("max", s.MaxRTT()))
	}
}

// LogValue returns the counters and the least, mean and greatest round-trip time.
func (s Stats) LogValue() slog.Value {
	var a logAttrs
	a.stats(&s)
	return a.group()
}

// LogValue returns who was pinged, what [Stats.LogValue] has, and the error.
func (h Host) LogValue() slog.Value {
	var a logAttrs
	a.target(h.Name, h.Address)
	a.stats(&h.Stats)
	a.error("error", h.Err)
	return a.group()
}

// LogValue returns what the result is of, its status, who answered, and what is unusual.
func (r Result) LogValue() slog.Value {
	a := logAttrs{slog.String("dst", addressText(r.Dst)), slog.Int("seq", r.Seq), slog.String("status", r.Status.String())}
	a.result(&r)
	return a.group()
}

// result says what answered.
func (a *logAttrs) result(r *Result) {
	if r.Responder != r.Dst {
		a.addr("responder", r.Responder)
	}
	a.count("ttl", r.TTL)
	a.duration("rtt", r.RTT)
	if r.Type != 0 && r.Type.IsError() {
		a.text("type", r.Type.String())
		a.text("code", r.Type.CodeString(r.Code))
	}
	a.count("mtu", r.MTU)
	for _, mark := range [...]struct {
		key string
		set bool
	}{
		{"late", r.Late}, {"duplicate", r.Duplicate}, {"corrects", r.Corrects}, {"altered", r.Altered},
		{"unproven", r.Unproven}, {"local", r.Local}, {"suspect", r.Suspect},
	} {
		a.flag(mark.key, mark.set)
	}
	a.error("cause", r.Cause)
}

// LogValue returns the tag and what [Result.LogValue] has.
func (r StreamResult) LogValue() slog.Value {
	a := logAttrs{slog.Uint64("tag", r.Tag), slog.String("dst", addressText(r.Dst)), slog.String("status", r.Status.String())}
	a.result(&r.Result)
	return a.group()
}

// LogValue returns the distance, who answered, and what [Stats.LogValue] has.
func (h Hop) LogValue() slog.Value {
	a := logAttrs{slog.Int("distance", h.Distance), slog.String("address", addressText(h.Address)), slog.String("status", h.Status.String())}
	a.count("responders", len(h.Responders))
	a.stats(&h.Stats)
	return a.group()
}

// route says where a route leads and how it ended.
func (a *logAttrs) route(r *Route) {
	a.target(r.Name, r.Address)
	*a = append(*a, slog.Bool("reached", r.Reached), slog.String("end", r.End.String()), slog.Int("hops", len(r.Hops)))
	a.error("error", r.Err)
}

// LogValue returns the target, how the trace ended, and how many hops there are; each
// [Hop] has a LogValue of its own.
func (r Route) LogValue() slog.Value {
	var a logAttrs
	a.route(&r)
	return a.group()
}

// LogValue returns the round, what [Route.LogValue] has, and how much there is of
// results and events.
func (s Snapshot) LogValue() slog.Value {
	a := logAttrs{slog.Int("round", s.Round)}
	a.route(&s.Route)
	a.count("results", len(s.Results))
	a.count("events", len(s.Events))
	return a.group()
}

// LogValue returns the fields that are set.
func (e Event) LogValue() slog.Value {
	a := logAttrs{slog.String("kind", e.Kind.String()), slog.Int("round", e.Round)}
	a.count("distance", e.Distance)
	a.addr("from", e.From)
	a.addr("to", e.To)
	a.duration("duration", e.Duration)
	return a.group()
}

// LogValue returns the target, the MTU and how sure it is, and how many black holes
// there are.
func (r MTUReport) LogValue() slog.Value {
	var a logAttrs
	a.target(r.Name, r.Address)
	a = append(a, slog.Int("mtu", r.MTU), slog.Bool("reached", r.Reached), slog.Bool("confirmed", r.Confirmed), slog.Bool("exact", r.Exact))
	a.count("black_holes", len(r.BlackHoles))
	return a.group()
}

// LogValue returns the target, the verdict, and from which hop on packets are lost.
func (r LossReport) LogValue() slog.Value {
	var a logAttrs
	a.target(r.Name, r.Address)
	a = append(a, slog.String("verdict", r.Verdict.String()), slog.Bool("reached", r.Reached))
	a.count("from", r.From)
	return a.group()
}

// LogValue returns how large the graph is, and whether it is complete.
func (g Graph) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("hops", len(g.Hops)), slog.Int("edges", len(g.Edges)), slog.Int("diamonds", len(g.Diamonds)), slog.Bool("complete", g.Complete))
}

// LogValue returns the counts that are not 0.
func (c Counters) LogValue() slog.Value {
	var a logAttrs
	for _, count := range [...]struct {
		key string
		n   uint64
	}{
		{"sent", c.PacketsSent}, {"received", c.PacketsReceived}, {"errors", c.ICMPErrors}, {"silent", c.Silent}, {"late", c.Late},
		{"duplicates", c.Duplicates}, {"altered", c.Altered}, {"advised", c.Advised}, {"foreign", c.Foreign},
		{"malformed", c.Malformed}, {"dropped", c.Dropped}, {"busy", c.Busy},
	} {
		if count.n > 0 {
			a = append(a, slog.Uint64(count.key, count.n))
		}
	}
	return a.group()
}
