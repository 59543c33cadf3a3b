package engine

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

const (
	testID      = 0x4321
	testTimeout = 2 * time.Second
)

var (
	target  = netip.MustParseAddr("192.0.2.7")
	router  = netip.MustParseAddr("198.51.100.1")
	target6 = netip.MustParseAddr("2001:db8::7")
)

// bench is a core with one operation, and the time that it is at.
type bench struct {
	t    *testing.T
	core core
	op   *Op
	ref  opRef
	now  time.Duration
}

func newBench(t *testing.T, cfg OpConfig) *bench {
	b := &bench{t: t, now: time.Second}
	b.core.id = testID
	b.op = b.newOp(cfg)
	return b
}

func (b *bench) newOp(cfg OpConfig) *Op {
	if cfg.Timeout == 0 {
		cfg.Timeout = testTimeout
	}
	op := NewOp(cfg)
	b.ref = b.core.ops.add(op)
	return op
}

// launch sends a probe and returns its sequence number.
func (b *bench) launch(dst netip.Addr, tag uint64) uint16 {
	seq := b.depart(dst, tag)
	b.core.commit(seq, b.now)
	return seq
}

// depart begins to send a probe.
func (b *bench) depart(dst netip.Addr, tag uint64) uint16 {
	seq, _, ok := b.core.launch(b.op, b.ref, &Probe{Dst: dst, Tag: tag, TTL: 64}, b.now)
	if !ok {
		b.t.Fatal("no sequence number was free")
	}
	return seq
}

// request returns the payload that the probe carries.
func (b *bench) payload(seq uint16) []byte {
	return b.op.payload.appendTo(nil, b.core.table.slot(seq).nonce, seq)
}

// reply makes the echo reply that the probe deserves.
func (b *bench) reply(seq uint16) *icmp.Reply {
	s := b.core.table.slot(seq)
	r := &icmp.Reply{Source: s.addr(), TTL: 60}
	r.Type = icmp.V4EchoReply
	if s.addr().Is6() {
		r.Type = icmp.V6EchoReply
	}
	r.ID, r.Sequence, r.Payload = testID, seq, b.payload(seq)
	return r
}

// exceeded makes a router's time exceeded about the probe, which quotes it whole.
func (b *bench) exceeded(seq uint16) *icmp.Reply {
	r := &icmp.Reply{Source: router}
	r.Type = icmp.V4TimeExceeded
	r.Quote = icmp.Quote{
		Version:     icmp.V4,
		Destination: b.core.table.slot(seq).addr(),
		Protocol:    icmp.ICMP,
		Type:        icmp.V4EchoRequest,
		ID:          testID,
		Sequence:    seq,
		Payload:     b.payload(seq),
	}
	return r
}

// receive lets a message arrive now and returns what the operation hears.
func (b *bench) receive(r *icmp.Reply) []Fate {
	b.core.receive(r, b.now)
	return b.heard()
}

func (b *bench) heard() []Fate {
	var fates []Fate
	for _, o := range b.op.outcomes {
		fates = append(fates, o.Fate)
	}
	b.op.outcomes = b.op.outcomes[:0]
	return fates
}

func TestAReplySettlesItsProbe(t *testing.T) {
	for _, dst := range []netip.Addr{target, target6} {
		b := newBench(t, OpConfig{Size: 56})
		seq := b.launch(dst, 42)
		r := b.reply(seq)
		b.now += 30 * time.Millisecond
		b.core.receive(r, b.now)
		if len(b.op.outcomes) != 1 {
			t.Fatalf("%v: heard %d outcomes, want 1", dst, len(b.op.outcomes))
		}
		o := b.op.outcomes[0]
		if o.Fate != Replied || o.Tag != 42 || o.RTT != 30*time.Millisecond || o.Responder != dst || o.ReplyTTL != 60 || o.PayloadChanged {
			t.Errorf("outcome is %+v", o)
		}
	}
}

// What comes about each of two probes before the call that sends them returns is told
// when it has, and once.
func TestAnswersBeforeTheCallReturnsAreToldWhenItHas(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56})
	first, second := b.depart(target, 1), b.depart(target, 2)
	for _, seq := range []uint16{second, first} {
		if fates := b.receive(b.reply(seq)); len(fates) > 0 {
			t.Fatalf("%v are told before the call returns", fates)
		}
	}
	for tag, seq := range []uint16{first, second} {
		b.core.commit(seq, b.now)
		if o := b.op.outcomes; len(o) != 1 || o[0].Fate != Replied || o[0].Tag != uint64(tag+1) {
			t.Errorf("of probe %d there is %+v", tag+1, o)
		}
		b.heard()
	}
	if len(b.core.held) > 0 {
		t.Errorf("%d are held for ever", len(b.core.held))
	}
}

func TestWhatEachFateCounts(t *testing.T) {
	for fate, want := range map[Fate]Counters{
		Replied: {PacketsReceived: 1}, Failed: {ICMPErrors: 1}, Silent: {Silent: 1}, Late: {Late: 1},
		Duplicate: {Duplicates: 1}, Altered: {Altered: 1}, Advised: {Advised: 1}, Unclear: {},
	} {
		var c Counters
		if c.add(&Outcome{Fate: fate}); c != want {
			t.Errorf("fate %d counts %+v, want %+v", fate, c, want)
		}
	}
}

