package transport

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// Both answers to an INIT give back its tag, unless it is reflected.
func TestDirectAnswersOfSCTP(t *testing.T) {
	packet := func(tag uint32, chunk ...byte) []byte {
		return (&wire.SCTP{SourcePort: 80, DestinationPort: 40000, VerificationTag: tag}).Append(nil, chunk)
	}
	for _, tt := range []struct {
		name       string
		packet     []byte
		want       verdict
		kind       Kind
		identified bool
	}{
		{"an INIT ACK", packet(7, 2, 0, 0, 4), keep, InitAck, true},
		{"an INIT ACK with a flag that it has not", packet(7, 2, 1, 0, 4), keep, InitAck, true},
		{"an INIT ACK without a tag", packet(0, 2, 0, 0, 4), keep, InitAck, false},
		{"an ABORT", packet(7, 6, 0, 0, 4), keep, Abort, true},
		{"an ABORT with another flag", packet(7, 6, 2, 0, 4), keep, Abort, true},
		{"an ABORT that reflects a tag", packet(7, 6, 1, 0, 4), keep, Abort, false},
		{"an ABORT without a tag", packet(0, 6, 0, 0, 4), keep, Abort, false},
		{"an INIT", packet(7, 1, 0, 0, 4), ignore, None, false},
		{"a wrong checksum", spoil(packet(7, 2, 0, 0, 4), 8), malformed, None, false},
		{"no chunk", packet(7), malformed, None, false},
		{"half a header", packet(7)[:11], malformed, None, false},
	} {
		a := Arrival{Protocol: icmp.SCTP}
		got := parseSegment(&a, tt.packet)
		if got != tt.want || got == keep && (a.Segment.Kind != tt.kind || a.Segment.SourcePort != 80 || a.Segment.DestinationPort != 40000) {
			t.Errorf("%s: verdict %d, %+v", tt.name, got, a.Segment)
		}
		if want := map[bool]uint32{true: 7}[tt.identified]; a.Identified != tt.identified || a.Identity != want {
			t.Errorf("%s: it is about %d (%v)", tt.name, a.Identity, a.Identified)
		}
	}
}

// An error is about a probe of ours if it quotes our protocol from one of our ports; what it
// is about is among the 8 bytes that all quote, but for SCTP.
func TestErrorsAboutProbes(t *testing.T) {
	probe := func(protocol icmp.Protocol, identity uint32) []byte {
		p := Probe{Destination: to4, SourcePort: 40001, DestinationPort: 80, Identity: identity}
		return appendPacket(nil, protocol, &p, from4)
	}
	v4 := func(typ icmp.Type, quoted []byte) []byte {
		b := message(typ, quoted)
		binary.BigEndian.PutUint16(b[2:], wire.Checksum(b))
		return b
	}
	later := packet4(icmp.UDP, 0, probe(icmp.UDP, 0))
	later[7] = 1 // the second fragment
	ported := func(source uint16) []byte { return packet4(icmp.UDP, 0, ports(source, 80, 0, 0)) }
	abort := probe(icmp.SCTP, 7)
	abort[wire.SCTPHeaderLen] = wire.ChunkAbort
	for _, tt := range []struct {
		name       string
		v          icmp.Version
		protocol   icmp.Protocol
		data       []byte
		want       verdict
		identified bool
	}{
		{"a datagram", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, packet4(icmp.UDP, 0, probe(icmp.UDP, 0))), keep, false},
		{"from the first port", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, ported(40000)), keep, false},
		{"from the port before it", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, ported(39999)), foreign, false},
		{"from the last port", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, ported(40002)), keep, false},
		{"from the port behind it", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, ported(40003)), foreign, false},
		{"a SYN", icmp.V4, icmp.TCP, v4(icmp.V4TimeExceeded, packet4(icmp.TCP, 0, probe(icmp.TCP, 7)[:8])), keep, true},
		{"a SYN of IPv6", icmp.V6, icmp.TCP, message(icmp.V6TimeExceeded, packet6(icmp.TCP, probe(icmp.TCP, 7))), keep, true},
		{"an INIT", icmp.V4, icmp.SCTP, v4(icmp.V4TimeExceeded, packet4(icmp.SCTP, 0, probe(icmp.SCTP, 7)[:20])), keep, true},
		{"an INIT without all of its tag", icmp.V4, icmp.SCTP, v4(icmp.V4TimeExceeded, packet4(icmp.SCTP, 0, probe(icmp.SCTP, 7)[:19])), keep, false},
		{"another chunk", icmp.V4, icmp.SCTP, v4(icmp.V4TimeExceeded, packet4(icmp.SCTP, 0, abort)), keep, false},
		{"another protocol", icmp.V4, icmp.TCP, v4(icmp.V4TimeExceeded, packet4(icmp.UDP, 0, probe(icmp.UDP, 0))), foreign, false},
		{"a later fragment", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, later), foreign, false},
		{"an echo request", icmp.V4, icmp.UDP, v4(icmp.V4EchoRequest, nil), foreign, false},
		{"a wrong checksum", icmp.V4, icmp.UDP, spoil(v4(icmp.V4TimeExceeded, ported(40000)), 2), malformed, false},
		{"a quote that is cut", icmp.V4, icmp.UDP, v4(icmp.V4TimeExceeded, ported(40000)[:27]), malformed, false},
	} {
		a := Arrival{Protocol: tt.protocol}
		got := parseError(&a, tt.v, tt.data, 40000, 3)
		if want := map[bool]uint32{true: 7}[tt.identified]; got != tt.want || a.Identified != tt.identified || a.Identity != want || a.Size != len(tt.data) {
			t.Errorf("%s: verdict %d, about %d (%v), %d bytes", tt.name, got, a.Identity, a.Identified, a.Size)
		}
	}
}

