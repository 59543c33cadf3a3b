package live

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/goicmp/icmplib"
)

// fakeWatch is a watching that a test controls.
type fakeWatch struct {
	began chan begun
	err   error // at once, if not nil
}

// begun is a call.
type begun struct {
	Subject
	opts  *icmplib.MonitorOptions
	ended <-chan struct{}
}

func (f *fakeWatch) watch(ctx context.Context, s Subject, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error] {
	return func(yield func(*icmplib.Snapshot, error) bool) {
		if f.err != nil {
			yield(nil, f.err)
			return
		}
		f.began <- begun{s, opts, ctx.Done()}
		if yield(&icmplib.Snapshot{Round: 1, Route: icmplib.Route{Address: somewhere}}, nil) {
			<-ctx.Done()
		}
	}
}

// onTerminal runs a view on what is no terminal, and lets a test press keys.
func onTerminal(ctx context.Context, f *fakeWatch, m *Model) (press func(string), wait func() error) {
	keyboard, keys := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, m, Terminal{
			In:      keyboard,
			Out:     io.Discard,
			Environ: []string{"TERM=xterm"},
			Watch:   f.watch,
			Options: func(s Settings) *icmplib.MonitorOptions {
				return &icmplib.MonitorOptions{Family: s.Family, Packet: icmplib.Packet{Protocol: s.Protocol}}
			},
		})
	}()
	wait = func() error {
		err := <-done
		keyboard.Close()
		return err
	}
	press = func(key string) { _, _ = io.WriteString(keys, key) }
	return press, wait
}

func TestKeysOfTheTerminalReachTheWatching(t *testing.T) {
	f := &fakeWatch{began: make(chan begun)}
	m := New(Config{Targets: []string{"a.example"}, Interval: "1s"})
	press, wait := onTerminal(t.Context(), f, m)

	first := <-f.began
	if first.Name != "a.example" || first.opts.Packet.Protocol != icmplib.ICMP {
		t.Errorf("it began with %s and %v", first.Subject, first.opts.Packet.Protocol)
	}
	press("u") // which asks, once anything was measured
	press("y")
	<-first.ended
	second := <-f.began
	if second.opts.Packet.Protocol != icmplib.UDP {
		t.Errorf("after u it probes with %v", second.opts.Packet.Protocol)
	}
	press("q")
	if err := wait(); err != nil {
		t.Error(err)
	}
	<-second.ended
}

func TestAViewEndsWithItsContext(t *testing.T) {
	f := &fakeWatch{began: make(chan begun)}
	m := New(Config{Targets: []string{"a.example", "b.example"}, Interval: "1s"})
	ctx, cancel := context.WithCancel(t.Context())
	_, wait := onTerminal(ctx, f, m)
	one, two := <-f.began, <-f.began
	cancel()
	if err := wait(); err != nil {
		t.Error(err)
	}
	<-one.ended
	<-two.ended
}

func TestAViewOfNothingButErrorsEnds(t *testing.T) {
	f := &fakeWatch{err: errors.New("no permission")}
	m := New(Config{Targets: []string{"a.example", "b.example"}, Interval: "1s"})
	_, wait := onTerminal(t.Context(), f, m)
	if err := wait(); err != nil {
		t.Error(err)
	}
	for i := range 2 {
		if o := m.Outcome(i); o.Err != f.err {
			t.Errorf("target %d ended with %v", i, o.Err)
		}
	}
}