func TestTheFirstAnswerCounts(t *testing.T) {
	const (
		reply = iota
		errorMessage
		pause // past the deadline
		expiry
	)
	for _, tt := range []struct {
		name   string
		events []int
		want   []Fate
	}{
		{"a second reply is a duplicate", []int{reply, reply}, []Fate{Replied, Duplicate}},
		{"so is a third, and an error", []int{reply, reply, reply, errorMessage}, []Fate{Replied, Duplicate, Duplicate, Duplicate}},
		{"a reply after an error is none", []int{errorMessage, reply, reply}, []Fate{Failed, Corrected, Duplicate}},
		{"a reply after the deadline is late", []int{pause, expiry, reply}, []Fate{Silent, Late}},
		{"so is an error", []int{pause, expiry, errorMessage}, []Fate{Silent, Late}},
		{"a second late reply is a duplicate", []int{pause, expiry, reply, reply}, []Fate{Silent, Late, Duplicate}},
		{"a late reply is late though nobody looked at the deadline before", []int{pause, reply, expiry}, []Fate{Silent, Late}},
		{"a duplicate after the deadline is a duplicate", []int{reply, pause, expiry, reply}, []Fate{Replied, Duplicate}},
		{"an answered probe does not expire", []int{reply, pause, expiry}, []Fate{Replied}},
		{"a silent probe expires once", []int{pause, expiry, expiry}, []Fate{Silent}},
		{"nothing expires before its time", []int{expiry, reply}, []Fate{Replied}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			seq := b.launch(target, 0)
			b.now += time.Millisecond
			var got []Fate
			for _, event := range tt.events {
				switch event {
				case reply:
					got = append(got, b.receive(b.reply(seq))...)
				case errorMessage:
					got = append(got, b.receive(b.exceeded(seq))...)
				case pause:
					b.now += testTimeout
				case expiry:
					b.core.expire(b.now)
					got = append(got, b.heard()...)
				}
			}
			checkFates(t, got, tt.want)
		})
	}
}

func checkFates(t *testing.T, got, want []Fate) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("fates are %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("fates are %v, want %v", got, want)
		}
	}
}

// What comes about a probe, at moments since it was sent, and what it means.
func TestAReplyAfterAnErrorIsNoDuplicate(t *testing.T) {
	const early, late = 30 * time.Millisecond, testTimeout + time.Second
	type event struct {
		at    time.Duration
		reply bool
	}
	for _, tt := range []struct {
		name    string
		events  []event
		want    []Fate
		overdue bool
		counted Counters
	}{
		{"a reply after an error", []event{{early, false}, {2 * early, true}}, []Fate{Failed, Corrected}, false,
			Counters{PacketsSent: 1, PacketsReceived: 1, Advised: 1}},
		{"another one", []event{{early, false}, {2 * early, true}, {3 * early, true}}, []Fate{Failed, Corrected, Duplicate}, false,
			Counters{PacketsSent: 1, PacketsReceived: 1, Advised: 1, Duplicates: 1}},
		{"another error, too", []event{{early, false}, {2 * early, false}, {3 * early, true}}, []Fate{Failed, Duplicate, Corrected}, false,
			Counters{PacketsSent: 1, PacketsReceived: 1, Advised: 1, Duplicates: 1}},
		{"a reply after the timeout", []event{{early, false}, {late, true}}, []Fate{Failed, Corrected}, true,
			Counters{PacketsSent: 1, ICMPErrors: 1}},
		{"an error after the timeout, and a reply", []event{{late, false}, {late + early, true}}, []Fate{Silent, Late, Corrected}, true,
			Counters{PacketsSent: 1, Silent: 1, Late: 1}},
		{"an error after a reply", []event{{early, true}, {2 * early, false}}, []Fate{Replied, Duplicate}, false,
			Counters{PacketsSent: 1, PacketsReceived: 1, Duplicates: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			seq, sent := b.launch(target, 1), b.now
			for _, e := range tt.events {
				b.now = sent + e.at
				r := b.exceeded(seq)
				if e.reply {
					r = b.reply(seq)
				}
				b.core.receive(r, b.now)
			}
			for _, o := range b.op.outcomes {
				if o.Fate == Corrected && (o.Overdue != tt.overdue || o.RTT != b.now-sent && o.RTT != 2*early) {
					t.Errorf("outcome %+v", o)
				}
			}
			checkFates(t, b.heard(), tt.want)
			if b.core.counters != tt.counted {
				t.Errorf("counters %+v, want %+v", b.core.counters, tt.counted)
			}
		})
	}
}

func TestADirectAnswerAfterAnErrorIsNoDuplicate(t *testing.T) {
	for p, kind := range map[icmp.Protocol]transport.Kind{
		icmp.UDP: transport.Datagram, icmp.TCP: transport.SYNACK, icmp.SCTP: transport.InitAck,
	} {
		b := newBench(t, OpConfig{Numbered: p == icmp.UDP, Size: 20})
		seq := b.launch(target, 7)
		checkFates(t, b.arrive(b.about(p, seq)), []Fate{Failed})
		checkFates(t, b.arrive(b.answer(p, seq, kind)), []Fate{Corrected})
		checkFates(t, b.arrive(b.answer(p, seq, kind)), []Fate{Duplicate})
	}
}

func TestMemoryIsGivenUpLongAfterTheLastProbe(t *testing.T) {
	b := newBench(t, OpConfig{Size: 56})
	seq := b.launch(target, 1)
	sent, table := b.now, &b.core.table
	table.shrink(sent + 2*linger) // in flight
	if table.pages[seq/pageSize] == nil {
		t.Fatal("a probe in flight is forgotten")
	}
	checkFates(t, b.receive(b.reply(seq)), []Fate{Replied})
	table.shrink(sent + linger)
	if table.pages[seq/pageSize] == nil {
		t.Error("what may come yet is not known any more")
	}
	table.shrink(sent + linger + 1)
	if table.pages[seq/pageSize] != nil {
		t.Error("it is kept for ever")
	}
}
