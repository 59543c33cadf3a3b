package icmplib

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// shortQuotePath is a random path of routers of which some quote 8 bytes, some are
// silent, and some are so at first.
func shortQuotePath(seed uint64) (network string, hops int) {
	r := rand.New(rand.NewPCG(seed, 792))
	words := []string{"quote=8", "quote=8 silent@1", "quote=8 silent@2", "silent", ""}
	var nodes, path strings.Builder
	hops = 2 + r.IntN(3)
	for i := range hops - 1 {
		fmt.Fprintf(&nodes, "node r%d 10.0.%d.1 delay=5ms %s\n", i+1, i+1, words[r.IntN(len(words))])
		fmt.Fprintf(&path, " r%d", i+1)
	}
	target := []string{"", "quote=8", "silent"}[r.IntN(3)]
	return fmt.Sprintf("client 192.0.2.1\n%snode t 10.0.9.9 delay=5ms %s\npath 10.0.9.0/24%s t\n", &nodes, target, &path), hops
}

// Where answers do not say which probe they are to, a trace among many comes to
// its end as a single one does, and finds nobody who is not there.
func TestManyTracesEndWhereQuotesAreShort(t *testing.T) {
	for seed := range uint64(300) {
		network, hops := shortQuotePath(seed)
		opts := MultiTracerouteOptions{
			Packet: Packet{Protocol: UDP}, MaxHops: hops + int(seed%2), Count: 1 + int(seed/2%2), Fast: seed/4%2 == 0, Timeout: time.Second,
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(network), true)
				defer p.Close()
				routes, err := p.MultiTraceroute(t.Context(), []string{"10.0.9.9"}, &opts)
				if err != nil || routes[0].Err != nil {
					t.Fatal(err, routes[0].Err)
				}
				for i := range routes[0].Hops {
					h := &routes[0].Hops[i]
					checkInvariants(t, &h.Stats)
					want := fmt.Sprintf("10.0.%d.1", i+1)
					if i >= hops-1 {
						want = "10.0.9.9"
					}
					if !h.IsSilent() && (h.Address.String() != want || len(h.Responders) > 1) {
						t.Errorf("hop %d is %v, want %s", h.Distance, h.Responders, want)
					}
				}
				if t.Failed() {
					t.Logf("%+v in\n%s", opts, network)
				}
			})
		})
	}
}
