package engine

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
)

// An attacker off the path knows both addresses, sees no packet, and quotes 8
// bytes, for he cannot know the nonce.

// guess is an error about an echo request, of which 8 bytes are quoted.
func guess(id, seq, checksum uint16) *icmp.Reply {
	r := &icmp.Reply{Source: router}
	r.Type = icmp.V4TimeExceeded
	r.Quote = icmp.Quote{
		Version: icmp.V4, Destination: target, Protocol: icmp.ICMP,
		Type: icmp.V4EchoRequest, ID: id, Sequence: seq, Checksum: checksum,
	}
	return r
}

func TestWhoDoesNotKnowTheIDForgesNothing(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56, Sum: 0xbeef})
	b.core.table.begin()
	for tag := range uint64(8) {
		b.launch(target, tag)
	}
	for id := testID + 1; id <= testID+100; id++ {
		for seq := range sequences {
			b.core.receive(guess(uint16(id), uint16(seq), uint16(seq)), b.now)
		}
	}
	checkFates(t, b.heard(), nil)
	if b.core.counters.Foreign != 100*sequences {
		t.Errorf("counters %+v", b.core.counters)
	}
}

func TestWhoKnowsTheIDToForgesNothingThatIsProven(t *testing.T) {
	for _, size := range []int{56, 10, 9, 1, 0} {
		b := newBench(t, OpConfig{Size: size, Sum: 0xbeef})
		b.core.table.begin()
		for tag := range uint64(8) {
			b.launch(target, tag)
		}
		// The checksum that a request with this id has without a sum.
		checksum := ^wire.Combine(testID, uint16(icmp.V4EchoRequest.Number())<<8)
		for seq := range sequences {
			b.core.receive(guess(testID, uint16(seq), checksum), b.now)
		}
		if n := len(b.op.outcomes); n != 8 {
			t.Errorf("size %d: %d were credited of 8 that nothing contradicts", size, n)
		}
		for _, o := range b.op.outcomes {
			if !o.Unproven {
				t.Errorf("size %d: a guess passes for proven: %+v", size, o)
			}
		}
	}
}

func TestTheChecksumProvesWhatQuotesEightBytes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      OpConfig
		change   func(r *icmp.Reply)
		unproven bool
	}{
		{"the checksum that was sent", OpConfig{Size: 56}, func(*icmp.Reply) {}, false},
		{"of a flow", OpConfig{Size: 56, Sum: 77}, func(*icmp.Reply) {}, false},
		{"without room for a balance", OpConfig{Size: 7}, func(*icmp.Reply) {}, false},
		{"another one", OpConfig{Size: 56}, func(r *icmp.Reply) { r.Quote.Checksum ^= 1 }, true},
		{"none", OpConfig{Size: 56}, func(r *icmp.Reply) { r.Quote.Checksum = 0 }, true},
		{"without a nonce", OpConfig{}, func(*icmp.Reply) {}, true},
		{"a payload of the caller's", OpConfig{Custom: true, Payload: "are you there?"}, func(*icmp.Reply) {}, true},
		{"another one, and the nonce", OpConfig{Size: 56}, func(r *icmp.Reply) {
			r.Quote.Checksum ^= 1
			r.Quote.Payload = r.Payload
		}, false},
		{"another one, and a byte of the nonce", OpConfig{Size: 56}, func(r *icmp.Reply) {
			r.Quote.Checksum ^= 1
			r.Quote.Payload = r.Payload[:1]
		}, true},
	} {
		for _, dst := range []netip.Addr{target, target6} {
			b := newBench(t, tt.cfg)
			seq := b.launch(dst, 7)
			r := quoted8(b, seq)
			tt.change(r)
			r.Payload = nil
			b.core.receive(r, b.now)
			if len(b.op.outcomes) != 1 || b.op.outcomes[0].Fate != Failed || b.op.outcomes[0].Unproven != tt.unproven {
				t.Errorf("%s, %v: heard %+v", tt.name, dst, b.op.outcomes)
			}
		}
	}
}

