package icmplib

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Several flows over real sockets: what the kernel is told to send takes the
// ways of the network, and nothing else is found.
func TestFlowsBehindTheKernel(t *testing.T) {
	cases := []struct {
		name     string
		lab      netlab.Config
		variants []variant
	}{
		{"as root", netlab.Config{}, []variant{{ICMP, false}, {UDP, false}, {TCP, false}, {SCTP, false}}},
		{"without privileges", netlab.Config{Unprivileged: true, PingGroups: true}, []variant{{ICMP, true}, {UDP, true}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.lab.Setup = func(t *testing.T) {
				netlab.Carry(t, netsim.MustParse(ways(2, "r1 "+fan("flow", 'a', 4)+" t0")), netlab.Device{})
			}
			netlab.Test(t, tc.lab, func(t *testing.T) {
				for _, v := range tc.variants {
					for _, v6 := range []bool{false, true} {
						t.Run(fmt.Sprintf("%v/v6=%v", v, v6), func(t *testing.T) { checkKernelFlows(t, v.protocol, v6) })
					}
				}
				if !tc.lab.Unprivileged {
					return
				}
				_, err := Traceroute(t.Context(), "10.9.9.9", &TracerouteOptions{Flows: 2, Packet: Packet{Protocol: TCP}})
				if c, ok := errors.AsType[*ConfigError](err); !ok || c.Field != "Flows" {
					t.Errorf("TCP without privileges: %v", err)
				}
			})
		})
	}
}

func checkKernelFlows(t *testing.T, protocol Protocol, v6 bool) {
	opts := &TracerouteOptions{Flows: 32, Count: 3, MaxHops: 5, Timeout: patient, Packet: Packet{Protocol: protocol}}
	route, err := Traceroute(t.Context(), nodeAddress("t0", v6), opts)
	if err != nil || !route.Reached {
		t.Fatalf("%+v, %v", route, err)
	}
	var real []string
	for i := 1; i <= 4; i++ {
		real = append(real, fmt.Sprintf("1:r1>a%d", i), fmt.Sprintf("2:a%d>t0", i))
	}
	found := shape(route.Graph)
	for _, edge := range found {
		if !slices.Contains(real, edge) {
			t.Errorf("there is no edge %s", edge)
		}
	}
	// That 32 flows miss one of four branches is one case in 2,500, and the
	// ports are drawn: two of four are what a test may ask for.
	if len(found) < 4 {
		t.Errorf("the edges found are %v", found)
	}
}
