package engine

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// Each case takes one condition out of a message that would be credited. What
// is wrong with it may be an accident or an attack; it is never credited.
func TestAReplyIsCreditedOnlyIfAllAgrees(t *testing.T) {
	other := netip.MustParseAddr("192.0.2.8")
	for _, tt := range []struct {
		name   string
		change func(b *bench, r *icmp.Reply)
		want   []Fate // nil: foreign
	}{
		{"the true reply", func(*bench, *icmp.Reply) {}, []Fate{Replied}},
		{"another id", func(_ *bench, r *icmp.Reply) { r.ID++ }, nil},
		{"a sequence number that was not sent", func(_ *bench, r *icmp.Reply) { r.Sequence += 1000 }, nil},
		{"the sequence number of another probe to another host", func(b *bench, r *icmp.Reply) { r.Sequence = b.launch(other, 1) }, nil},
		{"the sequence number of another probe to the same host", func(b *bench, r *icmp.Reply) { r.Sequence = b.launch(target, 1) }, []Fate{Altered}},
		{"another source, which has the nonce", func(_ *bench, r *icmp.Reply) { r.Source = other }, []Fate{Replied}},
		{"another source, without the nonce", func(_ *bench, r *icmp.Reply) { r.Source, r.Payload[3] = other, r.Payload[3]^1 }, nil},
		{"another source, with a part of the nonce", func(_ *bench, r *icmp.Reply) { r.Source, r.Payload = other, r.Payload[:7] }, nil},
		{"one bit of the nonce", func(_ *bench, r *icmp.Reply) { r.Payload[3] ^= 1 }, []Fate{Altered}},
		{"no payload", func(_ *bench, r *icmp.Reply) { r.Payload = nil }, []Fate{Altered}},
		{"a payload cut inside the nonce", func(_ *bench, r *icmp.Reply) { r.Payload = r.Payload[:7] }, []Fate{Altered}},
		{"a request instead of a reply", func(_ *bench, r *icmp.Reply) { r.Type = icmp.V4EchoRequest }, nil},
		{"another kind of message", func(_ *bench, r *icmp.Reply) { r.Type = icmp.V4TimestampReply }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			r := b.reply(b.launch(target, 0))
			tt.change(b, r)
			checkFates(t, b.receive(r), tt.want)
			if wantForeign := tt.want == nil; (b.core.counters.Foreign == 1) != wantForeign {
				t.Errorf("%d messages counted as foreign", b.core.counters.Foreign)
			}
		})
	}
}

func TestWithoutANonceTheSourceHasToMatch(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  OpConfig
		want []Fate
	}{
		{"a whole nonce", OpConfig{Size: 8}, []Fate{Replied}},
		{"a part of one", OpConfig{Size: 7}, nil},
		{"no payload", OpConfig{}, nil},
		{"a payload of the caller's", OpConfig{Custom: true, Payload: "are you there?"}, nil},
		{"the source is asked for", OpConfig{Size: 56, Sourced: true}, nil},
		{"of a group", OpConfig{Sourced: true, Group: true}, []Fate{Replied}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.cfg)
			r := b.reply(b.launch(target, 0))
			r.Source = router
			checkFates(t, b.receive(r), tt.want)
		})
	}
}

func TestAReplyThatProvesItselfIsCreditedThoughChanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(p []byte) []byte
	}{
		{"the end was cut off", func(p []byte) []byte { return p[:20] }},
		{"a byte behind the nonce differs", func(p []byte) []byte { p[30] ^= 0xff; return p }},
		{"something was appended", func(p []byte) []byte { return append(p, 0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			r := b.reply(b.launch(target, 0))
			r.Payload = tt.change(r.Payload)
			b.core.receive(r, b.now)
			if len(b.op.outcomes) != 1 || b.op.outcomes[0].Fate != Replied || !b.op.outcomes[0].PayloadChanged {
				t.Errorf("heard %+v, want one reply with a changed payload", b.op.outcomes)
			}
		})
	}
}

