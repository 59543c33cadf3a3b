package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// scripted is a Conn of which the test says what becomes of each request.
type scripted struct {
	// send takes a request or refuses it; answer lets a message arrive.
	send func(w *scripted, r *icmp.Request) error
	// broken is what every receive fails with, if not nil.
	broken error

	mu       sync.Mutex
	deadline time.Time
	arrived  []icmp.Reply
	news     chan struct{}
	closed   chan struct{}
	drained  time.Time
	receives int

	unwatched bool // what arrives wakes no receive
}

func newScripted(send func(w *scripted, r *icmp.Request) error) *scripted {
	return &scripted{send: send, news: make(chan struct{}, 1), closed: make(chan struct{}), drained: time.Now()}
}

func (w *scripted) ID() uint16                { return testID }
func (w *scripted) Counters() socket.Counters { return socket.Counters{} }
func (w *scripted) Backlog() float64          { return 0 }
func (w *scripted) Close() error              { close(w.closed); return nil }

func (w *scripted) Drained() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.drained
}

func (w *scripted) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *scripted) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	w.wake()
	return nil
}

// arrive lets a message about a request arrive, and waits until it was read.
func (w *scripted) arrive(req *icmp.Request, t icmp.Type, from netip.Addr) {
	r := icmp.Reply{Source: from, Time: time.Now(), Stamped: true}
	r.Type = t
	if t.IsError() {
		quoted, _ := req.Append(nil)
		r.Quote = icmp.Quote{Version: icmp.V4, Destination: req.Destination, Protocol: icmp.ICMP, Type: icmp.V4EchoRequest,
			ID: testID, Sequence: req.Sequence, Payload: slices.Clone(req.Payload), Transport: quoted}
	} else {
		r.ID, r.Sequence, r.Payload = testID, req.Sequence, slices.Clone(req.Payload)
	}
	w.mu.Lock()
	w.arrived = append(w.arrived, r)
	w.mu.Unlock()
	w.wake()
}

func (w *scripted) SendBatch(reqs []icmp.Request) (int, error) {
	for i := range reqs {
		reqs[i].Time = time.Now()
		if err := w.send(w, &reqs[i]); err != nil {
			return i, err
		}
	}
	return len(reqs), nil
}

func (w *scripted) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	for {
		w.mu.Lock()
		w.receives++
		n, deadline := 0, w.deadline
		if !w.unwatched {
			n = copy(replies, w.arrived)
		}
		if w.arrived = w.arrived[n:]; len(w.arrived) == 0 {
			w.drained = time.Now()
		}
		w.mu.Unlock()
		if w.broken != nil {
			return 0, w.broken
		}
		if n > 0 {
			return n, nil
		}
		wait := time.Hour
		if !deadline.IsZero() {
			if wait = time.Until(deadline); wait <= 0 {
				return 0, os.ErrDeadlineExceeded
			}
		}
		select {
		case <-w.news:
		case <-time.After(wait):
		case <-w.closed:
			return 0, net.ErrClosed
		}
	}
}

