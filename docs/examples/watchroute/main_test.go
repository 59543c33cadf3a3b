package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
)

// reported is what report says of ten minutes in a network, in virtual time.
func reported(t *testing.T, network string) (said string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := icmptest.NewProber(t, network, nil)
		var out strings.Builder
		if err := report(t.Context(), p, "web", &icmplib.MonitorOptions{Rounds: 600}, &out); err != nil {
			t.Error(err)
		}
		said = out.String()
	})
	return said
}

func TestAnOutageOf90sIsReportedAsThat(t *testing.T) {
	got := reported(t, `
client 192.0.2.1
node r1   203.0.113.1  delay=2ms
node up   203.0.113.2  delay=5ms
node down 203.0.113.3  lose
node web  198.51.100.7 delay=8ms
path 198.51.100.7/32 r1 time:60s,150s( up | down | up ) web
`)
	if want := "no answer since 00:01:00\nan answer again, after 1m30s\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestARouteChangeIsReportedOnce(t *testing.T) {
	got := reported(t, `
client 192.0.2.1
node r1  203.0.113.1  delay=2ms
node old 203.0.113.2  delay=5ms
node new 203.0.113.3  delay=9ms
node web 198.51.100.7 delay=8ms
path 198.51.100.7/32 r1 time:5m( old | new ) web
`)
	if want := "hop 2: 203.0.113.3 instead of 203.0.113.2\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