func TestAnErrorIsCreditedOnlyIfItQuotesTheProbe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(b *bench, r *icmp.Reply)
		want   []Fate
	}{
		{"the whole probe quoted", func(*bench, *icmp.Reply) {}, []Fate{Failed}},
		{"eight bytes quoted", func(_ *bench, r *icmp.Reply) { r.Quote.Payload = nil }, []Fate{Failed}},
		{"half of the nonce quoted", func(_ *bench, r *icmp.Reply) { r.Quote.Payload = r.Quote.Payload[:4] }, []Fate{Failed}},
		{"another destination quoted", func(_ *bench, r *icmp.Reply) { r.Quote.Destination = router }, nil},
		{"another id quoted", func(_ *bench, r *icmp.Reply) { r.Quote.ID++ }, nil},
		{"a sequence number that was not sent", func(_ *bench, r *icmp.Reply) { r.Quote.Sequence += 1000 }, nil},
		{"a reply quoted, not a request", func(_ *bench, r *icmp.Reply) { r.Quote.Type = icmp.V4EchoReply }, nil},
		{"another process's UDP quoted", func(_ *bench, r *icmp.Reply) { r.Quote.Protocol, r.Quote.Type = icmp.UDP, 0 }, nil},
		{"another nonce quoted", func(_ *bench, r *icmp.Reply) { r.Quote.Payload[0] ^= 1 }, nil},
		{"the probe of another operation's sequence number", func(b *bench, r *icmp.Reply) { r.Quote.Sequence = b.launch(target, 1) }, nil},
		{"a redirect settles nothing", func(_ *bench, r *icmp.Reply) { r.Type = icmp.V4Redirect }, []Fate{Advised}},
		{"nor does a source quench", func(_ *bench, r *icmp.Reply) { r.Type = icmp.V4SourceQuench }, []Fate{Advised}},
		{"a parameter problem does", func(_ *bench, r *icmp.Reply) { r.Type = icmp.V4ParameterProblem }, []Fate{Failed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			r := b.exceeded(b.launch(target, 0))
			tt.change(b, r)
			checkFates(t, b.receive(r), tt.want)
		})
	}
}

func TestAPatientOperationWaitsBehindAParameterProblem(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  icmp.Type
		code uint8
		want []Fate
	}{
		{"of IPv4", icmp.V4ParameterProblem, 1, []Fate{Advised, Replied}},
		{"of IPv6", icmp.V6ParameterProblem, 0, []Fate{Advised, Replied}},
		{"an unrecognized next header", icmp.V6ParameterProblem, icmp.V6CodeUnrecognizedNextHeader, []Fate{Failed, Corrected}},
	} {
		b := newBench(t, OpConfig{Size: 56, Patient: true})
		seq := b.launch(target, 0)
		r := b.exceeded(seq)
		r.Type, r.Code = tt.typ, tt.code
		checkFates(t, append(b.receive(r), b.receive(b.reply(seq))...), tt.want)
	}
}

func TestACallersPayloadIsComparedWhole(t *testing.T) {
	b := newBench(t, OpConfig{Custom: true, Payload: "are you there?"})
	seq := b.launch(target, 0)
	if got := b.payload(seq); string(got) != "are you there?" {
		t.Fatalf("payload is %q", got)
	}
	r := b.reply(seq)
	r.Payload = []byte("are you there!")
	checkFates(t, b.receive(r), []Fate{Altered})
	r.Payload = []byte("are you there")
	checkFates(t, b.receive(r), []Fate{Altered})
	checkFates(t, b.receive(b.reply(seq)), []Fate{Replied})
}

func TestAShortPayloadProvesWhatFits(t *testing.T) {
	for size := range nonceSize + balanceSize + 2 {
		b := newBench(t, OpConfig{Size: size})
		seq := b.launch(target, 0)
		r := b.reply(seq)
		if len(r.Payload) != size {
			t.Fatalf("payload has %d bytes, want %d", len(r.Payload), size)
		}
		if size > 0 {
			forged := *r
			forged.Payload = bytes.Clone(r.Payload)
			forged.Payload[0] ^= 1
			checkFates(t, b.receive(&forged), []Fate{Altered})
		}
		checkFates(t, b.receive(r), []Fate{Replied})
	}
}

func TestAGroupIsAnsweredByItsMembers(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56, Group: true})
	seq := b.launch(netip.MustParseAddr("ff02::1"), 0)
	r := b.reply(seq)
	r.Source = netip.MustParseAddr("fe80::1%eth0")
	checkFates(t, b.receive(r), []Fate{Replied})
	r.Source = netip.MustParseAddr("fe80::2%eth0")
	checkFates(t, b.receive(r), []Fate{Duplicate})
}

// The flow that routers hash stays the same over all probes of an operation.
func TestTheChecksumIsConstant(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56})
	var first uint16
	for i := range 1000 {
		seq := b.launch(target, uint64(i))
		req := icmp.Request{Destination: target, ID: testID, Sequence: seq, Payload: b.payload(seq)}
		message, err := req.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		var m icmp.Message
		if err := m.Parse(icmp.V4, message); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = m.Checksum
		}
		if m.Checksum != first {
			t.Fatalf("the checksum of probe %d is %#x, of the first %#x", i, m.Checksum, first)
		}
	}
}

