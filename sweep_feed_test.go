package icmplib

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"testing"
)

// overTargets is the operations that take an iterator of targets, as what they yield
// or return.
var overTargets = map[string]func(ctx context.Context, p *Prober, targets iter.Seq[string], each func(string) bool) error{
	"MultiPingSeq": func(ctx context.Context, p *Prober, targets iter.Seq[string], each func(string) bool) error {
		for h, err := range p.MultiPingSeq(ctx, targets, &MultiPingOptions{Count: 1}) {
			if err != nil {
				return err
			}
			if !each(h.Name) {
				break
			}
		}
		return nil
	},
	"MultiTracerouteSeq": func(ctx context.Context, p *Prober, targets iter.Seq[string], each func(string) bool) error {
		for r, err := range p.MultiTracerouteSeq(ctx, targets, &MultiTracerouteOptions{Count: 1}) {
			if err != nil {
				return err
			}
			if !each(r.Name) {
				break
			}
		}
		return nil
	},
}

// eachOverTargets runs f for each of the operations.
func eachOverTargets(t *testing.T, f func(t *testing.T, names []string, do func(targets iter.Seq[string], each func(string) bool) error)) {
	for name, do := range overTargets {
		t.Run(name, func(t *testing.T) {
			n := small()
			inTree(t, n, nil, func(t *testing.T, p *Prober) {
				names := []string{n.Target(0, false).String(), n.Target(1, false).String(), n.Target(2, false).String()}
				f(t, names, func(targets iter.Seq[string], each func(string) bool) error {
					return do(t.Context(), p, targets, each)
				})
			})
		})
	}
}

// recovered returns what f panics with.
func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

func TestAPanicOfTheTargetsIsOneOfTheCaller(t *testing.T) {
	type trouble struct{ what string }
	want := trouble{"in the iterator"}
	for _, drawn := range []int{0, 1, 3} {
		eachOverTargets(t, func(t *testing.T, names []string, do func(iter.Seq[string], func(string) bool) error) {
			value := recovered(func() {
				err := do(func(yield func(string) bool) {
					for _, name := range names[:drawn] {
						yield(name)
					}
					panic(want)
				}, func(string) bool { return true })
				t.Errorf("it returns %v", err)
			})
			if value != want {
				t.Errorf("after %d targets the caller recovers %v, want %v", drawn, value, want)
			}
		})
	}
}

// An iterator that panics as it is told to stop does so in the caller's goroutine, too.
func TestAPanicOfTheTargetsThatAreStopped(t *testing.T) {
	eachOverTargets(t, func(t *testing.T, names []string, do func(iter.Seq[string], func(string) bool) error) {
		value := recovered(func() {
			_ = do(func(yield func(string) bool) {
				for yield(names[0]) {
				}
				panic("stopped")
			}, func(string) bool { return false })
		})
		if value != "stopped" {
			t.Errorf("the caller recovers %v", value)
		}
	})
}

// An iterator that ends its goroutine ends the targets: those before are probed.
func TestTargetsThatEndTheirGoroutine(t *testing.T) {
	eachOverTargets(t, func(t *testing.T, names []string, do func(iter.Seq[string], func(string) bool) error) {
		var got []string
		err := do(func(yield func(string) bool) {
			yield(names[0])
			yield(names[1])
			runtime.Goexit()
		}, func(name string) bool { got = append(got, name); return true })
		slices.Sort(got)
		if err != nil || !slices.Equal(got, slices.Sorted(slices.Values(names[:2]))) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestNoTargetsAtAllAreRefused(t *testing.T) {
	eachOverTargets(t, func(t *testing.T, _ []string, do func(iter.Seq[string], func(string) bool) error) {
		err := do(nil, func(string) bool { return true })
		if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != "targets" {
			t.Errorf("a nil iterator gives %v", err)
		}
		if err := do(slices.Values([]string(nil)), func(string) bool { return true }); err != nil {
			t.Errorf("an empty one gives %v", err)
		}
	})
}
