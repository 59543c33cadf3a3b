package engine

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// drivable is a scripted socket that whoever sends can read.
type drivable struct{ *scripted }

func (d *drivable) ReceiveNow(replies []icmp.Reply) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := copy(replies, d.arrived)
	if d.arrived = d.arrived[n:]; len(d.arrived) == 0 {
		d.drained = time.Now()
	}
	return n, d.broken
}

func (d *drivable) Watch(on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unwatched = !on
	return nil
}

// driving runs a test in virtual time with an operation that drives.
func driving(t *testing.T, send func(w *scripted, r *icmp.Request) error, f func(t *testing.T, w *scripted, p *Pool, op *Op)) {
	synctest.Test(t, func(t *testing.T) {
		d := &drivable{newScripted(send)}
		p := poolOver(t, d, nil)
		defer p.Close()
		op := NewOp(OpConfig{Timeout: time.Second, Size: 56, Drives: true})
		defer op.Close()
		f(t, d.scripted, p, op)
	})
}

func burst(n int) []Probe {
	probes := make([]Probe, n)
	for i := range probes {
		probes[i] = Probe{Dst: target, TTL: 64, Tag: uint64(i)}
	}
	return probes
}

func reply(w *scripted, r *icmp.Request) error {
	w.arrive(r, icmp.V4EchoReply, target)
	return nil
}

// owner returns whose the right is, and whether the poller watches the socket.
func owner(w *scripted, p *Pool) (state int32, watched bool) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.engines[0].right.state.Load(), !w.unwatched
}

func TestWhoDrivesABurstReadsItsAnswersHimself(t *testing.T) {
	driving(t, reply, func(t *testing.T, w *scripted, p *Pool, op *Op) {
		for range 3 {
			if n, err := p.Send(t.Context(), op, burst(40)); n != 40 || err != nil {
				t.Fatal(n, err)
			}
			if all := op.Take(nil); len(all) != 40 {
				t.Errorf("%d of 40 are settled when Send returns", len(all))
			}
			if state, watched := owner(w, p); state != rightLent || watched {
				t.Errorf("the right is %d, watched: %v", state, watched)
			}
		}
	})
}

func TestARightThatIsNotUsedGoesBackToTheReader(t *testing.T) {
	for _, tt := range []struct {
		name  string
		leave func(op *Op)
	}{
		{"at once when it is given back", func(op *Op) { op.Rest() }},
		{"at the end of the operation", func(op *Op) { op.Close() }},
		{"by itself when the caller's code takes long", func(*Op) { time.Sleep(3 * lendFor) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			driving(t, reply, func(t *testing.T, w *scripted, p *Pool, op *Op) {
				for range 2 {
					if n, err := p.Send(t.Context(), op, burst(16)); n != 16 || err != nil {
						t.Fatal(n, err)
					}
				}
				tt.leave(op)
				if state, watched := owner(w, p); state != rightRead || !watched {
					t.Errorf("the right is %d, watched: %v", state, watched)
				}
				other := NewOp(OpConfig{Timeout: time.Second, Size: 56})
				defer other.Close()
				if n, err := p.Send(t.Context(), other, burst(1)); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				synctest.Wait()
				if all := other.Take(nil); len(all) != 1 || all[0].Fate != Replied {
					t.Errorf("another operation heard %+v", all)
				}
			})
		})
	}
}

// Another operation's probe leaves while somebody drives: its answer is his to
// read, or the reader's soon after.
func TestADriverThatIsElsewhereDeafensNobody(t *testing.T) {
	driving(t, reply, func(t *testing.T, w *scripted, p *Pool, op *Op) {
		if n, err := p.Send(t.Context(), op, burst(16)); n != 16 || err != nil {
			t.Fatal(n, err)
		}
		other := NewOp(OpConfig{Timeout: time.Second, Size: 56})
		defer other.Close()
		if n, err := p.Send(t.Context(), other, burst(1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		start := time.Now()
		if all := settled(t, other, 1); all[0].Fate != Replied {
			t.Errorf("heard %+v", all)
		}
		if waited := time.Since(start); waited > 3*lendFor {
			t.Errorf("it was told after %v", waited)
		}
	})
}

func TestSilenceIsToldThoughNobodySends(t *testing.T) {
	mute := func(*scripted, *icmp.Request) error { return nil }
	driving(t, mute, func(t *testing.T, w *scripted, p *Pool, op *Op) {
		start := time.Now()
		if n, err := p.Send(t.Context(), op, burst(100)); n != 100 || err != nil {
			t.Fatal(n, err)
		}
		for _, o := range settled(t, op, 100) {
			if o.Fate != Silent || o.Suspect {
				t.Errorf("heard %+v", o)
			}
		}
		if took := time.Since(start); took < time.Second || took > time.Second+10*time.Millisecond {
			t.Errorf("after %v", took)
		}
	})
}

func TestAPoolIsClosedWhileSomebodyDrives(t *testing.T) {
	driving(t, reply, func(t *testing.T, w *scripted, p *Pool, op *Op) {
		if n, err := p.Send(t.Context(), op, burst(16)); n != 16 || err != nil {
			t.Fatal(n, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Send(t.Context(), op, burst(16)); err == nil {
			t.Error("it sends")
		}
	})
}

// Whoever sends on one socket, in bursts or one by one, drives, rests and leaves as it
// comes: each probe has one fate, and in the end the reader has the right.
func TestTheRightChangesHands(t *testing.T) {
	for seed := range uint64(4) {
		sometimes := func(w *scripted, r *icmp.Request) error {
			if r.Sequence%5 > 0 {
				w.arrive(r, icmp.V4EchoReply, target)
			}
			return nil
		}
		driving(t, sometimes, func(t *testing.T, w *scripted, p *Pool, _ *Op) {
			var all sync.WaitGroup
			for i := range uint64(6) {
				rng := rand.New(rand.NewPCG(seed, i))
				all.Go(func() {
					op := NewOp(OpConfig{Timeout: 100 * time.Millisecond, Size: 56, Drives: i%3 > 0})
					defer op.Close()
					fates := map[uint64]int{}
					for round := range uint64(40) {
						probes := burst(1 + rng.IntN(40))
						for j := range probes {
							probes[j].Tag = round<<32 | uint64(j)
						}
						if n, err := p.Send(t.Context(), op, probes); n != len(probes) || err != nil {
							t.Error(n, err)
						}
						if rng.IntN(3) == 0 {
							op.Rest()
						}
						for range rng.IntN(3) {
							time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
						}
						for _, o := range settled(t, op, len(probes)) {
							fates[o.Tag]++
							if o.Fate == Silent && o.Suspect || o.Fate != Silent && o.Fate != Replied {
								t.Errorf("heard %+v", o)
							}
						}
					}
					for tag, n := range fates {
						if n != 1 {
							t.Errorf("probe %x has %d fates", tag, n)
						}
					}
				})
			}
			all.Wait()
			time.Sleep(3 * lendForMost)
			if state, watched := owner(w, p); state != rightRead || !watched {
				t.Errorf("the right is %d, watched: %v", state, watched)
			}
			if c := p.Counters(); c.PacketsSent != c.PacketsReceived+c.Silent {
				t.Errorf("the books do not balance: %+v", c)
			}
		})
	}
}