// poolOver returns a pool on a simulated socket.
func poolOver(t *testing.T, conn Conn, budget *Budget) *Pool {
	p, err := NewPool(func() (Medium, error) { return OverEcho(conn), nil }, slog.New(slog.DiscardHandler), budget)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// onScript runs a test in virtual time with a pool on a scripted socket.
func onScript(t *testing.T, send func(w *scripted, r *icmp.Request) error, f func(t *testing.T, w *scripted, p *Pool)) {
	synctest.Test(t, func(t *testing.T) {
		w := newScripted(send)
		p := poolOver(t, w, nil)
		defer p.Close()
		f(t, w, p)
	})
}

// The least of several timeouts is the next deadline, whichever began first.
func TestAShorterTimeoutDoesNotWaitForALongerOne(t *testing.T) {
	onScript(t, func(*scripted, *icmp.Request) error { return nil }, func(t *testing.T, _ *scripted, p *Pool) {
		start, ops := time.Now(), map[time.Duration]*Op{}
		for _, timeout := range []time.Duration{5 * time.Second, time.Second, 3 * time.Second} {
			op := NewOp(OpConfig{Timeout: timeout, Size: 56})
			defer op.Close()
			if n, err := p.Send(t.Context(), op, burst(1)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			synctest.Wait() // its deadline is set
			ops[timeout] = op
		}
		for _, timeout := range []time.Duration{time.Second, 3 * time.Second, 5 * time.Second} {
			all, took := settled(t, ops[timeout], 1), time.Since(start)
			if len(all) != 1 || all[0].Fate != Silent || took < timeout || took > timeout+2*expireEvery {
				t.Errorf("%+v after %v, want silence after %v", all, took, timeout)
			}
		}
	})
}

// settled waits until n probes have their fate, and returns the outcomes.
func settled(t *testing.T, op *Op, n int) (all []Outcome) {
	t.Helper()
	for n > 0 {
		select {
		case <-op.Ready():
		case <-time.After(time.Minute):
			t.Fatalf("%d probes have no fate", n)
		}
		for _, o := range op.Take(nil) {
			all = append(all, o)
			if o.Fate.Settles() {
				n--
			}
		}
	}
	return all
}

// A firewall of this host that rejects answers with an ICMP error before the
// system refuses the packet.
func TestAProbeThatWasAnsweredAndThenRefusedIsNotSent(t *testing.T) {
	refuse := func(w *scripted, r *icmp.Request) error {
		if r.TTL == 64 {
			return nil
		}
		w.arrive(r, icmp.V4DestinationUnreachable, router)
		synctest.Wait() // it is read
		return &socket.OpError{Op: "send", Err: syscall.EPERM}
	}
	onScript(t, refuse, func(t *testing.T, w *scripted, p *Pool) {
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer op.Close()
		for tag := range uint64(3) {
			if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, Tag: tag, TTL: 1}}); n != 0 || !errors.Is(err, syscall.EPERM) {
				t.Errorf("a refused probe: %d, %v", n, err)
			}
		}
		if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, Tag: 9, TTL: 64}}); n != 1 || err != nil {
			t.Errorf("the probe behind them: %d, %v", n, err)
		}
		all := settled(t, op, 1)
		if len(all) != 1 || all[0].Tag != 9 || all[0].Fate != Silent {
			t.Errorf("heard %+v", all)
		}
		if c := p.Counters(); c.PacketsSent != 1 || c.Silent != 1 || c.ICMPErrors != 0 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestATimeoutThatIsShorterThanTheCallSettlesOnlyWhatWasSent(t *testing.T) {
	slow := func(w *scripted, r *icmp.Request) error {
		time.Sleep(time.Minute) // in the call
		if r.TTL == 1 {
			return &socket.OpError{Op: "send", Err: syscall.EMSGSIZE}
		}
		return nil
	}
	onScript(t, slow, func(t *testing.T, w *scripted, p *Pool) {
		op := NewOp(OpConfig{Timeout: time.Microsecond, Size: 56})
		defer op.Close()
		if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, Tag: 1, TTL: 1}}); n != 0 || !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("a refused probe: %d, %v", n, err)
		}
		if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, Tag: 2, TTL: 64}}); n != 1 || err != nil {
			t.Errorf("one that was taken: %d, %v", n, err)
		}
		if all := settled(t, op, 1); len(all) != 1 || all[0].Tag != 2 || all[0].Fate != Silent {
			t.Errorf("heard %+v", all)
		}
	})
}

// What comes about a probe before the call returns is told when it has, and once.
func TestAReplyThatComesBeforeTheCallReturnsIsToldAfterwards(t *testing.T) {
	early := func(w *scripted, r *icmp.Request) error {
		w.arrive(r, icmp.V4EchoReply, target)
		w.arrive(r, icmp.V4EchoReply, target)
		synctest.Wait()
		return nil
	}
	onScript(t, early, func(t *testing.T, w *scripted, p *Pool) {
		all := heardDuringSend(t, p)
		if len(all) != 2 || all[0].Fate != Replied || all[1].Fate != Duplicate {
			t.Errorf("heard %+v", all)
		}
	})
}

// heardDuringSend sends one probe with a timeout of a second, and returns the outcomes that
// are there when the call returns.
func heardDuringSend(t *testing.T, p *Pool) []Outcome {
	t.Helper()
	op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
	defer op.Close()
	if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 64}}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	return op.Take(nil)
}

