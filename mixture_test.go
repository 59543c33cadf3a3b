package icmplib

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// mixed is one of many calls on one Prober.
type mixed struct {
	*testing.T
	p       *Prober
	truth   *groundTruth
	random  *rand.Rand
	ctx     context.Context
	dst     netip.Addr
	packet  Packet
	timeout time.Duration
	what    string
}

// mixedCalls are those that can be made.
var mixedCalls = []func(*mixed){
	(*mixed).ping, (*mixed).multiPing, (*mixed).probe, (*mixed).trace, (*mixed).traceSeq, (*mixed).flows,
	(*mixed).multiTrace, (*mixed).monitor, (*mixed).monitor, (*mixed).pathMTU, (*mixed).explainLoss,
}

// Any number of calls of all kinds at once, some of which are cancelled, or left,
// or have consumers that are slow, and a Prober that may be closed meanwhile: each
// ends, and tells of nobody and of no time but those of the network.
func TestEverythingAtOnceIsTheTruth(t *testing.T) {
	for seed := range 24 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { everythingAtOnce(t, seed) })
		})
	}
}

func everythingAtOnce(t *testing.T, seed int) {
	random := rand.New(rand.NewPCG(uint64(seed), 99))
	m := randomMixture(random, seed%4 < 2)
	truth := newGroundTruth(m)
	network := netsim.MustParse(m.text)
	network.Trace(truth.see)
	p := simProber(t, network, seed%2 == 0)
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls sync.WaitGroup
	for range 14 {
		c := &mixed{
			T: t, p: p, truth: truth, ctx: ctx, random: rand.New(rand.NewPCG(random.Uint64(), 5)),
			dst: m.targets[random.IntN(len(m.targets))], timeout: time.Duration(200+random.IntN(2000)) * time.Millisecond,
			packet: Packet{Protocol: []Protocol{ICMP, ICMP, UDP, TCP}[random.IntN(4)]},
		}
		call := random.IntN(len(mixedCalls))
		c.what = fmt.Sprintf("call %d to %v by %v", call, c.dst, c.packet.Protocol)
		calls.Go(func() { c.run(mixedCalls[call]) })
	}
	if seed%5 == 4 {
		time.Sleep(time.Duration(random.Int64N(int64(10 * time.Second))))
		cancel()
		_ = p.Close()
	}
	calls.Wait()
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, m.text)
	}
}

// run makes a call at a random time, and may cancel it at another.
func (c *mixed) run(call func(*mixed)) {
	if c.random.IntN(4) == 0 {
		var cancel context.CancelFunc
		c.ctx, cancel = context.WithTimeout(c.ctx, time.Duration(c.random.Int64N(int64(12*time.Second))))
		defer cancel()
	}
	time.Sleep(time.Duration(c.random.IntN(int(2 * time.Second))))
	call(c)
}

// failed reports an error that is not that of a context.
func (c *mixed) failed(err error) bool {
	if err != nil && c.ctx.Err() == nil {
		c.Errorf("%s: %v", c.what, err)
	}
	return err != nil
}

// dawdle keeps a loop waiting now and then, and reports whether to leave it.
func (c *mixed) dawdle() (leave bool) {
	if c.random.IntN(5) == 0 {
		time.Sleep(time.Duration(c.random.Int64N(int64(3 * time.Second))))
	}
	return c.random.IntN(30) == 0
}

func (c *mixed) result(r *Result) {
	if err := c.truth.result(r, c.timeout); err != nil {
		c.Errorf("%s: %v", c.what, err)
	}
}

func (c *mixed) traceOptions() TracerouteOptions {
	return TracerouteOptions{Packet: c.packet, Timeout: c.timeout, Fast: c.random.IntN(2) == 0, MaxHops: 12, Count: 1 + c.random.IntN(4)}
}

func (c *mixed) ping() {
	opts := &PingOptions{Count: 30, Interval: time.Duration(c.random.IntN(400)) * time.Millisecond, Timeout: c.timeout, Packet: c.packet}
	for r, err := range c.p.PingSeq(c.ctx, c.dst.String(), opts) {
		if c.failed(err) {
			return
		}
		if c.result(&r); c.dawdle() {
			return
		}
	}
}