// Each field of a probe has a greatest value; what is greater is refused.
func TestWhatAProbeMayBe(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol icmp.Protocol
		to       netip.Addr
		change   func(p *Probe)
		field    string // that is refused; "": none is
	}{
		{"a probe", icmp.UDP, to4, func(*Probe) {}, ""},
		{"an address of IPv4 in IPv6", icmp.UDP, netip.AddrFrom16(to4.As16()), func(*Probe) {}, ""},
		{"no destination", icmp.UDP, netip.Addr{}, func(*Probe) {}, "Destination"},
		{"a destination of the other version", icmp.UDP, to6, func(p *Probe) { p.Destination = to4 }, "Destination"},
		{"no port", icmp.UDP, to4, func(p *Probe) { p.DestinationPort = 0 }, "DestinationPort"},
		{"the greatest TTL", icmp.UDP, to4, func(p *Probe) { p.TTL = 255 }, ""},
		{"a greater one", icmp.UDP, to4, func(p *Probe) { p.TTL = 256 }, "TTL"},
		{"a negative one", icmp.UDP, to4, func(p *Probe) { p.TTL = -1 }, "TTL"},
		{"the greatest traffic class", icmp.UDP, to4, func(p *Probe) { p.TrafficClass = 255 }, ""},
		{"a greater one", icmp.UDP, to4, func(p *Probe) { p.TrafficClass = 256 }, "TrafficClass"},
		{"a negative one", icmp.UDP, to4, func(p *Probe) { p.TrafficClass = -1 }, "TrafficClass"},
		{"a negative timeout", icmp.UDP, to4, func(p *Probe) { p.Timeout = -1 }, "Timeout"},
		{"the greatest flow label", icmp.UDP, to6, func(p *Probe) { p.FlowLabel = 1<<20 - 1 }, ""},
		{"a greater one", icmp.UDP, to6, func(p *Probe) { p.FlowLabel = 1 << 20 }, "FlowLabel"},
		{"one of IPv4", icmp.UDP, to4, func(p *Probe) { p.FlowLabel = 1 }, "FlowLabel"},
		{"the longest payload", icmp.UDP, to4, func(p *Probe) { p.Payload = make([]byte, 65507) }, ""},
		{"a longer one", icmp.UDP, to4, func(p *Probe) { p.Payload = make([]byte, 65508) }, "Payload"},
		{"a payload of TCP", icmp.TCP, to4, func(p *Probe) { p.Payload = []byte{1} }, "Payload"},
		{"an empty one", icmp.TCP, to4, func(p *Probe) { p.Payload = []byte{} }, ""},
		{"a checksum of TCP", icmp.TCP, to4, func(p *Probe) { p.Checksum = 1 }, "Checksum"},
		{"an INIT without a tag", icmp.SCTP, to4, func(p *Probe) { p.Identity = 0 }, "Identity"},
		{"a SYN of the number 0", icmp.TCP, to4, func(p *Probe) { p.Identity = 0 }, ""},
		{"two bytes to choose at the end", icmp.UDP, to4, func(p *Probe) { p.Payload, p.Checksum, p.Balance = make([]byte, 4), 1, 2 }, ""},
		{"behind the end", icmp.UDP, to4, func(p *Probe) { p.Payload, p.Checksum, p.Balance = make([]byte, 3), 1, 2 }, "Balance"},
		{"at an odd offset", icmp.UDP, to4, func(p *Probe) { p.Payload, p.Checksum, p.Balance = make([]byte, 4), 1, 1 }, "Balance"},
		{"before the start", icmp.UDP, to4, func(p *Probe) { p.Payload, p.Checksum, p.Balance = make([]byte, 4), 1, -2 }, "Balance"},
		{"where none are chosen", icmp.UDP, to4, func(p *Probe) { p.Balance = 99 }, ""},
	} {
		cfg := Config{Version: icmp.V4, Protocol: tt.protocol}
		if tt.to == to6 {
			cfg.Version = icmp.V6
		}
		p := Probe{Destination: tt.to, DestinationPort: 80, Identity: 7}
		tt.change(&p)
		err := p.Check(&cfg)
		if e, ok := errors.AsType[*icmp.FieldError](err); ok != (tt.field != "") || ok && e.Field != tt.field {
			t.Errorf("%s: %v, want an error of %q", tt.name, err, tt.field)
		}
	}
}

