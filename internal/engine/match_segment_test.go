package engine

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// about is what a router says of a probe, of which it quotes what makes a probe
// of the protocol recognisable.
func (b *bench) about(p icmp.Protocol, seq uint16) *transport.Arrival {
	a := b.unmarked(p)
	if p != icmp.UDP {
		a.Identity, a.Identified = identity(seq, b.core.table.lookup(seq).nonce), true
		return a
	}
	a.Quote.Checksum, a.Quote.Payload = seq, b.payload(seq)
	return a
}

// unmarked is the same of a router that quotes too little for that.
func (b *bench) unmarked(p icmp.Protocol) *transport.Arrival {
	a := &transport.Arrival{Protocol: p}
	a.Type, a.Source = icmp.V4TimeExceeded, router
	a.Quote.Destination, a.Quote.Protocol = target, p
	return a
}

// answered is a direct answer of the target.
func (b *bench) answer(p icmp.Protocol, seq uint16, kind transport.Kind) *transport.Arrival {
	a := b.about(p, seq)
	a.Type, a.Source, a.Quote = 0, target, icmp.Quote{}
	a.Segment.Kind = kind
	if p == icmp.UDP {
		a.Segment.Payload = b.payload(seq)
	}
	return a
}

func (b *bench) arrive(a *transport.Arrival) []Fate {
	b.core.receiveArrival(a, b.now)
	return b.heard()
}

func TestAnArrivalIsCreditedOnlyIfAllAgrees(t *testing.T) {
	cases := []struct {
		name   string
		p      icmp.Protocol
		change func(a *transport.Arrival)
		want   []Fate
	}{
		{"an error about a datagram", icmp.UDP, func(*transport.Arrival) {}, []Fate{Failed}},
		{"of which only the header is quoted", icmp.UDP, func(a *transport.Arrival) { a.Quote.Payload = nil }, []Fate{Failed}},
		{"of which only the payload is known", icmp.UDP, func(a *transport.Arrival) { a.Quote.Checksum = 0 }, []Fate{Failed}},
		{"of which only the number is known", icmp.UDP, func(a *transport.Arrival) { a.Quote.Payload, a.Quote.Checksum = a.Quote.Payload[:numberSize], 0 }, []Fate{Failed}},
		{"with another number in the payload", icmp.UDP, func(a *transport.Arrival) { binary.BigEndian.PutUint16(a.Quote.Payload, 999) }, nil},
		{"with another nonce", icmp.UDP, func(a *transport.Arrival) { a.Quote.Payload[5] ^= 1 }, nil},
		{"about a datagram to another host", icmp.UDP, func(a *transport.Arrival) { a.Quote.Destination = router }, nil},
		{"an error about a SYN", icmp.TCP, func(*transport.Arrival) {}, []Fate{Failed}},
		{"with another sequence number", icmp.TCP, func(a *transport.Arrival) { a.Identity++ }, nil},
		{"with another nonce in it", icmp.TCP, func(a *transport.Arrival) { a.Identity ^= 1 << 20 }, nil},
		{"about a SYN to another host", icmp.TCP, func(a *transport.Arrival) { a.Quote.Destination = router }, nil},
		{"an error about an INIT", icmp.SCTP, func(*transport.Arrival) {}, []Fate{Failed}},
		{"with another tag", icmp.SCTP, func(a *transport.Arrival) { a.Identity ^= 1 << 31 }, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Numbered: tc.p == icmp.UDP, Size: 20, Unclear: true})
			seq := b.launch(target, 7)
			b.launch(target, 8) // so that none is the only one
			a := b.about(tc.p, seq)
			tc.change(a)
			got := b.arrive(a)
			if len(tc.want) == 0 && len(got) == 1 && got[0] == Unclear {
				got = nil // it is credited to nobody
			}
			checkFates(t, got, tc.want)
		})
	}
}

func TestADirectAnswerIsAReply(t *testing.T) {
	for p, kind := range map[icmp.Protocol]transport.Kind{
		icmp.UDP: transport.Datagram, icmp.TCP: transport.RST, icmp.SCTP: transport.Abort,
	} {
		b := newBench(t, OpConfig{Numbered: p == icmp.UDP, Size: 20})
		seq := b.launch(target, 7)
		b.launch(target, 8)
		checkFates(t, b.arrive(b.answer(p, seq, kind)), []Fate{Replied})
		checkFates(t, b.arrive(b.answer(p, seq, kind)), []Fate{Duplicate})
	}
}