// Before the call returns, too, an answer can come after the timeout.
func TestAnAnswerDuringACallThatIsLongerThanTheTimeoutIsLate(t *testing.T) {
	type answer struct {
		after time.Duration
		typ   icmp.Type
	}
	reply, unreachable := icmp.Type(icmp.V4EchoReply), icmp.Type(icmp.V4DestinationUnreachable)
	for _, tt := range []struct {
		name    string
		answers []answer
		want    []Fate
		overdue bool
	}{
		{"in time", []answer{{time.Second, reply}}, []Fate{Replied}, false},
		{"a reply", []answer{{time.Second + 1, reply}}, []Fate{Silent, Late}, false},
		{"two replies", []answer{{2 * time.Second, reply}, {0, reply}}, []Fate{Silent, Late, Duplicate}, false},
		{"one in time and one not", []answer{{time.Second, reply}, {time.Second, reply}}, []Fate{Replied, Duplicate}, false},
		{"an error", []answer{{2 * time.Second, unreachable}}, []Fate{Silent, Late}, false},
		{"a reply after an error in time", []answer{{time.Second, unreachable}, {1, reply}}, []Fate{Failed, Corrected}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			early := func(w *scripted, r *icmp.Request) error {
				for _, a := range tt.answers {
					time.Sleep(a.after)
					w.arrive(r, a.typ, target)
				}
				synctest.Wait()
				return nil
			}
			onScript(t, early, func(t *testing.T, w *scripted, p *Pool) {
				all := heardDuringSend(t, p)
				var fates []Fate
				for _, o := range all {
					fates = append(fates, o.Fate)
				}
				if !slices.Equal(fates, tt.want) || all[len(all)-1].Overdue != tt.overdue {
					t.Errorf("heard %+v", all)
				}
				if c := p.Counters(); c.PacketsSent != 1 || c.PacketsReceived+c.ICMPErrors+c.Silent != 1 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestAKernelThatNeverHasRoomRefusesInTheEnd(t *testing.T) {
	full := func(*scripted, *icmp.Request) error { return &socket.OpError{Op: "send", Err: syscall.ENOBUFS} }
	onScript(t, full, func(t *testing.T, w *scripted, p *Pool) {
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer op.Close()
		start := time.Now()
		n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 64}})
		if n != 0 || !errors.Is(err, syscall.ENOBUFS) {
			t.Errorf("%d, %v", n, err)
		}
		if took := time.Since(start); took < busyPatience || took > busyPatience+10*busyPause {
			t.Errorf("after %v", took)
		}
	})
}

// A kernel that had no room for so long is not waited for as long again by each further probe,
// until it takes one.
func TestAKernelThatHadNoRoomIsNotWaitedForByEach(t *testing.T) {
	room := make(chan struct{}, 1) // for one probe
	some := func(*scripted, *icmp.Request) error {
		select {
		case <-room:
			return nil
		default:
			return &socket.OpError{Op: "send", Err: syscall.ENOBUFS}
		}
	}
	onScript(t, some, func(t *testing.T, w *scripted, p *Pool) {
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer op.Close()
		waits := func(want time.Duration, sent int) {
			t.Helper()
			start := time.Now()
			n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 64}})
			if took := time.Since(start); took < want || took > want+busyPause || n != sent || n == 0 && !errors.Is(err, syscall.ENOBUFS) {
				t.Errorf("%d, %v after %v, want %v", n, err, took, want)
			}
		}
		waits(busyPatience, 0)
		for range 100 {
			waits(stuckPatience, 0)
		}
		time.Sleep(stuckMemory)
		waits(busyPatience, 0)
		waits(stuckPatience, 0)
		room <- struct{}{}
		waits(0, 1)
		waits(busyPatience, 0)
	})
}