func TestAnEndedOperationIsNotTold(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56})
	old := b.op
	r := b.reply(b.launch(target, 0))
	b.core.ops.remove(b.ref)
	b.op = b.newOp(OpConfig{Size: 56}) // takes the old one's place
	b.now += time.Millisecond
	checkFates(t, b.receive(r), nil)
	if len(old.outcomes) != 0 {
		t.Error("the ended operation was told")
	}
	if b.core.counters.PacketsReceived != 1 {
		t.Errorf("the reply was not counted: %+v", b.core.counters)
	}
}

// extended returns a time exceeded of ICMPv6 that quotes the probe behind extension headers
// (RFC 8200 section 4), and where the quoted probe itself begins.
func (b *bench) extended(seq uint16, headers ...uint8) (message []byte, at int) {
	dst := b.core.table.slot(seq).addr()
	next := slices.Concat(headers, []uint8{wire.ProtocolICMPv6})
	var packet []byte
	for i := range headers {
		switch headers[i] {
		case wire.ProtocolRouting:
			packet = wire.AppendRoutingHeader(packet, next[i+1], 4, 0, make([]byte, 20))
		case wire.ProtocolFragment:
			packet = wire.AppendFragmentHeader(packet, next[i+1], 0, true, 9)
		case laterFragment:
			packet = wire.AppendFragmentHeader(packet, next[i+1], 1448, false, 9)
			next[i] = wire.ProtocolFragment
		case wire.ProtocolAuthentication:
			packet = wire.AppendAuthenticationHeader(packet, next[i+1], 1, 2, make([]byte, 12))
		case encrypted:
			packet = append(packet, make([]byte, 8)...)
		default:
			packet = wire.AppendOptionsHeader(packet, next[i+1], []byte{1, 2, 0, 0})
		}
	}
	const unused = 4
	at = icmpHeader + unused + wire.IPv6HeaderLen + len(packet)
	packet = append(packet, 128, 0, 0, 0)
	packet = binary.BigEndian.AppendUint16(packet, testID)
	packet = binary.BigEndian.AppendUint16(packet, seq)
	packet = append(packet, b.payload(seq)...)
	message = []byte{3, 0, 0, 0, 0, 0, 0, 0}
	ip := wire.IPv6{NextHeader: next[0], HopLimit: 1, Source: netip.MustParseAddr("2001:db8:9::9"), Destination: dst}
	return append(ip.Append(message, len(packet)), packet...), at
}

const (
	icmpHeader    = 4
	laterFragment = 253 // stands for a fragment header that says so (RFC 3692)
	encrypted     = 50  // ESP, RFC 4303
)

func TestAnErrorIsCreditedBehindExtensionHeaders(t *testing.T) {
	const hops, options, routing, fragment, authentication = wire.ProtocolHopByHop, wire.ProtocolDestinationOptions,
		wire.ProtocolRouting, wire.ProtocolFragment, wire.ProtocolAuthentication
	for _, tt := range []struct {
		name    string
		headers []uint8
		want    []Fate
	}{
		{"none", nil, []Fate{Failed}},
		{"hop-by-hop options", []uint8{hops}, []Fate{Failed}},
		{"destination options", []uint8{options}, []Fate{Failed}},
		{"a route that has been gone", []uint8{routing}, []Fate{Failed}},
		{"the first fragment", []uint8{fragment}, []Fate{Failed}},
		{"authentication", []uint8{authentication}, []Fate{Failed}},
		{"all of them in the order of RFC 8200", []uint8{hops, options, routing, fragment, authentication, options}, []Fate{Failed}},
		{"as many as are read", bytes.Repeat([]uint8{options}, 16), []Fate{Failed}},
		{"more than are read", bytes.Repeat([]uint8{options}, 17), nil},
		{"a later fragment, which has no probe", []uint8{laterFragment}, nil},
		{"what is encrypted", []uint8{encrypted}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			message, at := b.extended(b.launch(target6, 0), tt.headers...)
			for n := range len(message) + 1 { // routers cut quotes anywhere
				b := newBench(t, OpConfig{Size: 56})
				seq := b.launch(target6, 0)
				message, _ := b.extended(seq, tt.headers...)
				r, want := &icmp.Reply{Source: router}, tt.want
				if err := r.Parse(icmp.V6, message[:n]); err != nil || n < at+wire.QuotedLen {
					want = nil
				}
				if r.Type.IsError() {
					if got := b.receive(r); !slices.Equal(got, want) {
						t.Fatalf("of %d bytes, with the probe from %d on: heard %v, want %v", n, at, got, want)
					}
				}
			}
			if r := (&icmp.Reply{}); len(tt.want) > 0 && r.Parse(icmp.V6, message) != nil {
				t.Error("the whole message cannot be read")
			}
		})
	}
}