// A SYN has the option that firewalls look for; an INIT is alone in its packet.
func TestProbesThatAreNoDatagrams(t *testing.T) {
	for _, tt := range []struct {
		from, to netip.Addr
		mss      uint16
	}{{from4, to4, 1460}, {from6, to6, 1440}} {
		p := Probe{Destination: tt.to, SourcePort: 40000, DestinationPort: 80, Identity: math.MaxUint32}
		b := p.AppendTo(nil, icmp.TCP, tt.from)
		var syn wire.TCP
		if err := syn.Parse(b); err != nil || wire.TransportChecksum(tt.from, tt.to, wire.ProtocolTCP, b) != 0 ||
			syn.SourcePort != 40000 || syn.DestinationPort != 80 || syn.Sequence != math.MaxUint32 || syn.Flags != wire.TCPFlagSYN ||
			len(syn.Options) != 4 || syn.Options[0] != 2 || binary.BigEndian.Uint16(syn.Options[2:]) != tt.mss {
			t.Errorf("%+v, %v", syn, err)
		}
		b = p.AppendTo(nil, icmp.SCTP, tt.from)
		var h wire.SCTP
		var chunk wire.Chunk
		var init wire.Init
		_, err := chunk.Parse(b[wire.SCTPHeaderLen:])
		if h.Parse(b) != nil || h.Checksum != wire.SCTPChecksum(b) || h.VerificationTag != 0 || h.SourcePort != 40000 ||
			err != nil || init.Parse(chunk.Value) != nil || init.InitiateTag != math.MaxUint32 || init.OutboundStreams == 0 || init.InboundStreams == 0 {
			t.Errorf("%+v, %+v, %v", h, init, err)
		}
	}
}

// What a described network is told of a packet is what a socket would be.
func TestWhetherAPacketIsAnAnswer(t *testing.T) {
	tcp := func(flags uint8) []byte {
		return (&wire.TCP{SourcePort: 80, DestinationPort: 40000, Flags: flags}).Append(nil, to4, from4, nil)
	}
	for _, tt := range []struct {
		packet             []byte
		answer, wellFormed bool
	}{{tcp(0x12), true, true}, {tcp(0x10), false, true}, {tcp(0x12)[:9], false, false}} {
		a := Arrival{Protocol: icmp.TCP}
		if answer, wellFormed := a.ParseSegment(tt.packet); answer != tt.answer || wellFormed != tt.wellFormed {
			t.Errorf("% x: %v, %v", tt.packet, answer, wellFormed)
		}
		a = Arrival{Protocol: icmp.TCP}
		quoted := message(icmp.V6TimeExceeded, packet6(icmp.TCP, tt.packet))
		if !tt.answer && tt.wellFormed {
			quoted = message(icmp.V6TimeExceeded, packet6(icmp.UDP, tt.packet))
		} else if !tt.answer {
			quoted = quoted[:9]
		}
		if ours, wellFormed := a.ParseError(icmp.V6, quoted, 80, 1); ours != tt.answer || wellFormed != tt.wellFormed {
			t.Errorf("% x: %v, %v", quoted, ours, wellFormed)
		}
	}
}
