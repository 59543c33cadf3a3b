package icmplib

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A body that takes 5 s: requests leave at their interval as long as there is room for
// results, and then when the body takes one. None is lost.
func TestRequestsLeaveWhileThereIsRoomForResults(t *testing.T) {
	for _, tt := range []struct {
		buffer int
		left   []int // when, in s
	}{
		{10, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{2, []int{0, 1, 2, 5, 10, 15, 20, 25}},
		{1, []int{0, 1, 5, 10, 15, 20, 25, 30}},
		{0, []int{0, 5, 10, 15, 20, 25, 30, 35}},
	} {
		inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
			start := time.Now()
			var left []int
			for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: len(tt.left), Buffer: tt.buffer}) {
				if err != nil || r.Seq != len(left) || r.Status != StatusReply || r.RTT != 40*time.Millisecond {
					t.Fatalf("result %d is %v, %v", len(left), r, err)
				}
				left = append(left, int(r.Sent.Sub(start)/time.Second))
				time.Sleep(5 * time.Second)
			}
			if !slices.Equal(left, tt.left) {
				t.Errorf("with room for %d, requests left after %v s, want %v", tt.buffer, left, tt.left)
			}
		})
	}
}

// However a loop with a buffer ends, nothing of the ping runs any more.
func TestAPingWithABufferEndsWithItsLoop(t *testing.T) {
	opts := &PingOptions{Count: -1, Buffer: 3}
	for name, loop := range map[string]func(t *testing.T, p *Prober){
		"left": func(t *testing.T, p *Prober) {
			for range p.PingSeq(t.Context(), simTarget, opts) {
				break
			}
		},
		"left when full": func(t *testing.T, p *Prober) {
			for range p.PingSeq(t.Context(), simTarget, opts) {
				time.Sleep(time.Minute)
				break
			}
		},
		"a panic": func(t *testing.T, p *Prober) {
			defer func() {
				if recover() != "the body" {
					t.Error("the panic of the body did not come through")
				}
			}()
			for range p.PingSeq(t.Context(), simTarget, opts) {
				panic("the body")
			}
		},
		"its goroutine ends": func(t *testing.T, p *Prober) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range p.PingSeq(t.Context(), simTarget, opts) {
					runtime.Goexit()
				}
			}()
			<-done
		},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				loop(t, p)
				sent := p.Counters().PacketsSent
				time.Sleep(10 * time.Second)
				if n := p.Counters().PacketsSent; n != sent || n == 0 {
					t.Errorf("%d requests were sent, and %d more later", sent, n-sent)
				}
			})
		})
	}
}

// What waits when ctx ends or the Prober is closed is yielded, and then why it ended.
func TestWhatWaitsInTheBufferIsYieldedBeforeTheEnd(t *testing.T) {
	why := errors.New("enough")
	for name, tt := range map[string]struct {
		end  func(cancel context.CancelCauseFunc, p *Prober)
		want error
	}{
		"ctx":   {func(cancel context.CancelCauseFunc, _ *Prober) { cancel(why) }, why},
		"Close": {func(_ context.CancelCauseFunc, p *Prober) { p.Close() }, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, "lose@3", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(3500*time.Millisecond, func() { tt.end(cancel, p) })
				var last error
				got := map[int]Status{}
				for r, err := range p.PingSeq(ctx, simTarget, &PingOptions{Count: -1, Buffer: 10}) {
					if last = err; err != nil {
						continue
					}
					if _, twice := got[r.Seq]; twice {
						t.Errorf("request %d has two results", r.Seq)
					}
					got[r.Seq] = r.Status
					if r.Seq == 0 {
						time.Sleep(time.Minute)
					}
				}
				if last != tt.want || len(got) != 4 || got[1] != StatusReply || got[3] != StatusReply || got[2] != StatusUnsettled {
					t.Errorf("%v, and then %v", got, last)
				}
			})
		})
	}
}

func TestABufferThatCannotBeIsRefused(t *testing.T) {
	for _, n := range []int{-1, maxPingBuffer + 1} {
		for _, err := range new(Prober).PingSeq(t.Context(), simTarget, &PingOptions{Buffer: n}) {
			if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != "Buffer" {
				t.Errorf("room for %d: %v", n, err)
			}
		}
	}
}
