package engine

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
)

// Why a message is credited to no probe is said of each rule of matching.
func TestWhyAMessageIsNotCredited(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56, Sourced: true})
	seq := b.launch(target, 0)
	quoting := func(change func(q *icmp.Quote)) *icmp.Reply {
		r := b.reply(seq)
		m := icmp.Message{Type: icmp.V4TimeExceeded}
		m.Quote = icmp.Quote{Type: icmp.V4EchoRequest, Protocol: icmp.ICMP, ID: r.ID, Sequence: r.Sequence, Destination: target, Payload: r.Payload}
		change(&m.Quote)
		return &icmp.Reply{Message: m, Source: target}
	}
	replying := func(change func(r *icmp.Reply)) *icmp.Reply {
		r := b.reply(seq)
		change(r)
		return r
	}
	for _, tt := range []struct {
		says string
		r    *icmp.Reply
	}{
		{"the id is not that of this socket", replying(func(r *icmp.Reply) { r.ID++ })},
		{"no probe with this sequence number", replying(func(r *icmp.Reply) { r.Sequence++ })},
		{"from another address than was probed", replying(func(r *icmp.Reply) { r.Source = netip.MustParseAddr("192.0.2.77") })},
		{"no echo request", quoting(func(q *icmp.Quote) { q.Type = icmp.V4EchoReply })},
		{"the id is not that of this socket", quoting(func(q *icmp.Quote) { q.ID++ })},
		{"went to another address", quoting(func(q *icmp.Quote) { q.Destination = netip.MustParseAddr("192.0.2.77") })},
		{"quoted payload is not that of the probe", quoting(func(q *icmp.Quote) { q.Payload = []byte("of somebody else") })},
	} {
		if _, s, _ := b.core.match(tt.r); s != nil {
			t.Errorf("%s: it is credited", tt.says)
		}
		if got := b.core.refusal(tt.r); !strings.HasPrefix(got, "not credited: ") || !strings.Contains(got, tt.says) {
			t.Errorf("got %q, want that %q", got, tt.says)
		}
	}
}

var here4, here6 = netip.MustParseAddr("192.0.2.250"), netip.MustParseAddr("2001:db8::250")

