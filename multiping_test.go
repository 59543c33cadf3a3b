package icmplib

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Every network in which ping is tested, through MultiPing: the books are the
// same.
func TestMultiPingInSimulatedNetworks(t *testing.T) {
	for _, s := range loadScenarios(t, "testdata/ping/*.net") {
		if s.command.values["interval"] == "-1ns" || s.command.number(t, "broadcast", 0) == 1 || s.command.words[1] == "224.0.0.1" {
			continue // of a single host's ping alone
		}
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { s.multiping(t) })
		})
	}
}

func (s *scenario) multiping(t *testing.T) {
	target, opts := s.command.words[1], s.command.pingOptions(t)
	if opts.Count == 0 {
		opts.Count = defaultPingCount
	}
	if opts.Interval == 0 {
		opts.Interval = defaultPingInterval
	}
	p := simProber(t, s.network(t), false)
	defer p.Close()
	hosts, err := p.MultiPing(t.Context(), []string{target}, &MultiPingOptions{
		Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout, Rate: -1, Packet: opts.Packet,
	})
	if err != nil || len(hosts) != 1 {
		t.Fatalf("%v, %v", hosts, err)
	}
	for _, name := range []string{"sent", "received", "silent", "errors", "loss", "min", "avg", "max", "jitter", "stddev", "rtts"} {
		if want, ok := s.want.values[name]; ok {
			if got := figure(hosts[0], nil, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	checkInvariants(t, &hosts[0].Stats)
}

// manyHosts is a network with a host at every address of 10.1.0.0/16, but for
// what words say.
func manyHosts(words string) *netsim.Network {
	return netsim.MustParse(`
		client 192.0.2.1 2001:db8::1
		node t 10.1.0.1 2001:db8:1::1 delay=20ms ` + words + `
		path 10.1.0.0/16 2001:db8:1::/48 t`)
}

func manyAddresses(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}).String()
	}
	return names
}

// inSweep runs a test in virtual time among many hosts.
func inSweep(t *testing.T, words string, f func(t *testing.T, p *Prober, c func() *netsim.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		var conn *netsim.Conn
		p := simProberWith(t, manyHosts(words), netsim.ConnOptions{}, func(c *netsim.Conn) { conn = c })
		defer p.Close()
		f(t, p, func() *netsim.Conn { return conn })
	})
}

func TestResultsAreInTheOrderOfTheTargets(t *testing.T) {
	inSweep(t, "lose@10%", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		targets := append(manyAddresses(2000), "2001:db8:1::5", "localhost.example..", "10.1.0.3", "10.1.0.3")
		hosts, err := p.MultiPing(t.Context(), targets, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range hosts {
			if h.Name != targets[i] {
				t.Fatalf("host %d is %s, want %s", i, h.Name, targets[i])
			}
			if i == 2001 {
				if !errors.Is(h.Err, ErrNameLookup) || h.PacketsSent != 0 {
					t.Errorf("a name that cannot be: %v", h)
				}
				continue
			}
			if h.PacketsSent != 2 || h.Err != nil || h.IsAlive() && h.MinRTT() != 40*time.Millisecond {
				t.Errorf("%v", h)
			}
		}
	})
}

func TestTheRateIsKept(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		start := time.Now()
		if _, err := p.MultiPing(t.Context(), manyAddresses(5000), &MultiPingOptions{Count: 1, Rate: 1000}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 4990*time.Millisecond || took > 5100*time.Millisecond {
			t.Errorf("5,000 packets at 1,000 a second took %v", took)
		}
	})
}

func TestHostsAreYieldedAsTheyComplete(t *testing.T) {
	inSweep(t, "lose@1-100", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		n, silent := 0, 0
		for h, err := range p.MultiPingSeq(t.Context(), slices.Values(manyAddresses(300)), &MultiPingOptions{Count: 1}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if !h.IsAlive() {
				silent++
			} else if silent > 0 {
				t.Fatal("a host that answered came after one that did not")
			}
		}
		if n != 300 || silent != 100 {
			t.Errorf("%d hosts, %d silent", n, silent)
		}
	})
}

func TestAnIteratorThatBlocksKeepsNoResultWaiting(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		slow := func(yield func(string) bool) {
			for _, name := range manyAddresses(3) {
				if !yield(name) {
					return
				}
				time.Sleep(time.Hour)
			}
		}
		start := time.Now()
		n := 0
		for h, err := range p.MultiPingSeq(t.Context(), slow, &MultiPingOptions{Count: 1}) {
			if err != nil {
				t.Fatal(err)
			}
			if at := time.Since(start); at != time.Duration(n)*time.Hour+40*time.Millisecond {
				t.Errorf("%s came after %v", h.Name, at)
			}
			n++
		}
		if n != 3 {
			t.Errorf("%d hosts", n)
		}
	})
}

