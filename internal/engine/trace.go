package engine

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
)

// Event is a packet that was sent or received, or a probe that stayed silent.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Probe     uint64 // identifies the probe; 0: the packet was credited to none
	Protocol  icmp.Protocol
	Dst       netip.Addr // of the probe
	Responder netip.Addr // the sender of a received packet
	TTL       int        // of the probe
	RTT       time.Duration
	Verdict   string // of a received packet: how it was credited, or why it was not
	Err       error  // why the system refused the packet
	Packet    []byte // from the IP header on
}

// EventKind is the kind of an Event.
type EventKind uint8

// Kinds of events.
const (
	EventSent EventKind = iota
	EventRefused
	EventReceived
	EventSilent
)

// Tracing configures the reports of a Medium's packets.
type Tracing struct {
	// Tell receives the events. It is called with locks held: it must be quick, and must
	// not call back.
	Tell func(Event)

	Protocol     icmp.Protocol
	Version      icmp.Version
	DontFragment bool

	// Local returns the source address of packets to dst, if it is known.
	Local func(dst netip.Addr) netip.Addr
}

// Traced returns a Medium that reports all packets.
func Traced(m Medium, cfg Tracing) Medium { return &traced{Medium: m, Tracing: cfg} }

// traced is a Medium that reports its packets. It rebuilds the packets from the fields that
// are known here; fields that the system does not provide are 0.
type traced struct {
	Medium
	Tracing

	order sync.Mutex // keeps an answer after its probe; locked while an engine's lock may be held
	found Event      // the core's result for the current message
	body  []byte
}

func (t *traced) send(batch []outgoing) (int, error) {
	t.order.Lock()
	defer t.order.Unlock()
	n, err := t.Medium.send(batch)
	for i := range batch[:min(len(batch), n+1)] {
		p := &batch[i]
		e := Event{
			Kind: EventSent, Time: p.at, Probe: uint64(p.nonce), Protocol: t.Protocol, Dst: p.dst, TTL: p.ttl,
			Packet: t.sent(p),
		}
		if i == n {
			e.Kind, e.Time, e.Err = EventRefused, time.Now(), err
		}
		t.Tell(e)
	}
	return n, err
}

// sent returns the packet of a probe.
func (t *traced) sent(p *outgoing) []byte {
	local := t.Local(p.dst)
	if !local.IsValid() {
		local = t.Version.Unspecified()
	}
	switch m := t.Medium.(type) {
	case *echo:
		req := icmp.Request{Destination: p.dst, ID: m.id(), Sequence: p.seq, Payload: p.payload}
		t.body, _ = req.Append(t.body[:0])
	case *segments:
		var probe transport.Probe
		m.fill(&probe, p)
		if probe.SourcePort == 0 {
			probe.SourcePort, _ = m.Ports()
		}
		t.body = probe.AppendTo(t.body[:0], t.Protocol, local)
	}
	header := ipHeader{source: local, destination: p.dst, ttl: p.ttl, class: p.class, label: p.flow.Label, protocol: t.Protocol, whole: t.DontFragment}
	return header.packet(t.body)
}

func (t *traced) deliver(i int, c *core) {
	t.order.Lock()
	defer t.order.Unlock()
	t.found = Event{}
	t.Medium.deliver(i, c)
	e := t.found
	e.Kind, e.Protocol = EventReceived, t.Protocol
	switch m := t.Medium.(type) {
	case *echo:
		r := &m.replies[i]
		e.Time, e.Responder, e.Packet = r.Time, r.Source, t.received(r, nil)
		if e.Verdict == "" {
			e.Verdict = c.refusal(r)
		}
	case *segments:
		a := &m.arrivals[i]
		e.Time, e.Responder, e.Packet = a.Time, a.Source, t.received(&a.Reply, &a.Segment)
		if e.Verdict == "" {
			e.Verdict = "not credited: it agrees with no probe in flight, or with several"
		}
	}
	t.Tell(e)
}