// quoted8 is an error that quotes 8 bytes of a probe; its Payload is what was sent.
func quoted8(b *bench, seq uint16) *icmp.Reply {
	dst := b.core.table.slot(seq).addr()
	version, local, typ := icmp.V4, netip.MustParseAddr("192.0.2.1"), icmp.V4EchoRequest
	if dst.Is6() {
		version, local, typ = icmp.V6, netip.MustParseAddr("2001:db8::1"), icmp.V6EchoRequest
	}
	r := b.exceeded(seq)
	r.Type = icmp.MakeType(version, map[icmp.Version]uint8{icmp.V4: 11, icmp.V6: 3}[version])
	r.Destination = local
	packet := append([]byte{typ.Number(), 0, 0, 0, testID >> 8, testID & 0xff, byte(seq >> 8), byte(seq)}, b.payload(seq)...)
	r.Payload = packet[echoHeaderLen:]
	r.Quote.Version, r.Quote.Type, r.Quote.Payload = version, typ, nil
	r.Quote.Protocol, r.Quote.Checksum = icmp.ICMP, wire.Checksum(packet)
	if version == icmp.V6 {
		r.Quote.Protocol = icmp.ICMPv6
		r.Quote.Checksum = wire.TransportChecksum(local, dst, uint8(icmp.ICMPv6), packet)
	}
	return r
}

func TestWhatADatagramsErrorProves(t *testing.T) {
	other := []byte("thirty-two bytes of another one.")
	for _, tt := range []struct {
		name     string
		change   func(b *bench, a *transport.Arrival)
		want     []Fate
		unproven bool
	}{
		{"the whole probe", func(*bench, *transport.Arrival) {}, []Fate{Failed}, false},
		{"8 bytes", func(_ *bench, a *transport.Arrival) { a.Quote.Payload = nil }, []Fate{Failed}, true},
		{"8 bytes of which the system shows none", func(_ *bench, a *transport.Arrival) {
			a.Quote.Payload, a.Quote.Checksum = nil, 0
		}, []Fate{Failed}, true},
		{"8 bytes with the checksum of no probe", func(_ *bench, a *transport.Arrival) {
			a.Quote.Payload = nil
			a.Quote.Checksum += 999
		}, nil, false},
		{"a payload and a checksum that were not sent", func(_ *bench, a *transport.Arrival) {
			a.Quote.Payload = other
			a.Quote.Checksum += 999
		}, nil, false},
		{"a payload that was not sent, with the right checksum", func(_ *bench, a *transport.Arrival) { a.Quote.Payload = other }, nil, false},
		{"the number and another nonce", func(_ *bench, a *transport.Arrival) { a.Quote.Payload[numberSize] ^= 1 }, nil, false},
		{"the number alone", func(_ *bench, a *transport.Arrival) { a.Quote.Payload = a.Quote.Payload[:numberSize] }, []Fate{Failed}, true},
		{"the number and half of the nonce", func(_ *bench, a *transport.Arrival) { a.Quote.Payload = a.Quote.Payload[:6] }, []Fate{Failed}, false},
		{"what a service answers", func(b *bench, a *transport.Arrival) {
			*a = *b.answer(icmp.UDP, 0, transport.Datagram)
			a.Segment.Payload = other
		}, []Fate{Replied}, true},
	} {
		b := newBench(t, OpConfig{Numbered: true, Size: 32, Unclear: true})
		seq := b.launch(target, 7)
		a := b.about(icmp.UDP, seq)
		tt.change(b, a)
		b.core.receiveArrival(a, b.now)
		for _, o := range b.op.outcomes {
			if o.Unproven != tt.unproven {
				t.Errorf("%s: heard %+v", tt.name, o)
			}
		}
		checkFates(t, b.heard(), tt.want)
	}
}

