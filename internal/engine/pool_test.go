package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func mute(*scripted, *icmp.Request) error { return nil }

// opening is a pool whose sockets are opened until there are so many.
func opening(t *testing.T, most int, opened *int) *Pool {
	p, err := NewPool(func() (Medium, error) {
		if *opened == most {
			return nil, syscall.EMFILE
		}
		*opened++
		return OverEcho(newScripted(mute)), nil
	}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Another socket is opened while enough sequence numbers are spare, so that none comes
// round again at once.
func TestAPoolGrowsBeforeItsSequenceNumbersRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		p := opening(t, 2, &opened)
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Minute, Size: 8})
		defer op.Close()
		const room = sequences - spareSequences
		for sent := 0; sent < room; sent += 64 {
			if n, err := p.Send(t.Context(), op, burst(64)); n != 64 || err != nil {
				t.Fatal(n, err)
			}
		}
		if opened != 1 {
			t.Fatalf("%d sockets for %d probes", opened, room)
		}
		if n, err := p.Send(t.Context(), op, burst(1)); n != 1 || err != nil || opened != 2 {
			t.Fatalf("%d, %v: %d sockets for one more", n, err, opened)
		}
		for sent := 1; sent < room; sent++ {
			if n, err := p.Send(t.Context(), op, burst(1)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		// There is no third: the spare numbers are used, of that which has most.
		if n, err := p.Send(t.Context(), op, burst(64)); n != 64 || err != nil || !p.full {
			t.Fatalf("%d, %v, full: %v", n, err, p.full)
		}
		if a, b := p.engines[0].room(), p.engines[1].room(); a+b != 2*spareSequences-64 || a < spareSequences-64 || b < spareSequences-64 {
			t.Errorf("%d and %d numbers are left", a, b)
		}
		if c := p.Counters(); c.PacketsSent != 2*room+64 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestAPoolHasNoMoreThanItsMostSockets(t *testing.T) {
	opened := 0
	p := opening(t, 100, &opened)
	defer p.Close()
	for len(p.engines) < maxEngines {
		if _, err := p.grow(); err != nil {
			t.Fatal(err)
		}
	}
	if e, err := p.pick(sequences, nil); err != nil || e == nil || opened != maxEngines {
		t.Errorf("%v: %d sockets", err, opened)
	}
}

func TestAFullTableWaitsForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		p := opening(t, 1, &opened)
		defer p.Close()
		op := NewOp(OpConfig{Timeout: 100 * time.Millisecond, Size: 8})
		defer op.Close()
		start := time.Now()
		for sent := 0; sent < sequences; sent += 64 { // one more than there are
			if n, err := p.Send(t.Context(), op, burst(64)); n != 64 || err != nil {
				t.Fatal(n, err)
			}
		}
		if took := time.Since(start); took < 100*time.Millisecond || took > 100*time.Millisecond+4*busyPause {
			t.Errorf("the last one left after %v", took)
		}
	})
}

// The reply to a probe without a nonce says nothing but its number. That of one that
// stayed silent may still come, and must not be taken for the reply to a later one.
func TestANumberThatStayedSilentIsNotThatOfALaterProbeWithoutANonce(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  OpConfig
		dst  netip.Addr // of the later probes
		full bool       // there is no number for one more
	}{
		{"a payload of the caller's", OpConfig{Payload: "its own payload"}, target, true},
		{"a nonce", OpConfig{Size: 8}, target, false},
		{"another host", OpConfig{Size: 7}, target.Next(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := 0
				p := opening(t, 2, &opened)
				defer p.Close()
				tt.cfg.Timeout = 100 * time.Millisecond
				op := NewOp(tt.cfg)
				defer op.Close()
				send := func(n int, dst netip.Addr) {
					probes := make([]Probe, 64)
					for i := range probes {
						probes[i] = Probe{Dst: dst, TTL: 64}
					}
					for range n / len(probes) {
						if k, err := p.Send(t.Context(), op, probes); k != len(probes) || err != nil {
							t.Fatal(k, err)
						}
						op.Take(nil)
					}
				}
				const most = sequences - spareSequences // that one socket has in flight
				start := time.Now()
				send(most, target)
				time.Sleep(linger - 3*time.Second)
				send(most, tt.dst)
				if two := opened == 2; two != tt.full {
					t.Errorf("%d sockets", opened)
				}
				time.Sleep(time.Second)
				send(most, tt.dst)
				if took := time.Since(start); (took > linger) != tt.full || took > linger+time.Second {
					t.Errorf("the last one left after %v", took)
				}
			})
		})
	}
}