// received returns the packet of a message.
func (t *traced) received(r *icmp.Reply, s *transport.Segment) []byte {
	local := r.Destination
	if !local.IsValid() {
		local = t.Local(r.Source)
	}
	if s == nil || s.Kind == transport.None {
		return ReceivedPacket(r, local)
	}
	header := ipHeader{source: r.Source, destination: local, ttl: r.TTL, class: int(r.TrafficClass), protocol: t.Protocol}
	return header.packet(segmentBytes(s, header.source, header.destination, t.body[:0]))
}

// SentPacket returns the packet of a request that was sent from source.
func SentPacket(source netip.Addr, req *icmp.Request) []byte {
	body, err := req.Append(nil)
	if err != nil {
		return nil
	}
	header := ipHeader{source: source, destination: req.Destination, ttl: req.TTL, class: req.TrafficClass, protocol: icmp.ICMP}
	return header.packet(body)
}

// ReceivedPacket returns the packet of an ICMP message that came to the address local. If
// the system has not provided the IP header of the quoted packet, ReceivedPacket rebuilds it.
func ReceivedPacket(r *icmp.Reply, local netip.Addr) []byte {
	m := r.Message
	if m.Type.IsError() && m.Payload == nil {
		q := &m.Quote
		quoted := ipHeader{source: q.Source, destination: q.Destination, ttl: int(q.TTL), class: int(q.TrafficClass), protocol: q.Protocol}
		m.Payload = quoted.packet(quotedTransport(q))
	}
	body, err := m.Append(nil)
	if err != nil {
		return nil
	}
	header := ipHeader{source: r.Source, destination: local, ttl: r.TTL, class: int(r.TrafficClass), protocol: icmp.ICMP}
	return header.packet(body)
}

// quotedTransport returns a quote from the upper-layer header on. For UDP, Linux provides
// only the ports and the bytes after the header: the rebuilt header has these ports, and 0
// for the unknown checksum.
func quotedTransport(q *icmp.Quote) []byte {
	if q.Protocol != icmp.UDP || q.SourcePort == 0 || len(q.Transport) > len(q.Payload) {
		return q.Transport
	}
	h := wire.UDP{SourcePort: q.SourcePort, DestinationPort: q.DestinationPort}
	b := h.Append(nil, q.Destination, q.Destination, q.Transport)
	clear(b[wire.UDPHeaderLen-2 : wire.UDPHeaderLen])
	return b
}

// segmentBytes rebuilds a direct answer.
func segmentBytes(s *transport.Segment, source, destination netip.Addr, b []byte) []byte {
	switch s.Kind {
	case transport.Datagram:
		h := wire.UDP{SourcePort: s.SourcePort, DestinationPort: s.DestinationPort}
		return h.Append(b, source, destination, s.Payload)
	case transport.SYNACK, transport.RST:
		const rst, syn, ack = 1 << 2, 1 << 1, 1 << 4 // RFC 9293 section 3.1
		h := wire.TCP{SourcePort: s.SourcePort, DestinationPort: s.DestinationPort, Sequence: s.Sequence, Acknowledgment: s.Acknowledgment, Flags: syn | ack}
		if s.Kind == transport.RST {
			h.Flags = rst | ack
		}
		return h.Append(b, source, destination, nil)
	}
	h := wire.SCTP{SourcePort: s.SourcePort, DestinationPort: s.DestinationPort, VerificationTag: s.VerificationTag}
	if s.Kind == transport.Abort {
		return h.Append(b, wire.AppendAbort(nil, false))
	}
	return h.Append(b, wire.AppendInitAck(nil, &wire.Init{}))
}

// ipHeader is the known fields of an IP header.
type ipHeader struct {
	source, destination netip.Addr
	ttl, class          int
	label               uint32
	protocol            icmp.Protocol
	whole               bool // the don't-fragment flag
}