func TestWhatHasNoMarkIsAboutTheOnlyProbeThatWaits(t *testing.T) {
	cases := []struct {
		name   string
		before func(b *bench) // what was sent before
		want   []Fate
	}{
		{"there is no other", func(*bench) {}, []Fate{Failed}},
		{"the others were to other hosts", func(b *bench) { b.launch(router, 1) }, []Fate{Failed}},
		{"the others were answered", func(b *bench) { b.arrive(b.about(icmp.TCP, b.launch(target, 1))) }, []Fate{Failed}},
		{"another one waits, too", func(b *bench) { b.launch(target, 1) }, []Fate{Unclear}},
		{"the answer to another one may be late", func(b *bench) {
			b.launch(target, 1)
			b.pass(testTimeout + 1)
		}, []Fate{Unclear}},
		{"it would be very late", func(b *bench) {
			b.launch(target, 1)
			b.pass(testTimeout + 1)
			b.now += testTimeout
		}, []Fate{Failed}},
		{"that to one with a smaller TTL has just come without a mark", func(b *bench) { b.answeredUnmarked(63) }, []Fate{Unclear}},
		{"that to one with a greater TTL has", func(b *bench) { b.answeredUnmarked(65) }, []Fate{Unclear}},
		{"those to one with the same and to one with a greater TTL have", func(b *bench) {
			b.answeredUnmarked(64)
			b.answeredUnmarked(65)
		}, []Fate{Unclear}},
		{"that to one with the same TTL has", func(b *bench) { b.answeredUnmarked(64) }, []Fate{Failed}},
		{"that has almost been too long ago to come twice", func(b *bench) {
			b.answeredUnmarked(63)
			b.now += RepeatedWithin - 1
		}, []Fate{Unclear}},
		{"it has been too long ago", func(b *bench) {
			b.answeredUnmarked(63)
			b.now += RepeatedWithin
		}, []Fate{Failed}},
		{"that to one with another TTL has come with a mark", func(b *bench) {
			b.now = 0
			b.arrive(b.about(icmp.TCP, b.launchTTL(63)))
		}, []Fate{Failed}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Unclear: true})
			tc.before(b)
			b.launch(target, 7)
			b.heard()
			checkFates(t, b.arrive(b.unmarked(icmp.TCP)), tc.want)
		})
	}
}

// launchTTL sends a probe with a TTL.
func (b *bench) launchTTL(ttl int) uint16 {
	seq, _, _ := b.core.launch(b.op, b.ref, &Probe{Dst: target, TTL: ttl}, b.now)
	b.core.commit(seq, b.now)
	return seq
}

// answeredUnmarked sends a probe with a TTL, which is answered at once without a mark. It
// waits alone, whatever was answered before.
func (b *bench) answeredUnmarked(ttl int) {
	b.t.Helper()
	s := b.core.table.lookup(b.launchTTL(ttl))
	s.state = failed
	s.answeredBy(&heard{at: b.now, like: alone})
}

// pass lets time pass, and expires what is overdue.
func (b *bench) pass(d time.Duration) {
	b.now += d
	b.core.expire(b.now)
	b.heard()
}

func TestUnclearComesOnlyToThoseWhoAskForIt(t *testing.T) {
	b := newBench(t, OpConfig{})
	b.launch(target, 1)
	b.launch(target, 2)
	checkFates(t, b.arrive(b.unmarked(icmp.TCP)), nil)
	if b.core.counters.Foreign != 1 {
		t.Errorf("counters %+v", b.core.counters)
	}
}

// What answers a SYN that the kernel sent again is late, however soon it comes: the
// first SYN decides, as it does where the probe is a raw packet.
func TestAnAnswerToARetransmissionIsLate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(b *bench, seq uint16) *transport.Arrival
	}{
		{"of the target", func(b *bench, seq uint16) *transport.Arrival { return b.answer(icmp.TCP, seq, transport.SYNACK) }},
		{"of a router", func(b *bench, seq uint16) *transport.Arrival { return b.about(icmp.TCP, seq) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{})
			seq := b.launch(target, 1)
			b.now += time.Second
			a := tt.answer(b, seq)
			a.Retransmitted = true
			if got := b.arrive(a); !slices.Equal(got, []Fate{Silent, Late}) {
				t.Errorf("got %v, want silent and late", got)
			}
		})
	}
}
