package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
		{"there is a label", before + "  labels: {site: x}\n", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, true},
		{"the Prober changes", before + "prober: {rate: 100}\n", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, true},
		{"the buckets change", before + "classic_buckets: [1]\n", nil, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeWorld()
				w.use(t, before)
				defer w.close()
				const first = 100
				time.Sleep(first * time.Second)
				w.use(t, tt.after)
				if anew := len(w.probers) == 2; anew != tt.anew || w.probers[0].closed != tt.anew {
					t.Errorf("there is another Prober: %v; the first is closed: %v", anew, w.probers[0].closed)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				var goOn, begin []string
				for addr, n := range w.figures(t, "icmp_probes_sent_total", "address") {
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
		w := newFakeWorld()
		w.names.set("h.example", addrs("192.0.2.1", "2001:db8::1"))
		w.use(t, "targets: [{hosts: [h.example, 192.0.2.2]}]")
		time.Sleep(time.Second)
		w.close()
		if !w.prober().closed {
			t.Error("the Prober is open")
		}
	})
}

func TestTheProbersOwnCountersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld()
		w.use(t, "targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		for name, want := range map[string]float64{"icmp_prober_sent_total": 7, "icmp_prober_dropped_total": 3, "icmp_prober_late_total": 0} {
			if got, ok := w.figures(t, name, "")[""]; !ok || got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	})
}
