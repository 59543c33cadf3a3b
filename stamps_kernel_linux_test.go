package icmplib_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

// stampedProber runs a test in a namespace with a network behind a device, for
// each kind of socket.
func stampedProber(t *testing.T, cfg icmplib.Config, test func(t *testing.T, p *icmplib.Prober)) {
	for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) {
				netlab.Carry(t, netsim.MustParse(stampedNetwork), netlab.Device{})
				cfg.Mode = mode
				p, err := icmplib.NewProber(&cfg)
				check(t, err)
				defer p.Close()
				test(t, p)
			})
		})
	}
}

// In stampedNetwork every host has a round-trip time of its own, by which a
// stamp that was credited to the wrong probe would show.
const stampedNetwork = `
	client 192.0.2.1 2001:db8::1
	node a 10.0.1.1 2001:db8:1::1 delay=10ms
	node b 10.0.2.1 2001:db8:2::1 delay=20ms
	node c 10.0.3.1 2001:db8:3::1 delay=40ms lose@3
	path 10.0.1.0/24 a
	path 10.0.2.0/24 b
	path 10.0.3.0/24 c
	path 10.0.9.0/24 a b c
	path 2001:db8:1::/48 a
	path 2001:db8:2::/48 b
	path 2001:db8:3::/48 c`

// stampedTargets are hosts, and how long the network takes to answer for them.
var stampedTargets = map[string]time.Duration{
	"10.0.1.1": 20 * time.Millisecond, "2001:db8:1::1": 20 * time.Millisecond,
	"10.0.2.1": 40 * time.Millisecond, "2001:db8:2::1": 40 * time.Millisecond,
	"10.0.3.1": 80 * time.Millisecond, "2001:db8:3::1": 80 * time.Millisecond,
	"127.0.0.1": 0, "::1": 0,
}

// pingStamped pings all targets at once and counts the sources of the RTTs.
func pingStamped(t *testing.T, p *icmplib.Prober) map[icmplib.RTTSource]int {
	t.Helper()
	sources := map[icmplib.RTTSource]int{}
	received, silent := 0, 0
	results := make(chan icmplib.Result)
	for target := range stampedTargets {
		go func() {
			for r, err := range p.PingSeq(t.Context(), target, &icmplib.PingOptions{Count: 10, Interval: 7 * time.Millisecond, Timeout: time.Second}) {
				if err != nil {
					r = icmplib.Result{Dst: netip.MustParseAddr(target), Status: icmplib.StatusSendError, Cause: err}
				}
				results <- r
			}
		}()
	}
	for range 10 * len(stampedTargets) {
		r := <-results
		sources[r.RTTSource]++
		switch r.Status {
		case icmplib.StatusReply:
			received++
			if soonest := stampedTargets[r.Dst.String()]; r.RTT < soonest || r.RTT <= 0 {
				t.Errorf("%v, by %v, is sooner than the network answers, which is after %v", r, r.RTTSource, soonest)
			}
		case icmplib.StatusNoReply:
			silent++
		default:
			t.Errorf("got %v", r)
		}
	}
	c := p.Counters()
	if c.PacketsSent != 80 || c.Foreign+c.Malformed+c.Dropped > 0 || received+silent != 80 || sources[icmplib.RTTNone] != silent || silent > 2 {
		t.Errorf("%d received, %d silent, sources %v, counters %+v", received, silent, sources, c)
	}
	return sources
}

func TestRoundTripTimesByTheKernel(t *testing.T) {
	stampedProber(t, icmplib.Config{SendTimestamps: true}, func(t *testing.T, p *icmplib.Prober) {
		if sources := pingStamped(t, p); sources[icmplib.RTTKernel] < 60 || sources[icmplib.RTTRead] > 0 {
			t.Errorf("sources %v: the kernel's are few", sources)
		}
	})
}

func TestRoundTripTimesAreNotByTheKernelUnlessItIsAskedFor(t *testing.T) {
	stampedProber(t, icmplib.Config{}, func(t *testing.T, p *icmplib.Prober) {
		if sources := pingStamped(t, p); sources[icmplib.RTTKernel] > 0 || sources[icmplib.RTTRead] > 0 {
			t.Errorf("sources %v", sources)
		}
	})
}

// Errors come between the stamps; those of a datagram socket are also pending
// when the next probe is sent.
func TestRoundTripTimesOfErrorsByTheKernel(t *testing.T) {
	stampedProber(t, icmplib.Config{SendTimestamps: true}, func(t *testing.T, p *icmplib.Prober) {
		sources := map[icmplib.RTTSource]int{}
		results := make(chan icmplib.Result)
		for ttl := 1; ttl <= 2; ttl++ {
			go func() {
				opts := &icmplib.PingOptions{Count: 20, Interval: 3 * time.Millisecond, Timeout: 10 * time.Second}
				opts.Packet.TTL = ttl
				for r, err := range p.PingSeq(t.Context(), "10.0.9.1", opts) {
					if err != nil {
						r = icmplib.Result{Status: icmplib.StatusSendError, Cause: err}
					}
					results <- r
				}
			}()
		}
		soonest := map[int]time.Duration{1: 20 * time.Millisecond, 2: 60 * time.Millisecond}
		for range 40 {
			r := <-results
			sources[r.RTTSource]++
			if r.Status != icmplib.StatusTTLExpired || r.RTT < soonest[r.TTL] {
				t.Errorf("with TTL %d, by %v: %v", r.TTL, r.RTTSource, r)
			}
		}
		if sources[icmplib.RTTKernel] < 25 {
			t.Errorf("sources %v: the kernel's are few", sources)
		}
	})
}
