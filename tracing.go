package icmplib

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
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
	attrs := []slog.Attr{slog.String("kind", e.Kind.String()), slog.String("protocol", e.Protocol.String())}
	if e.Dst.IsValid() {
		attrs = append(attrs, slog.String("dst", e.Dst.String()), slog.Int("ttl", e.TTL))
	}
	if e.Responder.IsValid() {
		attrs = append(attrs, slog.String("responder", e.Responder.String()))
	}
	if e.RTT > 0 {
		attrs = append(attrs, slog.Duration("rtt", e.RTT))
	}
	if e.Verdict != "" {
		attrs = append(attrs, slog.String("verdict", e.Verdict))
	}
	if e.Cause != nil {
		attrs = append(attrs, slog.Any("cause", e.Cause))
	}
	return slog.GroupValue(attrs...)
}

// maxUntold limits the events that wait for the function.
const maxUntold = 1 << 15

// tracer calls a function with events, on its own goroutine: senders and receivers do not
// wait for it.
type tracer struct {
	tell func(TraceEvent)
	wake chan struct{} // holds a token while there may be events
	done chan struct{} // closed when the last was told

	mu     sync.Mutex
	events []TraceEvent
	missed int
	ending bool
}

func newTracer(tell func(TraceEvent)) *tracer {
	t := &tracer{tell: tell, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go t.run()
	return t
}

// note adds an event.
func (t *tracer) note(e TraceEvent) {
	t.mu.Lock()
	if len(t.events) >= maxUntold {
		t.missed++
	} else {
		e.Missed, t.missed = t.missed, 0
		t.events = append(t.events, e)
	}
	t.mu.Unlock()
	signal(t.wake)
}

func (t *tracer) run() {
	defer close(t.done)
	var taken []TraceEvent
	for ending := false; !ending; {
		<-t.wake
		t.mu.Lock()
		taken, t.events = t.events, taken[:0]
		ending = t.ending
		t.mu.Unlock()
		for i := range taken {
			t.tell(taken[i])
			taken[i] = TraceEvent{}
		}
	}
}

// end passes on the remaining events, and returns when that is done.
func (t *tracer) end() {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.ending = true
	t.mu.Unlock()
	signal(t.wake)
	<-t.done
}

// query notes that a query was sent or refused, and returns the event for its outcome.
func (t *tracer) query(req *icmp.Request, err error) TraceEvent {
	if t == nil {
		return TraceEvent{}
	}
	e := TraceEvent{Time: req.Time, Probe: rand.Uint64(), Dst: req.Destination, TTL: req.TTL, Packet: engine.SentPacket(sockets.SourceTo(req.Destination), req)}
	if err != nil {
		e.Kind, e.Time, e.Cause = TraceRefused, time.Now(), err
	}
	t.note(e)
	return e
}

// queried notes the outcome of a query; nil is silence.
func (t *tracer) queried(e TraceEvent, reply *icmp.Reply) {
	if t == nil {
		return
	}
	sent := e.Time
	if reply == nil {
		e.Kind, e.Time, e.Packet, e.Verdict = TraceSilent, time.Now(), nil, "silent: nothing was credited to it before its timeout"
	} else {
		e.Kind, e.Time, e.RTT, e.Responder = TraceReceived, reply.Time, reply.Time.Sub(sent), reply.Source
		e.Verdict, e.Packet = "reply, unproven: id and sequence number are those of the query", engine.ReceivedPacket(reply, reply.Destination)
	}
	t.note(e)
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
	protocol := protocolOf(key.Protocol)
	return engine.Traced(m, engine.Tracing{
		Protocol: number, Version: key.Version, DontFragment: key.DontFragment, Local: local,
		Tell: func(e engine.Event) {
			p.tracer.note(TraceEvent{
				Kind: TraceKind(e.Kind), Time: e.Time, Probe: e.Probe, Protocol: protocol, Dst: e.Dst, Responder: e.Responder,
				TTL: e.TTL, RTT: e.RTT, Verdict: e.Verdict, Cause: e.Err, Packet: e.Packet,
			})
		},
	})
}
