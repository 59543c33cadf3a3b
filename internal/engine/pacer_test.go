package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPacerSpreadsWhatItLetsPass(t *testing.T) {
	start := time.Unix(100, 0)
	p := NewPacer(1000)
	for i, tt := range []struct {
		ask  time.Duration // since the start
		n    int
		want time.Duration // of the first place
	}{
		{0, 1, -2 * time.Millisecond}, // a fresh one has made up a burst
		{0, 1, -1 * time.Millisecond},
		{0, 3, 0},
		{0, 1, 3 * time.Millisecond},
		{10 * time.Millisecond, 1, 8 * time.Millisecond}, // of a pause no more than a burst
		{time.Second, 1, 998 * time.Millisecond},
	} {
		if got := p.Reserve(start.Add(tt.ask), tt.n).Sub(start); got != tt.want {
			t.Errorf("reservation %d is at %v, want %v", i, got, tt.want)
		}
	}
	p.GiveBack(1)
	if got := p.Reserve(start.Add(time.Second), 1).Sub(start); got != 998*time.Millisecond {
		t.Errorf("a place that was given back is at %v", got)
	}
}

func TestAPacerSaysHowManyLeaveTogether(t *testing.T) {
	for _, tt := range []struct{ rate, n, want int }{
		{0, 100, 100}, {1, 100, 1}, {499, 100, 1}, {1000, 100, 2}, {10_000, 100, 20}, {10_000, 7, 7}, {10_000, 20, 20},
	} {
		if got := NewPacer(tt.rate).Batch(tt.n); got != tt.want {
			t.Errorf("at %d/s %d of %d leave together, want %d", tt.rate, got, tt.n, tt.want)
		}
	}
	now := time.Unix(1, 0)
	if at := NewPacer(0).Reserve(now, 1000); !at.Equal(now) {
		t.Errorf("without a rate it is %v", at.Sub(now))
	}
}

func TestPlacesOfThoseWhoGiveUpGoToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(10)
		if err := NewPacer(0).Wait(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		p.Reserve(time.Now(), 1) // what a fresh one has made up
		start := time.Now()
		cause := errors.New("not needed any more")
		ctx, cancel := context.WithCancelCause(t.Context())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if err := p.Wait(ctx, 100); !errors.Is(err, cause) {
					t.Errorf("it ends with %v", err)
				}
			})
		}
		time.Sleep(time.Second + 50*time.Millisecond)
		cancel(cause)
		all.Wait()
		if err := p.Wait(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited > 1200*time.Millisecond {
			t.Errorf("the next one waits until %v", waited)
		}
		start = time.Now()
		if err := p.Wait(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited < 250*time.Millisecond || waited > 300*time.Millisecond {
			t.Errorf("three take %v", waited)
		}
	})
}