func TestLeavingTheLoopEndsTheSweep(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		endless := func(yield func(string) bool) {
			for i := 0; ; i++ {
				if !yield(fmt.Sprintf("10.1.%d.%d", i>>8&255, i&255)) {
					return
				}
			}
		}
		n := 0
		for range p.MultiPingSeq(t.Context(), endless, nil) {
			if n++; n == 100 {
				break
			}
		}
		synctest.Wait()
		sent := p.Counters().PacketsSent
		time.Sleep(time.Minute)
		if more := p.Counters().PacketsSent - sent; more != 0 {
			t.Errorf("%d more packets were sent", more)
		}
	})
}

func TestTheEndOfTheContextLeavesEveryTargetItsEntry(t *testing.T) {
	inSweep(t, "deaf", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		hosts, err := p.MultiPing(ctx, manyAddresses(1000), &MultiPingOptions{Count: 1, Rate: 1000})
		if !errors.Is(err, context.DeadlineExceeded) || len(hosts) != 1000 {
			t.Fatalf("%d hosts, %v", len(hosts), err)
		}
		unsettled := 0
		for _, h := range hosts {
			unsettled += h.Unsettled
			if h.PacketsSent == 0 && !errors.Is(h.Err, context.DeadlineExceeded) {
				t.Errorf("%v does not say why nothing was sent", h)
			}
			checkInvariants(t, &h.Stats)
		}
		if unsettled < 90 || unsettled > 110 {
			t.Errorf("%d packets were in flight", unsettled)
		}
	})
}

func TestOneDestinationIsPingedOnceAtATime(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		start := time.Now()
		hosts, err := p.MultiPing(t.Context(), []string{"10.1.0.1", "10.1.0.1", "10.1.0.1"}, &MultiPingOptions{Count: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			if h.PacketsReceived != 2 {
				t.Errorf("%v", h)
			}
		}
		if took := time.Since(start); took != 3*540*time.Millisecond {
			t.Errorf("three pings one after the other took %v", took)
		}
	})
}

func TestMoreProbesInFlightThanAnIDHasNumbers(t *testing.T) {
	t.Parallel()
	inSweep(t, "deaf", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		hosts, err := p.MultiPing(t.Context(), manyAddresses(60_000), &MultiPingOptions{Count: 3, Rate: -1, Interval: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			if h.Silent != 3 {
				t.Fatalf("%v", h)
			}
		}
	})
}

func TestProgressAddsUp(t *testing.T) {
	inSweep(t, "lose@every/2", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		var last Progress
		calls := 0
		_, err := p.MultiPing(t.Context(), manyAddresses(5000), &MultiPingOptions{Count: 1, Progress: func(g Progress) {
			calls++
			if g.Completed < last.Completed || g.PacketsSent < last.PacketsSent || g.Targets < g.Completed {
				t.Errorf("%+v after %+v", g, last)
			}
			last = g
		}})
		want := Progress{Targets: 5000, Completed: 5000, Alive: 2500, PacketsSent: 5000, PacketsReceived: 2500}
		if err != nil || last != want || calls < 3 {
			t.Errorf("%d calls, the last with %+v, want %+v (%v)", calls, last, want, err)
		}
	})
}

func TestMultiPingRefusesWhatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		opts  MultiPingOptions
		field string
	}{
		{"a negative count", MultiPingOptions{Count: -1}, "Count"},
		{"a count beyond what a tag can hold", MultiPingOptions{Count: 1 << 24}, "Count"},
		{"a negative timeout", MultiPingOptions{Timeout: -1}, "Timeout"},
		{"a TTL over 255", MultiPingOptions{Packet: Packet{TTL: 300}}, "TTL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				_, err := p.MultiPing(t.Context(), manyAddresses(2), &tt.opts)
				field, ok := errors.AsType[*ConfigError](err)
				if !ok || field.Field != tt.field || p.Counters().PacketsSent > 0 {
					t.Errorf("error %v, want one about %s", err, tt.field)
				}
			})
		})
	}
}

func TestASweepDoesNotDisturbAPing(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		swept := make(chan struct{})
		go func() {
			defer close(swept)
			for range p.MultiPingSeq(ctx, repeat(manyAddresses(20_000)), &MultiPingOptions{Count: 1, Rate: 50_000}) {
			}
		}()
		start := time.Now()
		for r, err := range p.PingSeq(ctx, "10.1.255.1", &PingOptions{Count: 20, Interval: 50 * time.Millisecond}) {
			if err != nil {
				t.Fatal(err)
			}
			if late := r.Sent.Sub(start) - time.Duration(r.Seq)*50*time.Millisecond; r.RTT != 40*time.Millisecond || late > time.Millisecond {
				t.Errorf("%v, sent %v after its time", r, late)
			}
		}
		cancel()
		<-swept
	})
}

// repeat yields names again and again.
func repeat(names []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
		}
	}
}
