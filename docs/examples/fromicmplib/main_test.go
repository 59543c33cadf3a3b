package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/icmptest"
)

const network = `
client 192.0.2.1
node r1 203.0.113.1 delay=5ms
node r2 203.0.113.2 delay=5ms silent
node r3 203.0.113.3 delay=5ms
node web 198.51.100.7 delay=10ms lose@2
node down 198.51.100.8 lose@1-
path 198.51.100.7/32 r1 web
path 198.51.100.8/32 r1 r2 r3 down
`

func TestThePortPrintsWhatTheScriptDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := report(t.Context(), icmptest.NewProber(t, network, nil), []string{"web", "down", "no..name"}, &out); err != nil {
			t.Fatal(err)
		}
		want := `198.51.100.7: 30ms, 33 % lost
198.51.100.8 is down
   1 203.0.113.1 10ms
   3 203.0.113.3 30ms
no..name: `
		if got, _, _ := strings.Cut(out.String(), "cannot"); got != want {
			t.Errorf("got\n%s, want\n%s", &out, want)
		}
	})
}