func TestASendThatWaitsEnds(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name string
		end  func(p *Pool, cancel context.CancelCauseFunc)
		want error
	}{
		{"with its context", func(_ *Pool, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
		{"with the pool", func(p *Pool, _ context.CancelCauseFunc) { p.Close() }, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				full := func(*scripted, *icmp.Request) error { return &socket.OpError{Op: "send", Err: syscall.ENOBUFS} }
				p := poolOver(t, newScripted(full), nil)
				defer p.Close()
				op := NewOp(OpConfig{Timeout: time.Second, Size: 8})
				defer op.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(busyPatience/2, func() { tt.end(p, cancel) })
				if n, err := p.Send(ctx, op, burst(1)); n != 0 || !errors.Is(err, tt.want) {
					t.Errorf("%d, %v", n, err)
				}
				cancel(cause)
				if n, err := p.Send(ctx, op, burst(1)); n != 0 || !errors.Is(err, tt.want) {
					t.Errorf("a further one: %d, %v", n, err)
				}
			})
		})
	}
}

func TestAPoolThatCannotOpenASocketSaysWhy(t *testing.T) {
	_, err := NewPool(func() (Medium, error) { return nil, syscall.EPERM }, slog.New(slog.DiscardHandler), nil)
	if !errors.Is(err, syscall.EPERM) {
		t.Errorf("it says %v", err)
	}
}

// Time that a call takes is no time that the probes take.
func TestTheTimeOfTheCallIsInNoRoundTrip(t *testing.T) {
	for _, stamped := range []bool{true, false} {
		b := newBench(t, OpConfig{Size: 56})
		seq := b.depart(target, 1)
		r := b.reply(seq)
		r.Stamped = stamped
		b.now += 30 * time.Millisecond
		b.core.receive(r, b.now)
		b.core.commit(seq, b.now-10*time.Millisecond)
		o := b.op.outcomes[0]
		if o.RTT != 10*time.Millisecond || !o.Sent.Equal(b.core.epoch.Add(b.now-10*time.Millisecond)) {
			t.Errorf("stamped %v: it took %v from %v", stamped, o.RTT, o.Sent)
		}
		seq = b.depart(target, 2)
		r = b.reply(seq)
		r.KernelRTT, r.Stamped = 5*time.Millisecond, true
		b.now += 30 * time.Millisecond
		b.core.receive(r, b.now)
		b.core.commit(seq, b.now-10*time.Millisecond)
		if o := b.op.outcomes[1]; o.RTT != 5*time.Millisecond || o.MeasuredBy != ByKernel {
			t.Errorf("what the kernel measured became %v", o.RTT)
		}
	}
}

func TestEachTimeoutHasItsQueue(t *testing.T) {
	b := newBench(t, OpConfig{Size: 8})
	timeouts := []time.Duration{3 * time.Second, time.Second, 2 * time.Second}
	for i := range uint64(9) {
		b.op.cfg.Timeout = timeouts[i%3]
		b.launch(target, i)
		b.now += time.Millisecond
	}
	if n := len(b.core.table.queues); n != 3 {
		t.Errorf("%d queues for three timeouts", n)
	}
	if next, ok := b.core.table.nextDeadline(); !ok || next != 2*time.Second+time.Millisecond {
		t.Errorf("the first deadline is %v", next)
	}
	for _, step := range []struct {
		horizon time.Duration
		tags    []uint64
	}{
		{2*time.Second + time.Millisecond - 1, nil},
		{2*time.Second + time.Millisecond, []uint64{1}},
		{2*time.Second + 7*time.Millisecond, []uint64{4, 7}},
		{4*time.Second + 3*time.Millisecond, []uint64{0, 3, 2, 5, 8}},
		{time.Minute, []uint64{6}},
	} {
		b.core.expire(step.horizon)
		for i, o := range b.op.outcomes {
			if len(b.op.outcomes) != len(step.tags) || o.Tag != step.tags[i] || o.Fate != Silent {
				t.Errorf("at %v: %v of %d, want %v", step.horizon, o.Tag, len(b.op.outcomes), step.tags)
			}
		}
		if len(b.op.outcomes) != len(step.tags) {
			t.Errorf("at %v %d are silent, want %d", step.horizon, len(b.op.outcomes), len(step.tags))
		}
		b.op.outcomes = nil
	}
	if _, ok := b.core.table.nextDeadline(); ok {
		t.Error("there is a deadline of nothing")
	}
	b.op.cfg.Timeout = time.Hour
	b.launch(target, 99)
	if n := len(b.core.table.queues); n != 3 {
		t.Errorf("%d queues: an empty one is not used again", n)
	}
}

