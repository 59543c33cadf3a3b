package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const oneName = "resolve_interval: 1m\ntargets: [{hosts: [h.example]}]"

func TestAddressesAreProbedWhileTheNameHasThem(t *testing.T) {
	gone := fmt.Errorf("look-up: %w", &net.DNSError{Err: "no such host", IsNotFound: true})
	failed := fmt.Errorf("look-up: %w", &net.DNSError{Err: "server misbehaving", IsTemporary: true})
	for _, tt := range []struct {
		name, config string
		then         any      // what the name is after the first minute
		want         []string // which addresses are probed then
		errors       bool     // whether look-ups had failed, 30 s later
	}{
		{"it stays as it is", oneName, addrs("192.0.2.1", "192.0.2.2"), []string{"192.0.2.1", "192.0.2.2"}, false},
		{"in another order", oneName, addrs("192.0.2.2", "192.0.2.1"), []string{"192.0.2.1", "192.0.2.2"}, false},
		{"one comes", oneName, addrs("192.0.2.1", "192.0.2.2", "198.51.100.3"), []string{"192.0.2.1", "192.0.2.2", "198.51.100.3"}, false},
		{"one goes", oneName, addrs("192.0.2.2"), []string{"192.0.2.2"}, false},
		{"all go, and another comes", oneName, addrs("192.0.2.9"), []string{"192.0.2.9"}, false},
		{"the name is gone", oneName, gone, nil, true},
		{"nobody answers", oneName, failed, []string{"192.0.2.1", "192.0.2.2"}, true},
		{"the first stays", oneName + "\ndefaults: {addresses: first}", addrs("192.0.2.2", "192.0.2.1"), []string{"192.0.2.1"}, false},
		{"the first goes", oneName + "\ndefaults: {addresses: first}", addrs("192.0.2.2", "192.0.2.3"), []string{"192.0.2.2"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTestWorld(t, answering)
				w.names.set("h.example", addrs("192.0.2.1", "192.0.2.2"))
				w.use(tt.config)
				defer w.close()
				time.Sleep(30 * time.Second)
				w.names.set("h.example", tt.then)
				time.Sleep(time.Minute - 5*time.Second) // 25 s after the second look-up
				w.probed()
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := w.probed(); !slices.Equal(got, tt.want) {
					t.Errorf("probed are %q, want %q", got, tt.want)
				}
				for _, metric := range []string{"icmp_up", "icmp_probes_sent_total", "icmp_probes_lost_total"} {
					if got := slices.Sorted(maps.Keys(w.figures(metric, "address"))); !slices.Equal(got, tt.want) {
						t.Errorf("%s is of %q, want %q", metric, got, tt.want)
					}
				}
				if got := w.figures("icmp_target_addresses", "target")["h.example"]; got != float64(len(tt.want)) {
					t.Errorf("the target has %v addresses, want %d", got, len(tt.want))
				}
				if got := w.figures("icmp_resolve_errors_total", "target")["h.example"]; (got > 0) != tt.errors {
					t.Errorf("%v look-ups failed, want some: %v", got, tt.errors)
				}
			})
		})
	}
}

func TestANameThatIsNotResolvedAtTheStartIsTriedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.names.set("h.example", errors.New("nobody answers"))
		w.use(oneName)
		defer w.close()
		synctest.Wait()
		if got := w.figures("icmp_resolve_errors_total", "target")["h.example"]; got != 1 {
			t.Errorf("%v look-ups failed, want 1", got)
		}
		w.names.set("h.example", addrs("192.0.2.1"))
		time.Sleep(10*time.Second + 2*time.Second)
		if got := w.probed(); !slices.Equal(got, []string{"192.0.2.1"}) {
			t.Errorf("probed are %q", got)
		}
	})
}

func TestAnAddressIsLookedUpOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.use("targets: [{hosts: [192.0.2.1]}]")
		defer w.close()
		time.Sleep(time.Hour)
		synctest.Wait()
		if w.names.asked != 0 {
			t.Errorf("names were asked for %d times", w.names.asked)
		}
		if got := w.figures("icmp_probes_sent_total", "address")["192.0.2.1"]; got < 3599 || got > 3600 {
			t.Errorf("%v probes were sent in an hour, want one a second", got)
		}
	})
}

// A host that is probed as IPv4 and as IPv6 is told apart by its addresses, and where
// there is none by the family.
func TestAHostIsProbedAsBothFamilies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, answering)
		w.names.takes = 3 * time.Millisecond
		w.names.set("h.example", addrs("192.0.2.1", "2001:db8::1"))
		w.names.set("four.example", addrs("192.0.2.4"))
		w.use("targets: [{hosts: [h.example, four.example], family: both}]")
		defer w.close()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := slices.Sorted(maps.Keys(w.figures("icmp_up", "address"))); !slices.Equal(got, []string{"192.0.2.1", "192.0.2.4", "2001:db8::1"}) {
			t.Errorf("probed are %q", got)
		}
		if got := w.figures("icmp_target_addresses", "family"); got["ipv4"] != 2 || got["ipv6"] != 1 {
			t.Errorf("addresses by family: %v", got)
		}
		if got := w.figures("icmp_resolve_duration_seconds", "family"); got["ipv4"] != 0.006 || got["ipv6"] != 0.006 {
			t.Errorf("it took %v s", got)
		}
	})
}

// A firewall that has pinned a bad session to an id is got around.
func TestAnotherIDIsTakenAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWorld(t, `
			client 203.0.113.9
			node h 192.0.2.1 deaf@all
			path 192.0.2.0/24 h
		`)
		w.use("defaults: {timeout: 500ms, new_id_after: 5}\ntargets: [{hosts: [192.0.2.1]}, {hosts: [192.0.2.2], new_id_after: 0}]")
		defer w.close()
		time.Sleep(17 * time.Second)
		synctest.Wait()
		if got := w.figures("icmp_new_ids_total", "address"); got["192.0.2.1"] != 2 || got["192.0.2.2"] != 0 || len(got) != 2 {
			t.Errorf("other ids were taken %v times, want 2 and 0", got)
		}
	})
}
