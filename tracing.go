package icmplib

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/backlog"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/words"
)

// TraceEvent is what [Config.Trace] receives: a packet that left, a packet that arrived, or
// a silence.
type TraceEvent struct {
	Kind TraceKind // what happened

	// Time is when the system was given the packet, or when the packet arrived, by the
	// kernel's stamp if there is one; for a silence, it is the end of the timeout.
	Time time.Time

	// Probe is a number that identifies the probe: all its events have the same. It is 0 if
	// a packet was credited to no probe.
	Probe uint64

	Protocol  Protocol   // of the probes that share the socket
	Dst       netip.Addr // of the probe
	Responder netip.Addr // the source of a packet that arrived
	TTL       int        // of the probe

	// RTT is the time from the probe to the packet, if the packet was credited.
	RTT time.Duration

	// Verdict says, in words for people, what a received packet was credited as and what
	// proves it, or why it was not credited.
	Verdict string

	// Cause is the reason why the system did not accept the packet.
	Cause error

	// Packet is the packet from its IP header on. Parts that the system does not provide,
	// such as the header of an answer without raw sockets, are reconstructed from what it
	// reports; unknown fields are 0. The slice is not overwritten later.
	Packet []byte

	// Missed is the number of events before this one that were dropped because the function
	// was too slow.
	Missed int
}

// TraceKind is the kind of a [TraceEvent].
type TraceKind uint8

// The kinds of a TraceEvent.
const (
	TraceSent     TraceKind = iota // the system accepted the packet
	TraceRefused                   // the system did not accept it
	TraceReceived                  // a packet arrived
	TraceSilent                    // nothing was credited to the probe before its timeout
)

var traceKinds = words.Table[TraceKind]{Type: "TraceKind", Words: []string{"sent", "refused", "received", "silent"}}

// String returns "sent", "refused", "received" or "silent", and "TraceKind(n)" for any
// other value.
func (k TraceKind) String() string { return traceKinds.String(k) }

// LogValue returns the fields that are set, except Packet.
func (e TraceEvent) LogValue() slog.Value {
	a := fields.Attrs{slog.String("kind", e.Kind.String()), slog.String("protocol", e.Protocol.String())}
	if e.Dst.IsValid() {
		a = append(a, slog.String("dst", e.Dst.String()), slog.Int("ttl", e.TTL))
	}
	a.Addr("responder", e.Responder)
	a.Duration("rtt", e.RTT)
	a.Text("verdict", e.Verdict)
	a.Error("cause", e.Cause)
	return a.Group()
}

// maxUntold limits the events that wait for the function.
const maxUntold = 1 << 15

// tracer calls a function with events, on its own goroutine: senders and receivers do not
// wait for it.
type tracer struct {
	events *backlog.Queue[TraceEvent]
	end    func() // passes on the remaining events, and returns when that is done
}

func newTracer(tell func(TraceEvent)) *tracer {
	events := backlog.New(maxUntold, func(e *TraceEvent) *int { return &e.Missed })
	return &tracer{events, events.Tell(tell)}
}

// note adds an event.
func (t *tracer) note(e engine.Event) {
	t.events.Put(TraceEvent{
		Kind: TraceKind(e.Kind), Time: e.Time, Probe: e.Probe, Protocol: protocolOf(e.Protocol), Dst: e.Dst, Responder: e.Responder,
		TTL: e.TTL, RTT: e.RTT, Verdict: e.Verdict, Cause: e.Err, Packet: e.Packet,
	})
}

// traced returns a Medium for a key, with tracing if configured.
func (p *Prober) traced(key socketKey, m engine.Medium) engine.Medium {
	if p.tracer == nil {
		return m
	}
	number := key.Protocol
	if number == icmp.ICMP && key.Version == icmp.V6 {
		number = icmp.ICMPv6
	}
	local := func(netip.Addr) netip.Addr { return key.Source }
	if !key.Source.IsValid() && p.other == nil {
		local = (&sockets.Sources{LookUp: sockets.SourceTo}).Find
	}
	return engine.Traced(m, engine.Tracing{
		Protocol: number, Version: key.Version, DontFragment: key.DontFragment, Local: local, Tell: p.tracer.note,
	})
}
