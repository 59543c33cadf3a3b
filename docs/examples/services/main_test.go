package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/icmptest"
)

func TestOnlyTheServicesThatThereAreAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := icmptest.NewProber(t, `
			client 192.0.2.1
			node r1 203.0.113.1 delay=5ms
			node web 198.51.100.7 delay=10ms quic=443 dns=53 udp=123
			path 198.51.100.7/32 r1 web
		`, nil)
		var out strings.Builder
		if err := ask(t.Context(), p, "web", &out); err != nil {
			t.Fatal(err)
		}
		want := "dns answers at distance 2 in 30ms\nntp: gap\nquic answers at distance 2 in 30ms\n"
		if out.String() != want {
			t.Errorf("got\n%s, want\n%s", &out, want)
		}
	})
}
