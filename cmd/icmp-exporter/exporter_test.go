package main

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
)

func TestAReloadTouchesOnlyWhatChanged(t *testing.T) {
	const before = "targets:\n- hosts: [192.0.2.1, 192.0.2.2]\n- hosts: [192.0.2.3]\n"
	for _, tt := range []struct {
		name, after string
		goOn        []string // addresses whose counters go on
		begin       []string // addresses whose counters begin at 0
		anew        bool     // whether it takes another Prober
	}{
		{"nothing changed", before, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, nil, false},
		{"one goes", "targets:\n- hosts: [192.0.2.1]\n- hosts: [192.0.2.3]\n", []string{"192.0.2.1", "192.0.2.3"}, nil, false},
		{"one comes", before + "- hosts: [192.0.2.4]\n", []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, []string{"192.0.2.4"}, false},
		{"one changes", before + "  interval: 2s\n", []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.3"}, false},
		{"there is a label", before + "  labels: {site: x}\n", []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.3"}, false},
		{"the default is said", before + "  timeout: 2s\n", []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, nil, false},
		{"the Prober changes", before + "prober: {rate: 100}\n", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, true},
		{"the buckets change", before + "classic_buckets: [1]\n", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestWorld(t, answering)
				w.use(before)
				defer w.close()
				const first = 100
				time.Sleep(first * time.Second)
				w.use(tt.after)
				if anew := len(w.probers) == 2; anew != tt.anew || w.isClosed(0) != tt.anew {
					t.Errorf("there is another Prober: %v; the first is closed: %v", anew, w.isClosed(0))
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				var goOn, begin []string
				for addr, n := range w.figures("icmp_probes_sent_total", "address") {
					if n > first {
						goOn = append(goOn, addr)
					} else {
						begin = append(begin, addr)
					}
				}
				slices.Sort(goOn)
				slices.Sort(begin)
				if !slices.Equal(goOn, tt.goOn) || !slices.Equal(begin, tt.begin) {
					t.Errorf("%q went on and %q began, want %q and %q", goOn, begin, tt.goOn, tt.begin)
				}
			})
		})
	}
}

func TestTheEndLeavesNothingRunning(t *testing.T) {
	// A goroutine that is left is an error of the bubble.
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.names.set("h.example", addrs("192.0.2.1", "2001:db8::1"))
		w.use("targets: [{hosts: [h.example, 192.0.2.2]}]")
		time.Sleep(time.Second)
		w.close()
		if !w.isClosed(0) {
			t.Error("the Prober is open")
		}
	})
}

func TestTheProbersOwnCountersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.use("targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for name, want := range map[string]float64{"icmp_prober_sent_total": 10, "icmp_prober_received_total": 10, "icmp_prober_late_total": 0} {
			if got, ok := w.figures(name, "")[""]; !ok || got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	})
}

// A reload changes nothing where it fails.
func TestAReloadThatFailsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.use("targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		open := w.open
		w.open = func(*icmplib.Config) (*icmplib.Prober, error) { return nil, errors.New("no more sockets") }
		if err := w.apply(mustSettings(t, "prober: {rate: 9}\ntargets: [{hosts: [192.0.2.2]}]")); err == nil {
			t.Fatal("it is accepted")
		}
		w.open = open
		time.Sleep(2 * time.Second)
		if got := w.probed(); !slices.Equal(got, []string{"192.0.2.1"}) {
			t.Errorf("probed are %q", got)
		}
	})
}