// telling puts a pool on a medium that is traced, and returns what is told.
func telling(t *testing.T, m Medium, cfg Tracing) (*Pool, *[]Event) {
	events := new([]Event)
	cfg.Tell = func(e Event) { *events = append(*events, e) }
	if cfg.Local == nil {
		cfg.Local = func(netip.Addr) netip.Addr { return here4 }
	}
	p, err := NewPool(func() (Medium, error) { return Traced(m, cfg), nil }, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, events
}

// inside returns what is in an IPv4 packet, after a look at its header.
func inside(t *testing.T, packet []byte, source, destination netip.Addr, ttl int, protocol icmp.Protocol) []byte {
	t.Helper()
	var ip wire.IPv4
	if err := ip.Parse(packet); err != nil {
		t.Fatal(err)
	}
	if ip.Source != source || ip.Destination != destination || int(ip.TTL) != ttl || ip.Protocol != uint8(protocol) {
		t.Errorf("the header is %+v", ip)
	}
	return packet[ip.HeaderLen:]
}

func TestAllThatLeavesAndComesIsTold(t *testing.T) {
	stranger := netip.MustParseAddr("192.0.2.77")
	script := func(w *scripted, r *icmp.Request) error {
		switch r.TTL {
		case 1:
			w.arrive(r, icmp.V4TimeExceeded, router)
		case 2:
			w.arrive(r, icmp.V4EchoReply, r.Destination)
			w.arrive(r, icmp.V4EchoReply, r.Destination)
		case 3:
			return syscall.EPERM
		case 4:
			another := *r
			another.Sequence += 100
			w.arrive(&another, icmp.V4EchoReply, stranger)
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		p, events := telling(t, OverEcho(newScripted(script)), Tracing{Protocol: icmp.ICMP, Version: icmp.V4, DontFragment: true})
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer op.Close()
		for ttl := 1; ttl <= 4; ttl++ {
			n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: ttl}})
			if ttl == 3 && (n != 0 || !errors.Is(err, syscall.EPERM)) || ttl != 3 && n != 1 {
				t.Fatal(ttl, n, err)
			}
			synctest.Wait()
		}
		settled(t, op, 3)
		want := []struct {
			kind      EventKind
			ttl       int
			responder netip.Addr
			verdict   string
		}{
			{EventSent, 1, netip.Addr{}, ""},
			{EventReceived, 1, router, "error: all that it brings back is that of the probe"},
			{EventSent, 2, netip.Addr{}, ""},
			{EventReceived, 2, target, "reply: all that it brings back is that of the probe"},
			{EventReceived, 2, target, "duplicate: all that it brings back is that of the probe"},
			{EventRefused, 3, netip.Addr{}, ""},
			{EventSent, 4, netip.Addr{}, ""},
			{EventReceived, 0, stranger, "not credited: no probe with this sequence number is remembered"},
			{EventSilent, 4, netip.Addr{}, "silent: nothing was credited to it before its timeout"},
		}
		if len(*events) != len(want) {
			t.Fatalf("told of %d events, want %d: %+v", len(*events), len(want), *events)
		}
		var probe uint64
		for i, e := range *events {
			w := want[i]
			if e.Kind != w.kind || e.TTL != w.ttl || e.Responder != w.responder || e.Verdict != w.verdict || e.Time.IsZero() || e.Protocol != icmp.ICMP {
				t.Errorf("event %d is %+v, want %+v", i, e, w)
			}
			if (e.Kind == EventRefused) != errors.Is(e.Err, syscall.EPERM) {
				t.Errorf("event %d has the error %v", i, e.Err)
			}
			if e.TTL > 0 && (e.Probe == 0 || e.Dst != target || i > 0 && (*events)[i-1].TTL == e.TTL && e.Probe != probe) {
				t.Errorf("event %d is of probe %d to %v", i, e.Probe, e.Dst)
			}
			probe = e.Probe
			var m icmp.Message
			switch e.Kind {
			case EventSent, EventRefused:
				if err := m.Parse(icmp.V4, inside(t, e.Packet, here4, target, e.TTL, icmp.ICMP)); err != nil || m.Type != icmp.V4EchoRequest || m.ID != testID || len(m.Payload) != 56 || e.Packet[6]&0x40 == 0 {
					t.Errorf("event %d: %v, %+v", i, err, m)
				}
			case EventReceived:
				if err := m.Parse(icmp.V4, inside(t, e.Packet, e.Responder, here4, 0, icmp.ICMP)); err != nil {
					t.Errorf("event %d: %v", i, err)
				}
				if m.Type == icmp.V4TimeExceeded && m.Quote.Destination != target {
					t.Errorf("event %d quotes %+v", i, m.Quote)
				}
			}
		}
	})
}

// A probe of another protocol is told of as its packet left, with the first port of the
// socket where it has none of its own.
func TestSegmentsAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &segmented{scripted: newScripted(mute), protocol: icmp.UDP}
		p, events := telling(t, OverTransport(conn), Tracing{Protocol: icmp.UDP, Version: icmp.V4, Local: func(netip.Addr) netip.Addr { return netip.Addr{} }})
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Second, Numbered: true, Size: 20})
		defer op.Close()
		if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 9, Flow: Flow{DestinationPort: 53}}}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		conn.arrive(&icmp.Request{Destination: target}, icmp.V4EchoReply, router) // of no probe
		settled(t, op, 1)
		if len(*events) != 3 || (*events)[0].Kind != EventSent || (*events)[1].Kind != EventReceived || (*events)[2].Kind != EventSilent {
			t.Fatalf("told of %+v", *events)
		}
		udp := inside(t, (*events)[0].Packet, netip.IPv4Unspecified(), target, 9, icmp.UDP)
		if first, _ := conn.Ports(); int(udp[0])<<8|int(udp[1]) != int(first) || udp[3] != 53 || len(udp) != 8+20 {
			t.Errorf("it is % x", udp)
		}
		if e := (*events)[1]; !strings.HasPrefix(e.Verdict, "not credited: ") || e.Responder != router || e.Probe != 0 {
			t.Errorf("told of %+v", e)
		}
	})
}

