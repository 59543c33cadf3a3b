package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
)

func TestThePortPrintsWhatTheProgramDid(t *testing.T) {
	for _, tt := range []struct{ name, faults, want string }{
		{"all is well", "", `
198.51.100.7 seq=0 ttl=64 20ms
198.51.100.7 seq=1 ttl=64 20ms
198.51.100.7 seq=2 ttl=64 20ms
198.51.100.7 seq=3 ttl=64 20ms
198.51.100.7 seq=4 ttl=64 20ms
5 sent, 5 received, 0 % lost, 20ms on average
`},
		{"one is lost and one comes twice", "lose@2 duplicate@4", `
198.51.100.7 seq=0 ttl=64 20ms
198.51.100.7 seq=2 ttl=64 20ms
198.51.100.7 seq=3 ttl=64 20ms
198.51.100.7 seq=3 again
198.51.100.7 seq=4 ttl=64 20ms
5 sent, 4 received, 20 % lost, 20ms on average
`},
		{"nobody is there", "lose@1-", "\n5 sent, 0 received, 100 % lost, 0s on average\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := icmptest.NewProber(t, "client 192.0.2.1\nnode web 198.51.100.7 delay=10ms "+tt.faults+"\npath 198.51.100.7/32 web", nil)
				var out strings.Builder
				if err := ping(p, "web", &out); err != nil {
					t.Fatal(err)
				}
				if got := "\n" + out.String(); got != tt.want {
					t.Errorf("got%s, want%s", got, tt.want)
				}
				if err := ping(p, "nobody", &out); !errors.Is(err, icmplib.ErrNameLookup) {
					t.Errorf("a name that there is not: %v", err)
				}
			})
		})
	}
}