func TestAnInboxBoundsWhatSettlesNothing(t *testing.T) {
	b := NewInboxWith(2)
	for range 5 {
		b.put(&Outcome{Fate: Duplicate})
	}
	if len(b.outcomes) != 2 {
		t.Errorf("%d are kept", len(b.outcomes))
	}
	b.put(&Outcome{Fate: Silent})
	b.put(&Outcome{Fate: Late})
	if len(b.outcomes) != 3 || b.outcomes[2].Fate != Silent {
		t.Errorf("kept %v", b.outcomes)
	}
}

// segmented is a scripted Conn of UDP or TCP.
type segmented struct {
	*scripted
	protocol icmp.Protocol
	sent     []transport.Probe
	few      int // that it takes at a time; 0: all
}

func (s *segmented) Protocol() icmp.Protocol     { return s.protocol }
func (s *segmented) Ports() (uint16, int)        { return 4000, 16 }
func (s *segmented) ReceiveBuffer() (int, error) { return 0, errors.ErrUnsupported }
func (s *segmented) SetReceiveBuffer(int) error  { return errors.ErrUnsupported }

func (s *segmented) SendBatch(probes []transport.Probe) (int, error) {
	if s.few > 0 && len(probes) > s.few {
		probes = probes[:s.few]
	}
	for i := range probes {
		probes[i].Time = time.Now()
		p := probes[i]
		p.Payload = append([]byte(nil), p.Payload...)
		s.sent = append(s.sent, p)
	}
	return len(probes), nil
}

func (s *segmented) ReceiveBatch(ctx context.Context, arrivals []transport.Arrival) (int, error) {
	replies := make([]icmp.Reply, len(arrivals))
	n, err := s.scripted.ReceiveBatch(ctx, replies)
	for i := range n {
		arrivals[i] = transport.Arrival{Protocol: s.protocol, Reply: replies[i]}
	}
	return n, err
}

func TestSegmentsBearWhatMakesThemRecognisable(t *testing.T) {
	for _, tt := range []struct {
		name  string
		p     icmp.Protocol
		cfg   OpConfig
		flow  Flow
		check func(p *transport.Probe, s *slot, seq uint16) bool
	}{
		{"UDP", icmp.UDP, OpConfig{Numbered: true, Size: 20}, Flow{DestinationPort: 9, Offset: 3}, func(p *transport.Probe, _ *slot, seq uint16) bool {
			return p.Checksum == seq && p.Balance == numberedBalance && len(p.Payload) == 20 && p.Identity == 0 &&
				p.DestinationPort == 9 && p.SourcePort == 4003
		}},
		{"UDP with a payload of the caller's", icmp.UDP, OpConfig{Custom: true, Payload: "hello"}, Flow{SourcePort: 7, Offset: 3}, func(p *transport.Probe, _ *slot, _ uint16) bool {
			return p.Checksum == 0 && string(p.Payload) == "hello" && p.SourcePort == 7
		}},
		{"TCP", icmp.TCP, OpConfig{}, Flow{DestinationPort: 80, Label: 5}, func(p *transport.Probe, s *slot, seq uint16) bool {
			return p.Identity == identity(seq, s.nonce) && uint16(p.Identity) == seq && p.Payload == nil && p.SourcePort == 0 && p.FlowLabel == 5
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := &segmented{scripted: newScripted(mute), protocol: tt.p}
				p, err := NewPool(func() (Medium, error) { return OverTransport(conn), nil }, slog.New(slog.DiscardHandler), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				if p.Ports() != 16 {
					t.Errorf("it has %d ports", p.Ports())
				}
				tt.cfg.Timeout, tt.cfg.TrafficClass, tt.cfg.Drives = time.Second, 8, true
				op := NewOp(tt.cfg)
				defer op.Close()
				probes := burst(20)
				for i := range probes {
					probes[i].Flow, probes[i].TTL = tt.flow, 1+i
				}
				if n, err := p.Send(t.Context(), op, probes); n != 20 || err != nil {
					t.Fatal(n, err)
				}
				c := &p.engines[0].core
				seq := c.table.next - 20
				for i := range conn.sent {
					if seq == 0 {
						seq++ // which is not used
					}
					sent := &conn.sent[i]
					if !tt.check(sent, c.table.slot(seq), seq) || sent.TTL != 1+i || sent.TrafficClass != 8 || sent.Destination != target || probes[i].Sent.IsZero() {
						t.Fatalf("probe %d is %+v", i, sent)
					}
					seq++
				}
				for _, o := range settled(t, op, 20) {
					if o.Fate != Silent {
						t.Errorf("heard %+v", o)
					}
				}
				conn.few = 3
				if n, err := p.Send(t.Context(), op, probes[:8]); n != 3 || !errors.Is(err, errNoneTaken) {
					t.Errorf("of eight of which three are taken: %d, %v", n, err)
				}
			})
		})
	}
}