// What was answered directly is told of with the header of its protocol.
func TestDirectAnswersAreToldOf(t *testing.T) {
	for _, tt := range []struct {
		kind     transport.Kind
		protocol icmp.Protocol
		at       int    // behind the ports,
		want     []byte // this
	}{
		{transport.Datagram, icmp.UDP, 8, []byte("hello")},
		{transport.SYNACK, icmp.TCP, 13, []byte{0x12}},
		{transport.RST, icmp.TCP, 13, []byte{0x14}},
		{transport.Abort, icmp.SCTP, 12, []byte{6}},
		{transport.InitAck, icmp.SCTP, 12, []byte{2}},
	} {
		m := &traced{Tracing: Tracing{Protocol: tt.protocol, Local: func(netip.Addr) netip.Addr { return here4 }}}
		s := &transport.Segment{Kind: tt.kind, SourcePort: 0x0102, DestinationPort: 0x0304, Payload: []byte("hello")}
		body := inside(t, m.received(&icmp.Reply{Source: target, TTL: 7}, s), target, here4, 7, tt.protocol)
		if !bytes.HasPrefix(body, []byte{1, 2, 3, 4}) || !bytes.HasPrefix(body[tt.at:], tt.want) {
			t.Errorf("%v of %v is % x", tt.kind, tt.protocol, body)
		}
	}
}

// Packets of IPv6 bear the checksum that covers their addresses, known or not.
func TestPacketsOfIPv6AreMadeUp(t *testing.T) {
	for _, source := range []netip.Addr{here6, {}} {
		packet := SentPacket(source, &icmp.Request{Destination: target6, ID: 1, Sequence: 2, TTL: 3, TrafficClass: 4, Payload: []byte("hello")})
		var ip wire.IPv6
		if err := ip.Parse(packet); err != nil {
			t.Fatal(err)
		}
		if !source.IsValid() {
			source = netip.IPv6Unspecified()
		}
		body := packet[wire.IPv6HeaderLen:]
		if ip.Source != source || ip.Destination != target6 || ip.HopLimit != 3 || ip.TrafficClass != 4 || ip.NextHeader != uint8(icmp.ICMPv6) ||
			wire.TransportChecksum(source, target6, wire.ProtocolICMPv6, body) != 0 || !bytes.HasSuffix(body, []byte("hello")) {
			t.Errorf("it is %+v, % x", ip, body)
		}
	}
	if got := SentPacket(here4, &icmp.Request{Destination: target, Payload: make([]byte, 1<<16)}); got != nil {
		t.Errorf("of a request that cannot be there are %d bytes", len(got))
	}
}

// The error queue hands out no IP header of what is quoted: that is made up.
func TestAQuoteWithoutItsHeaderGetsOne(t *testing.T) {
	r := &icmp.Reply{Source: router, TTL: 5}
	r.Type = icmp.V4TimeExceeded
	r.Quote = icmp.Quote{Version: icmp.V4, Destination: target, Protocol: icmp.UDP, TTL: 1, Transport: []byte{0, 1, 0, 2, 0, 8, 0, 0}}
	var m icmp.Message
	if err := m.Parse(icmp.V4, inside(t, ReceivedPacket(r, here4), router, here4, 5, icmp.ICMP)); err != nil {
		t.Fatal(err)
	}
	if m.Quote.Destination != target || m.Quote.Protocol != icmp.UDP || m.Quote.TTL != 1 || m.Quote.DestinationPort != 2 {
		t.Errorf("it quotes %+v", m.Quote)
	}

	// Of a UDP socket's own probe it hands out the payload, and not the UDP header.
	payload := []byte("payload")
	r.Quote = icmp.Quote{Version: icmp.V4, Destination: target, Protocol: icmp.UDP, TTL: 1, SourcePort: 4000, DestinationPort: 33434, Transport: payload, Payload: payload}
	if err := m.Parse(icmp.V4, inside(t, ReceivedPacket(r, here4), router, here4, 5, icmp.ICMP)); err != nil {
		t.Fatal(err)
	}
	if q := m.Quote; q.SourcePort != 4000 || q.DestinationPort != 33434 || q.Checksum != 0 || string(q.Payload) != "payload" {
		t.Errorf("it quotes %+v", q)
	}
}
