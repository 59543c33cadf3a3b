package icmplib

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const monitoredBehindKernel = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 quote=8
node r2 10.0.2.1 2001:db8:2::1
node t  10.0.9.9 2001:db8:9::9
path 10.0.9.0/24 2001:db8:9::/64 r1 r2 t
`

// A Monitor with real sockets, over each protocol and family, with and without
// privileges.
func TestMonitorBehindTheKernel(t *testing.T) {
	for _, v := range traceVariants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: v.datagram,
				Tries:        3,
				Setup:        func(t *testing.T) { netlab.Carry(t, netsim.MustParse(monitoredBehindKernel), netlab.Device{}) },
			}, func(t *testing.T) {
				for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
					monitorBehindKernel(t, v, target)
				}
			})
		})
	}
}

func monitorBehindKernel(t *testing.T, v variant, target string) {
	p := kernelProber(t, v)
	defer p.Close()
	const rounds = 5
	var last *Snapshot
	opts := &MonitorOptions{Interval: 50 * time.Millisecond, Rounds: rounds, Timeout: patient, Packet: Packet{Protocol: v.protocol}}
	for s, err := range p.Monitor(t.Context(), target, opts) {
		if err != nil {
			t.Fatal(err)
		}
		checkSnapshot(t, s)
		if len(s.Events) > 0 {
			t.Errorf("%s, round %d: %+v", target, s.Round, s.Events)
		}
		last = s
	}
	if !last.Reached || len(last.Hops) != 3 || last.Hops[2].Address.String() != target {
		t.Fatalf("%s: %+v", target, last.Route)
	}
	for i := range last.Hops {
		if h := &last.Hops[i]; h.PacketLoss() > 0 || h.PacketsSent == 0 || len(h.Responders) != 1 {
			t.Errorf("%s, hop %d: %d of %d answered by %d", target, h.Distance, h.PacketsReceived, h.PacketsSent, len(h.Responders))
		}
	}
}