func TestWhatMayBeReadButNotDrivenIsReadByTheReader(t *testing.T) {
	onScript(t, reply, func(t *testing.T, w *scripted, p *Pool) {
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56, Drives: true})
		defer op.Close()
		for range 3 {
			if n, err := p.Send(t.Context(), op, burst(40)); n != 40 || err != nil {
				t.Fatal(n, err)
			}
			for _, o := range settled(t, op, 40) {
				if o.Fate != Replied {
					t.Errorf("heard %+v", o)
				}
			}
		}
		if state, watched := owner(w, p); state != rightRead || !watched || !p.engines[0].right.never {
			t.Errorf("the right is %d, watched: %v", state, watched)
		}
	})
}

func TestFewProbesTakeNoRight(t *testing.T) {
	driving(t, reply, func(t *testing.T, w *scripted, p *Pool, op *Op) {
		if n, err := p.Send(t.Context(), op, burst(drivenFrom-1)); n != drivenFrom-1 || err != nil {
			t.Fatal(n, err)
		}
		if state, _ := owner(w, p); state != rightRead {
			t.Errorf("the right is %d", state)
		}
		if n, err := p.Send(t.Context(), op, burst(drivenFrom)); n != drivenFrom || err != nil {
			t.Fatal(n, err)
		}
		if state, _ := owner(w, p); state != rightLent {
			t.Errorf("the right is %d", state)
		}
		op.Inbox.Take(nil)
		if n, err := p.Send(t.Context(), op, burst(1)); n != 1 || err != nil || len(op.Take(nil)) != 1 {
			t.Errorf("who has the right does not read the answer to one: %d, %v", n, err)
		}
	})
}

// That the kernel has no room is remembered, so that others wait for less; that descriptors
// are short is not, for each probe that ends makes room.
func TestHowLongAProbeWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Second) // the pool is as old
		p := &Pool{opened: time.Now().Add(-time.Second)}
		ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
		for _, tt := range []struct {
			err   error
			since time.Duration
			want  bool
		}{
			{syscall.EMFILE, busyPatience - 1, true},
			{syscall.ENFILE, busyPatience - 1, true},
			{syscall.EMFILE, busyPatience, false},
			{syscall.ENOBUFS, busyPatience - 1, true}, // nothing was remembered
			{syscall.ENOBUFS, busyPatience, false},
			{syscall.ENOBUFS, stuckPatience - 1, true},
			{syscall.ENOBUFS, stuckPatience, false},
			{syscall.EMFILE, busyPatience - 1, true},
		} {
			if got := p.waits(tt.err, ago(tt.since)); got != tt.want {
				t.Errorf("%v for %v: it waits on: %v, want %v", tt.err, tt.since, got, tt.want)
			}
		}
		time.Sleep(stuckMemory)
		if !p.waits(syscall.ENOBUFS, ago(busyPatience-1)) {
			t.Error("what was long ago is remembered")
		}
	})
}