func (c *mixed) multiPing() {
	var names []string
	for _, a := range c.truth.targets {
		names = append(names, a.String())
	}
	hosts, err := c.p.MultiPing(c.ctx, names, &MultiPingOptions{Count: 3, Timeout: c.timeout, Packet: c.packet})
	c.failed(err)
	for _, h := range hosts {
		checkInvariants(c.T, &h.Stats)
	}
}

func (c *mixed) probe() {
	if r, err := c.p.Probe(c.ctx, c.dst, &ProbeOptions{Timeout: c.timeout, Packet: c.packet}); !c.failed(err) {
		c.result(&r)
	}
}

func (c *mixed) trace() {
	opts := c.traceOptions()
	route, err := c.p.Traceroute(c.ctx, c.dst.String(), &opts)
	if c.failed(err); route != nil {
		c.truth.route(c.T, c.what, c.dst, route.Hops)
	}
}

func (c *mixed) traceSeq() {
	opts := c.traceOptions()
	for h, err := range c.p.TracerouteSeq(c.ctx, c.dst.String(), &opts) {
		if c.failed(err) {
			return
		}
		if c.truth.route(c.T, c.what, c.dst, []Hop{*h}); c.dawdle() {
			return
		}
	}
}

func (c *mixed) flows() {
	opts := c.traceOptions()
	opts.Flows, opts.Fast = -1, false
	if opts.Packet.Protocol == TCP {
		opts.Packet.Protocol = ICMP // without privileges TCP has no flows
	}
	route, err := c.p.Traceroute(c.ctx, c.dst.String(), &opts)
	if c.failed(err); route != nil {
		c.truth.route(c.T, c.what, c.dst, route.Hops)
		c.truth.graph(c.T, c.what, route.Graph)
	}
}

func (c *mixed) multiTrace() {
	var names []string
	for _, a := range c.truth.targets {
		names = append(names, a.String(), a.String())
	}
	trace := c.traceOptions()
	opts := &MultiTracerouteOptions{}
	opts.setTrace(&trace)
	for route, err := range c.p.MultiTracerouteSeq(c.ctx, slices.Values(names), opts) {
		if c.failed(err) {
			return
		}
		if c.truth.route(c.T, c.what, route.Address, route.Hops); c.dawdle() {
			return
		}
	}
}

func (c *mixed) monitor() {
	opts := &MonitorOptions{
		Rounds: 25, Interval: time.Duration(100+c.random.IntN(1500)) * time.Millisecond,
		MaxHops: 12, Timeout: c.timeout, Packet: c.packet,
	}
	for s, err := range c.p.Monitor(c.ctx, c.dst.String(), opts) {
		if c.failed(err) {
			return
		}
		for i := range s.Results {
			c.result(&s.Results[i])
		}
		if c.truth.route(c.T, c.what, c.dst, s.Hops); c.dawdle() {
			return
		}
	}
}

func (c *mixed) pathMTU() {
	if c.packet.Protocol == TCP {
		c.packet.Protocol = UDP
	}
	m, err := c.p.PathMTU(c.ctx, c.dst.String(), &PathMTUOptions{MaxMTU: 2000, MaxHops: 12, Timeout: c.timeout, Packet: c.packet})
	if c.failed(err); m != nil && m.Reached && m.Confirmed && !c.truth.passes(c.dst, m.MTU) {
		c.Errorf("%s: no packet of %d bytes was answered", c.what, m.MTU)
	}
}

func (c *mixed) explainLoss() {
	report, err := c.p.ExplainLoss(c.ctx, c.dst.String(), &ExplainLossOptions{
		SlowCount: 10, FastCount: 10, SlowInterval: 400 * time.Millisecond, Timeout: c.timeout, MaxHops: 12, Packet: c.packet,
	})
	if c.failed(err); report == nil {
		return
	}
	for _, h := range report.Hops {
		if h.Address.IsValid() && !c.truth.answered(place{c.dst, h.Distance}, h.Address) {
			c.Errorf("%s: %v did not answer at hop %d", c.what, h.Address, h.Distance)
		}
	}
}
