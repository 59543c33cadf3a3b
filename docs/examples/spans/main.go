// Command spans traces the route to a host, and writes each probe as one JSON object: a
// span, as OpenTelemetry and other tracing systems store an operation.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: spans HOST")
	}
	s := newSpans(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	prober, err := icmplib.NewProber(&icmplib.Config{Trace: s.note})
	if err != nil {
		log.Fatal(err)
	}
	_, err = prober.Traceroute(context.Background(), os.Args[1], nil)
	prober.Close() // passes on the events that wait
	if err != nil {
		log.Fatal(err)
	}
}

// span is one probe, from the packet that left to the one that answered.
type span struct {
	began time.Time
	name  string
	ttl   int
}

// spans makes spans of what a Prober does. The events come one at a time: it needs no lock.
type spans struct {
	log  *slog.Logger
	open map[uint64]span // by the probe
}

func newSpans(log *slog.Logger) *spans { return &spans{log, map[uint64]span{}} }

// note is a [icmplib.Config.Trace].
func (s *spans) note(e icmplib.TraceEvent) {
	if e.Missed > 0 {
		s.log.Warn("events were dropped", "missed", e.Missed) // some spans stay open
	}
	switch e.Kind {
	case icmplib.TraceSent:
		s.open[e.Probe] = span{e.Time, e.Protocol.String() + " probe of " + e.Dst.String(), e.TTL}
	case icmplib.TraceRefused:
		s.log.Error("not sent", "dst", e.Dst, "cause", e.Cause)
	case icmplib.TraceReceived, icmplib.TraceSilent:
		probe, ok := s.open[e.Probe]
		if !ok {
			return // a duplicate, a late answer, or an answer to nobody
		}
		delete(s.open, e.Probe)
		s.log.Info(probe.name, "ttl", probe.ttl, "began", probe.began, "took", e.Time.Sub(probe.began),
			"outcome", e.Kind.String(), "by", e.Responder, "verdict", e.Verdict)
	}
}