// packet returns the header and the body. An unknown address becomes the unspecified one.
func (h *ipHeader) packet(body []byte) []byte {
	source, destination := h.source.Unmap().WithZone(""), h.destination.Unmap().WithZone("")
	if source.Is4() || destination.Is4() {
		if !source.Is4() {
			source = netip.IPv4Unspecified()
		}
		if !destination.Is4() {
			destination = netip.IPv4Unspecified()
		}
		ip := wire.IPv4{TTL: uint8(h.ttl), TrafficClass: uint8(h.class), DontFragment: h.whole, Protocol: uint8(h.protocol), Source: source, Destination: destination}
		return append(ip.Append(make([]byte, 0, wire.IPv4MinHeaderLen+len(body)), len(body)), body...)
	}
	if !source.IsValid() {
		source = netip.IPv6Unspecified()
	}
	if !destination.IsValid() {
		destination = netip.IPv6Unspecified()
	}
	next := h.protocol
	if next == icmp.ICMP {
		next = icmp.ICMPv6
	}
	ip := wire.IPv6{HopLimit: uint8(h.ttl), TrafficClass: uint8(h.class), FlowLabel: h.label, NextHeader: uint8(next), Source: source, Destination: destination}
	b := append(ip.Append(make([]byte, 0, wire.IPv6HeaderLen+len(body)), len(body)), body...)
	if next == icmp.ICMPv6 && len(body) >= 4 {
		checksum := b[wire.IPv6HeaderLen+2:]
		checksum[0], checksum[1] = 0, 0 // RFC 4443 section 2.3
		binary.BigEndian.PutUint16(checksum, wire.TransportChecksum(source, destination, wire.ProtocolICMPv6, b[wire.IPv6HeaderLen:]))
	}
	return b
}

// credited notes the core's result for the current message.
func (t *traced) credited(s *slot, h *heard, fate Fate, rtt time.Duration) {
	t.found = Event{Probe: uint64(s.nonce), Dst: s.addr(), TTL: int(s.ttl), RTT: rtt, Verdict: verdicts[fate] + likenesses[h.like]}
}

// silent reports a probe that nothing answered in time.
func (t *traced) silent(c *core, s *slot) {
	t.Tell(Event{Kind: EventSilent, Time: c.epoch.Add(s.deadline), Probe: uint64(s.nonce), Protocol: t.Protocol, Dst: s.addr(), TTL: int(s.ttl),
		Verdict: "silent: nothing was credited to it before its timeout"})
}

var verdicts = [...]string{
	Replied:   "reply",
	Failed:    "error",
	Late:      "late",
	Duplicate: "duplicate",
	Altered:   "altered: id and sequence number are those of a probe, the payload is not",
	Corrected: "reply behind an error",
	Advised:   "advice, which settles no probe",
}

var likenesses = [...]string{
	wholly: ": all that it brings back is that of the probe",
	partly: ": it brings back the nonce of the probe, and the rest of the payload changed",
	bare:   ", unproven: all that it quotes agrees, but could have been guessed",
	alone:  ", unproven: it has no mark of a probe, and this is the only one to the host",
	unlike: "",
	unsure: "",
}

// refusal returns why a message about echo requests is credited to no probe.
func (c *core) refusal(r *icmp.Reply) string {
	const none = "not credited: "
	reply := r.Kind() == icmp.KindEchoReply
	id, seq := r.ID, r.Sequence
	if !reply {
		if !r.Quote.Type.IsEchoRequest() {
			return none + "it quotes no echo request"
		}
		id, seq = r.Quote.ID, r.Quote.Sequence
	}
	s := c.table.lookup(seq)
	switch {
	case id != c.id:
		return none + "the id is not that of this socket"
	case s == nil:
		return none + "no probe with this sequence number is remembered"
	case reply:
		return none + "it comes from another address than was probed, and does not prove to be the answer"
	case r.Quote.Destination.WithZone("") != s.addr():
		return none + "the quoted packet went to another address"
	}
	return none + "the quoted payload is not that of the probe"
}