func TestASocketThatCannotReceiveSaysSo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		after time.Duration // within which nothing more is sent
	}{
		{"a system without the call", os.NewSyscallError("recvmmsg", syscall.ENOSYS), errorPause},
		{"an error that does not pass", os.NewSyscallError("recvmmsg", syscall.ENOMEM), deafAfter + errorPause},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newScripted(func(*scripted, *icmp.Request) error { return nil })
				w.broken = tt.err
				p := poolOver(t, w, nil)
				defer p.Close()
				op := NewOp(OpConfig{Timeout: 2 * time.Second, Size: 56})
				defer op.Close()
				if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 64}}); n == 1 && err == nil {
					o := settled(t, op, 1)[0]
					if o.Fate != Silent || !errors.Is(o.Cause, tt.err) || !o.Suspect {
						t.Errorf("the probe that was sent: %+v", o)
					}
				}
				time.Sleep(tt.after)
				if n, err := p.Send(t.Context(), op, []Probe{{Dst: target, TTL: 64}}); n != 0 || !errors.Is(err, tt.err) {
					t.Errorf("a further one: %d, %v", n, err)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if most := int(10*time.Second/errorPause) + 10; w.receives > most {
					t.Errorf("%d receives: it spins", w.receives)
				}
			})
		})
	}
}

// The interface of a socket is removed, and there is one of its name later: until
// then nothing is sent, and then by a new socket. The probe in flight settles, what
// was counted stays counted, and of the old socket nothing is left.
func TestASocketWhoseInterfaceIsGoneIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		present, index, closed := true, 1, make(chan struct{})
		boundTo := func(device int) func(w *scripted, r *icmp.Request) error {
			return func(w *scripted, r *icmp.Request) error {
				if !present || device != index {
					return &socket.OpError{Op: "send", Err: errors.Join(socket.ErrInterfaceGone, syscall.ENODEV)}
				}
				return nil
			}
		}
		p, err := NewPool(func() (Medium, error) {
			if !present {
				return nil, syscall.ENODEV
			}
			w := newScripted(boundTo(index))
			if index == 1 {
				w.closed = closed
			}
			return OverEcho(w), nil
		}, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer op.Close()
		try := func(tag uint64) error {
			_, err := p.Send(t.Context(), op, []Probe{{Dst: target, Tag: tag, TTL: 64}})
			return err
		}
		if err := try(1); err != nil {
			t.Fatal(err)
		}
		present = false
		if err := try(2); !errors.Is(err, syscall.ENODEV) {
			t.Errorf("without the interface: %v", err)
		}
		present, index = true, 2
		if err := try(3); err != nil {
			t.Errorf("with another one: %v", err)
		}
		select {
		case <-closed:
			t.Error("the first socket was closed, with a probe in flight")
		default:
		}
		for _, o := range settled(t, op, 2) {
			if o.Fate != Silent || o.Tag == 2 {
				t.Errorf("heard %+v", o)
			}
		}
		if err := try(4); err != nil {
			t.Errorf("behind it: %v", err)
		}
		<-closed
		if c := p.Counters(); c.PacketsSent != 3 || c.Silent != 2 {
			t.Errorf("counted %+v", c)
		}
	})
}

// All that arrived before the horizon has been received.
func TestHowFarTheQueueWasRead(t *testing.T) {
	const ms = time.Millisecond
	type looks struct {
		n     int           // so many looks
		every time.Duration // after so long each
		empty bool          // which find the queue empty
	}
	for _, tt := range []struct {
		name  string
		looks []looks
		want  time.Duration
	}{
		{"an empty queue", []looks{{3, 100 * ms, true}}, 300 * ms},
		{"a queue that is not empty", []looks{{3, 100 * ms, true}, {50, 10 * ms, false}}, 300 * ms},
		{"a process that was stopped for a day", []looks{{3, 100 * ms, true}, {50, 10 * ms, false}, {1, 24 * time.Hour, false}, {49, 10 * ms, false}}, 300 * ms},
		{"one that is stopped again and again", []looks{{3, 100 * ms, true}, {50, time.Hour, false}}, 300 * ms},
		{"a queue that is never empty", []looks{{3, 100 * ms, true}, {101, 10 * ms, false}}, 310 * ms},
		{"the same, for longer", []looks{{3, 100 * ms, true}, {202, 10 * ms, false}}, 1320 * ms},
		{"one that runs empty at last", []looks{{3, 100 * ms, true}, {150, 10 * ms, false}, {1, 10 * ms, true}}, 1810 * ms},
		{"and is not any more", []looks{{3, 100 * ms, true}, {150, 10 * ms, false}, {1, 10 * ms, true}, {100, 10 * ms, false}}, 1810 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p progress
			var now, drained, got time.Duration
			for _, l := range tt.looks {
				for range l.n {
					if now += l.every; l.empty {
						drained = now
					}
					got = p.horizon(drained, now)
				}
			}
			if got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
