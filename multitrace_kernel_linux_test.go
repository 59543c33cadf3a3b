package icmplib

import (
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

// Several hundred routes at once by the kernel's own sockets, of both kinds and
// families, are those of the network.
func TestManyRoutesAtOnceBehindTheKernel(t *testing.T) {
	n := &netsim.Tree{Levels: []int{1, 2, 8, 16}, Words: func(int) string { return "delay=1ms jitter=1ms" }, Last: "delay=1ms"}
	for _, tt := range []struct {
		name string
		lab  netlab.Config
		mode socket.Mode
	}{
		{"raw", netlab.Config{}, socket.Raw},
		{"datagram", netlab.Config{Unprivileged: true, PingGroups: true}, socket.Datagram},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.lab.Tries = 3 // timeouts pass in real time
			tt.lab.Setup = func(t *testing.T) {
				network := netsim.MustParse(n.String())
				network.Quiet(true)
				netlab.Carry(t, network, netlab.Device{})
			}
			netlab.Test(t, tt.lab, func(t *testing.T) { traceBehindTheKernel(t, n, tt.mode) })
		})
	}
}

func traceBehindTheKernel(t *testing.T, n *netsim.Tree, mode socket.Mode) {
	p, err := NewProber(&Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var targets []string
	for i := range 200 {
		targets = append(targets, n.Target(i, false).String(), n.Target(i, true).String())
	}
	opts := &MultiTracerouteOptions{
		Count: 3, Fast: true, Timeout: 5 * time.Second, Rate: 5000, HopRate: 2000,
	}
	routes := 0
	for r, err := range p.MultiTracerouteSeq(t.Context(), slices.Values(targets), opts) {
		if err != nil {
			t.Fatal(err)
		}
		checkRoute(t, n, r)
		routes++
	}
	if routes != len(targets) {
		t.Errorf("%d routes of %d", routes, len(targets))
	}
}
