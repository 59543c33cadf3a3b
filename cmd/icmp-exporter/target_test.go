package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
)

const oneName = "resolve_interval: 1m\ntargets: [{hosts: [h.example]}]"

func TestAddressesAreProbedWhileTheNameHasThem(t *testing.T) {
	gone := fmt.Errorf("look-up: %w", &net.DNSError{Err: "no such host", IsNotFound: true})
	failed := fmt.Errorf("look-up: %w", &net.DNSError{Err: "server misbehaving", IsTemporary: true})
	for _, tt := range []struct {
		name, config string
		then         any      // what the name is after the first minute
		want         []string // which addresses are probed then
		errors       float64  // how many look-ups had failed, 30 s later
	}{
		{"it stays as it is", oneName, addrs("192.0.2.1", "192.0.2.2"), []string{"192.0.2.1", "192.0.2.2"}, 0},
		{"in another order", oneName, addrs("192.0.2.2", "192.0.2.1"), []string{"192.0.2.1", "192.0.2.2"}, 0},
		{"one comes", oneName, addrs("192.0.2.1", "192.0.2.2", "2001:db8::3"), []string{"192.0.2.1", "192.0.2.2", "2001:db8::3"}, 0},
		{"one goes", oneName, addrs("192.0.2.2"), []string{"192.0.2.2"}, 0},
		{"all go, and another comes", oneName, addrs("192.0.2.9"), []string{"192.0.2.9"}, 0},
		{"the name is gone", oneName, gone, nil, 3},
		{"nobody answers", oneName, failed, []string{"192.0.2.1", "192.0.2.2"}, 3},
		{"the first stays", oneName + "\ndefaults: {addresses: first}", addrs("192.0.2.2", "192.0.2.1"), []string{"192.0.2.1"}, 0},
		{"the first goes", oneName + "\ndefaults: {addresses: first}", addrs("192.0.2.2", "192.0.2.3"), []string{"192.0.2.2"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newFakeWorld()
				w.names.set("h.example", addrs("192.0.2.1", "192.0.2.2"))
				w.use(t, tt.config)
				defer w.close()
				time.Sleep(30 * time.Second)
				w.names.set("h.example", tt.then)
				time.Sleep(time.Minute - 5*time.Second) // 25 s after the second look-up
				w.prober().probed()
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := w.prober().probed(); !slices.Equal(got, tt.want) {
					t.Errorf("probed are %q, want %q", got, tt.want)
				}
				for _, metric := range []string{"icmp_up", "icmp_probes_sent_total", "icmp_probes_lost_total"} {
					if got := slices.Sorted(maps.Keys(w.figures(t, metric, "address"))); !slices.Equal(got, tt.want) {
						t.Errorf("%s is of %q, want %q", metric, got, tt.want)
					}
				}
				if got := w.figures(t, "icmp_target_addresses", "target")["h.example"]; got != float64(len(tt.want)) {
					t.Errorf("the target has %v addresses, want %d", got, len(tt.want))
				}
				if got := w.figures(t, "icmp_resolve_errors_total", "target")["h.example"]; got != tt.errors {
					t.Errorf("%v look-ups failed, want %v", got, tt.errors)
				}
			})
		})
	}
}

func TestANameThatIsNotResolvedAtTheStartIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld()
		w.names.set("h.example", errors.New("nobody answers"))
		w.use(t, oneName)
		defer w.close()
		synctest.Wait()
		if got := w.figures(t, "icmp_resolve_errors_total", "target")["h.example"]; got != 1 {
			t.Errorf("%v look-ups failed, want 1", got)
		}
		w.names.set("h.example", addrs("192.0.2.1"))
		time.Sleep(restartPause + 2*time.Second)
		if got := w.prober().probed(); !slices.Equal(got, []string{"192.0.2.1"}) {
			t.Errorf("probed are %q", got)
		}
	})
}

func TestAnAddressIsLookedUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld()
		w.use(t, "targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.names.asked != 0 {
			t.Errorf("names were asked for %d times", w.names.asked)
		}
		if got := w.figures(t, "icmp_probes_sent_total", "address")["192.0.2.1"]; got < 3599 || got > 3600 {
			t.Errorf("%v probes were sent in an hour, want one a second", got)
		}
	})
}

func TestTargetsAreSpreadOverTheirInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hosts = 1000
		text := "defaults: {interval: 10s}\ntargets:\n- hosts:\n"
		for i := range hosts {
			text += fmt.Sprintf("  - 192.0.%d.%d\n", i/250, i%250)
		}
		w := newFakeWorld()
		begun := time.Now()
		w.use(t, text)
		defer w.close()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var perSecond [10]int
		for i := range hosts {
			at := w.prober().requests(fmt.Sprintf("192.0.%d.%d", i/250, i%250))
			if len(at) == 0 {
				t.Fatalf("host %d was not probed within its interval", i)
			}
			perSecond[min(at[0].Sub(begun)/time.Second, 9)]++
		}
		for second, n := range perSecond {
			if n < hosts/20 || n > hosts/5 {
				t.Errorf("%d hosts are probed first in second %d, want about %d", n, second, hosts/10)
			}
		}
	})
}

func TestAProbingThatBreaksOffBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFakeWorld()
		w.use(t, "targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		w.prober().breaks("192.0.2.1", errBroken)
		time.Sleep(2 * restartPause)
		synctest.Wait()
		if got := w.figures(t, "icmp_probing_failures_total", "address")["192.0.2.1"]; got != 2 {
			t.Errorf("it broke off %v times, want 2", got)
		}
		if got := w.figures(t, "icmp_up", "address"); got["192.0.2.1"] != 0 || len(got) != 1 {
			t.Errorf("up is %v, want 0", got)
		}
		w.prober().breaks("192.0.2.1", nil)
		time.Sleep(restartPause + time.Second)
		synctest.Wait()
		if got := w.figures(t, "icmp_up", "address"); got["192.0.2.1"] != 1 {
			t.Errorf("up is %v, want 1", got)
		}
	})
}

// The first answer decides the family, by the routes that there are then; it changes
// only where the name has no address of it any more.
func TestTheFamilyOfANameIsKept(t *testing.T) {
	four, six := []netip.Addr{netip.MustParseAddr("192.0.2.7")}, []netip.Addr{netip.MustParseAddr("2001:db8::7")}
	names := &fakeNames{names: map[string]any{}}
	k := familyKeeper{lookup: names.lookup}
	for i, step := range []struct {
		any, four, six []netip.Addr
		want           []netip.Addr
	}{
		{four, four, six, four},
		{six, four, six, four}, // the IPv4 route is lost
		{six, nil, six, six},   // the name has no IPv4 address any more
		{four, four, six, six},
	} {
		names.set("both.test", map[icmplib.Family][]netip.Addr{icmplib.AnyFamily: step.any, icmplib.IPv4: step.four, icmplib.IPv6: step.six})
		if got, err := k.resolve(t.Context(), "both.test", icmplib.AnyFamily); err != nil || !slices.Equal(got, step.want) {
			t.Errorf("answer %d: %v, %v, want %v", i, got, err, step.want)
		}
	}
	if got, err := k.resolve(t.Context(), "both.test", icmplib.IPv4); err != nil || !slices.Equal(got, four) {
		t.Errorf("of a family that was asked for: %v, %v", got, err)
	}
}
