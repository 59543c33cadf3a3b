package icmplib

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// everyFifth loses every fifth packet on the way to the first router, so that it is
// known what has to be lost: the SYNs are all there are.
const everyFifth = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 lose@tcp:every/5
node t  10.0.9.9 2001:db8:9::9
path 10.0.9.0/24 2001:db8:9::/64 r1 t
`

// Where a fifth of all SYNs is lost, a fifth of the probes is, at the target and at a
// hop, with raw sockets and without privileges: the first SYN decides.
func TestAFifthOfTheSYNsThatIsLostIsAFifthOfTheProbes(t *testing.T) {
	for _, v := range []variant{{TCP, false}, {TCP, true}} {
		for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
			t.Run(v.String()+" to "+target, func(t *testing.T) {
				t.Parallel()
				netlab.Test(t, netlab.Config{
					Unprivileged: v.datagram,
					Tries:        3,
					Setup:        func(t *testing.T) { netlab.Carry(t, netsim.MustParse(everyFifth), netlab.Device{}) },
				}, func(t *testing.T) { loseAFifth(t, v, target) })
			})
		}
	}
}

func loseAFifth(t *testing.T, v variant, target string) {
	p := kernelProber(t, v)
	defer p.Close()
	const n = 50
	// The timeout is shorter than the second after which the kernel sends a SYN again:
	// the connections have ended by then, so that each probe is one packet.
	host, err := p.Ping(t.Context(), target, &PingOptions{Count: n, Interval: 2 * time.Millisecond, Timeout: 700 * time.Millisecond, Packet: Packet{Protocol: TCP}})
	if err != nil {
		t.Fatal(err)
	}
	checkFifth(t, "target", &host.Stats, n, 0)
	noConnections(t)
	route, err := p.Traceroute(t.Context(), target, &TracerouteOptions{
		MaxHops: 1, Count: n, Interval: 2 * time.Millisecond, Timeout: 700 * time.Millisecond, Packet: Packet{Protocol: TCP},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkFifth(t, "hop", &route.Hops[0].Stats, n, 0)
	if !v.datagram {
		return
	}
	// With a longer timeout SYNs are sent again, behind all the first ones: their
	// answers are late.
	host, err = p.Ping(t.Context(), target, &PingOptions{Count: n, Interval: 2 * time.Millisecond, Timeout: 2500 * time.Millisecond, Packet: Packet{Protocol: TCP}})
	if err != nil {
		t.Fatal(err)
	}
	if host.Late < n/5/2 {
		t.Errorf("of those that were sent again only %d were answered: %v", host.Late, host)
	}
	checkFifth(t, "target, sent again", &host.Stats, n, host.Late)
	for _, rtt := range host.RTTs() {
		if rtt > 900*time.Millisecond {
			t.Errorf("an RTT is %v", rtt)
		}
	}
}

// noConnections waits until no connection is being made any more: none of them sends
// another SYN.
func noConnections(t *testing.T) {
	t.Helper()
	var open []string
	for range 100 {
		open = open[:0]
		for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(b)) {
				if f := strings.Fields(line); f[3] == "02" { // SYN_SENT, proc(5)
					open = append(open, line)
				}
			}
		}
		if len(open) == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("connections that are still being made:\n%s", strings.Join(open, ""))
}

func checkFifth(t *testing.T, what string, s *Stats, n, late int) {
	t.Helper()
	if s.PacketsSent != n || s.PacketsReceived != n*4/5 || s.Silent+s.Late != n/5 || s.Late != late || fmt.Sprintf("%.2f", s.PacketLoss()) != "0.20" {
		t.Errorf("%s: %d sent, %d received, %d silent, %d late, loss %.2f", what, s.PacketsSent, s.PacketsReceived, s.Silent, s.Late, s.PacketLoss())
	}
}