// Not even as something that might be about one of our probes.
func TestAWrongNumberIsNotUnclear(t *testing.T) {
	b := newBench(t, OpConfig{Numbered: true, Size: 32, Unclear: true})
	b.launch(target, 7)
	a := b.about(icmp.UDP, b.launch(target, 8))
	a.Quote.Payload = nil
	a.Quote.Checksum += 999
	checkFates(t, b.arrive(a), nil)
	a.Quote.Checksum = 0
	checkFates(t, b.arrive(a), []Fate{Unclear})
}

func TestAResetFromElsewhereIsForeign(t *testing.T) {
	b := newBench(t, OpConfig{})
	a := b.answer(icmp.TCP, b.launch(target, 7), transport.RST)
	a.Source = router
	checkFates(t, b.arrive(a), nil)
}

func TestSequenceNumbersStartAtRandom(t *testing.T) {
	first := map[uint16]bool{}
	for range 20 {
		var table table
		table.begin()
		seq, _ := table.add(slot{}, 1, false)
		first[seq] = true
	}
	if len(first) < 15 {
		t.Errorf("20 tables begin with %d different numbers", len(first))
	}
}

// Who does not know the source port either sends errors about all of them, with 8
// quoted bytes and a checksum of his choice: 0 is none, and any other is the number of a
// probe in flight only by chance.
func TestWhoDoesNotKnowThePortForgesNothing(t *testing.T) {
	for _, version := range []icmp.Version{icmp.V4, icmp.V6} {
		b := newBench(t, OpConfig{Numbered: true, Size: 32, Unclear: true})
		dst := map[icmp.Version]netip.Addr{icmp.V4: target, icmp.V6: target6}[version]
		seq := b.launch(dst, 7)
		const ours = 45678
		passed := 0
		for port := range 1 << 16 {
			for _, checksum := range []uint16{0, 1, seq + 1, seq - 1, 0xffff} {
				if checksum == seq {
					continue
				}
				a := transport.Arrival{Protocol: icmp.UDP}
				a.Source = router
				if ok, _ := a.ParseError(version, udpError(version, dst, uint16(port), checksum), ours, 1); !ok {
					continue
				}
				passed++
				b.core.receiveArrival(&a, b.now)
			}
		}
		if passed == 0 {
			t.Error("not even errors about the right port get to the engine")
		}
		checkFates(t, b.heard(), nil)
		a := transport.Arrival{Protocol: icmp.UDP}
		if ok, _ := a.ParseError(version, udpError(version, dst, ours, seq), ours, 1); !ok {
			t.Fatal("a true error is none")
		}
		a.Source = router
		checkFates(t, b.arrive(&a), []Fate{Failed})
	}
}

// udpError is a time exceeded that quotes the IP header and 8 bytes of a UDP probe.
func udpError(version icmp.Version, dst netip.Addr, port, checksum uint16) []byte {
	udp := binary.BigEndian.AppendUint16(nil, port)
	for _, field := range []uint16{33434, 40, checksum} { // to port, length
		udp = binary.BigEndian.AppendUint16(udp, field)
	}
	local := map[icmp.Version]netip.Addr{icmp.V4: netip.MustParseAddr("192.0.2.1"), icmp.V6: netip.MustParseAddr("2001:db8::1")}[version]
	if version == icmp.V4 {
		h := wire.IPv4{TTL: 1, Protocol: wire.ProtocolUDP, Source: local, Destination: dst}
		message := append(h.Append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, 40), udp...)
		binary.BigEndian.PutUint16(message[2:], wire.Checksum(message))
		return message
	}
	h := wire.IPv6{NextHeader: wire.ProtocolUDP, HopLimit: 1, Source: local, Destination: dst}
	return append(h.Append([]byte{3, 0, 0, 0, 0, 0, 0, 0}, 40), udp...)
}
