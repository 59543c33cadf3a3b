package icmplib

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/stream"
)

// receiveAll collects results by their tags.
func receiveAll(t *testing.T, s *Stream, n int) map[uint64]Result {
	t.Helper()
	all := map[uint64]Result{}
	results := make([]StreamResult, 7)
	for len(all) < n {
		k, err := s.Receive(t.Context(), results)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results[:k] {
			if _, twice := all[r.Tag]; twice {
				t.Errorf("probe %d has two results", r.Tag)
			}
			all[r.Tag] = r.Result
		}
	}
	return all
}

func TestEveryProbeOfAStreamHasOneResult(t *testing.T) {
	inSweep(t, "lose@every/10 duplicate@every/7", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		s := p.NewStream()
		defer s.Close()
		const n = 500
		var probes []StreamProbe
		for i := range n {
			probe := StreamProbe{Dst: netip.AddrFrom4([4]byte{10, 1, 2, byte(i)}), Tag: uint64(1000 + i)}
			probe.Timeout = time.Duration(1+i/100) * time.Second // five shapes
			probe.Packet.TTL = 64 + i%3
			probes = append(probes, probe)
		}
		if err := s.Send(t.Context(), probes); err != nil {
			t.Fatal(err)
		}
		replies := 0
		for tag, r := range receiveAll(t, s, n) {
			if r.Dst != probes[tag-1000].Dst || r.TTL != probes[tag-1000].Packet.TTL {
				t.Errorf("probe %d has the result %v", tag, r)
			}
			if r.Status == StatusReply {
				replies++
				if r.RTT != 40*time.Millisecond {
					t.Errorf("%v", r)
				}
			}
		}
		if replies != n-n/10 {
			t.Errorf("%d replies", replies)
		}
	})
}

func TestAProbeThatCannotBeSentHasItsResultToo(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
		s := p.NewStream()
		defer s.Close()
		dst := netip.MustParseAddr(simTarget)
		probes := []StreamProbe{
			{Dst: dst, Tag: 1},
			{Dst: dst, Tag: 2, ProbeOptions: ProbeOptions{Packet: Packet{TTL: 300}}},
			{Tag: 3},
			{Dst: dst, Tag: 4, ProbeOptions: ProbeOptions{Packet: Packet{Port: 80}}},
		}
		if err := s.Send(t.Context(), probes); err != nil {
			t.Fatal(err)
		}
		results := receiveAll(t, s, len(probes))
		for tag, field := range map[uint64]string{2: "TTL", 3: "Dst", 4: "Port"} {
			if err, ok := errors.AsType[*ConfigError](results[tag].Cause); !ok || err.Field != field {
				t.Errorf("probe %d: %v, want an error about %s", tag, results[tag], field)
			}
		}
		if results[1].Status != StatusReply {
			t.Errorf("probe 1: %v", results[1])
		}
		conn().FailSend(1, syscall.ENETUNREACH)
		if err := s.Send(t.Context(), []StreamProbe{{Dst: dst, Tag: 5}, {Dst: dst, Tag: 6}}); err != nil {
			t.Fatal(err)
		}
		results = receiveAll(t, s, 2)
		if results[5].Status != StatusNetworkUnreachable || results[6].Status != StatusReply {
			t.Errorf("%v", results)
		}
	})
}

func TestAStreamEndsWithItsContextAndWhenItIsClosed(t *testing.T) {
	inSim(t, "deaf", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		s := p.NewStream()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Send(ctx, []StreamProbe{{Dst: netip.MustParseAddr(simTarget)}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Receive(ctx, make([]StreamResult, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive: %v", err)
		}
		time.AfterFunc(time.Millisecond, s.Close)
		if _, err := s.Receive(t.Context(), make([]StreamResult, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Receive of a closed stream: %v", err)
		}
		if err := s.Send(t.Context(), make([]StreamProbe, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Send on a closed stream: %v", err)
		}
		s.Close()
	})
}

func TestClosingAStreamEndsASendThatWaits(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		p.pacer = engine.NewPacer(1)
		s := p.NewStream()
		start := time.Now()
		time.AfterFunc(1500*time.Millisecond, s.Close)
		probes := make([]StreamProbe, 20)
		for i := range probes {
			probes[i].Dst = netip.MustParseAddr(simTarget)
		}
		if err := s.Send(t.Context(), probes); !errors.Is(err, net.ErrClosed) || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("Send returns %v after %v", err, time.Since(start))
		}
	})
}

// What leaves together leaves by the sockets and the operation that each has by itself.
func TestProbesLeaveTogetherThatHaveAllInCommon(t *testing.T) {
	inSweep(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		s := p.NewStream()
		defer s.Close()
		together := map[string]bool{}
		for _, base := range []Packet{{}, {Protocol: UDP}, {Protocol: TCP}, {Payload: []byte("x")}, {Protocol: UDP, Service: DNS}} {
			for _, dst := range []string{"10.1.0.1", "224.0.0.1", "2001:db8:1::1", "fe80::1%eth0"} {
				first := StreamProbe{Dst: netip.MustParseAddr(dst), ProbeOptions: ProbeOptions{Packet: base}}
				pool, op, err := s.prepare(&first)
				if err != nil {
					t.Fatal(err)
				}
				for name, set := range map[string]func(*StreamProbe){
					"nothing":       func(*StreamProbe) {},
					"Tag":           func(p *StreamProbe) { p.Tag = 7 },
					"Dst":           func(p *StreamProbe) { p.Dst = netip.MustParseAddr("10.1.0.2") },
					"family":        func(p *StreamProbe) { p.Dst = netip.MustParseAddr("2001:db8:1::2") },
					"zone":          func(p *StreamProbe) { p.Dst = netip.MustParseAddr("fe80::1") },
					"Timeout":       func(p *StreamProbe) { p.Timeout = 77 * time.Millisecond },
					"ExtendedEcho":  func(p *StreamProbe) { p.ExtendedEcho = &icmp.ExtendedEcho{Local: true, Name: "eth0"} },
					"Timestamp":     func(p *StreamProbe) { p.Timestamp = true },
					"Protocol":      func(p *StreamProbe) { p.Packet.Protocol = SCTP },
					"Service":       func(p *StreamProbe) { p.Packet.Service = NTP },
					"ServiceName":   func(p *StreamProbe) { p.Packet.ServiceName = "example.net" },
					"Port":          func(p *StreamProbe) { p.Packet.Port = 77 },
					"SourcePort":    func(p *StreamProbe) { p.Packet.SourcePort = 7777 },
					"FlowLabel":     func(p *StreamProbe) { p.Packet.FlowLabel = 77 },
					"Source":        func(p *StreamProbe) { p.Packet.Source = netip.MustParseAddr("192.0.2.1") },
					"Interface":     func(p *StreamProbe) { p.Packet.Interface = "eth0" },
					"Mark":          func(p *StreamProbe) { p.Packet.Mark = 7 },
					"TTL":           func(p *StreamProbe) { p.Packet.TTL = 7 },
					"TrafficClass":  func(p *StreamProbe) { p.Packet.TrafficClass = 8 },
					"Size":          func(p *StreamProbe) { p.Packet.Size = 77 },
					"Payload":       func(p *StreamProbe) { p.Packet.Payload = []byte("y") },
					"Broadcast":     func(p *StreamProbe) { p.Packet.Broadcast = true },
					"RequireSource": func(p *StreamProbe) { p.Packet.RequireSource = true },
					"DontFragment":  func(p *StreamProbe) { p.Packet.DontFragment = true },
				} {
					other := first
					set(&other)
					if !sameRun(&first, &other) {
						continue
					}
					together[name] = true
					if ownPool, ownOp, err := s.prepare(&other); ownPool != pool || ownOp != op || err != nil {
						t.Errorf("%v to %s: what differs in its %s leaves with the first; by itself it has another operation, or an error: %v", base.Protocol, dst, name, err)
					}
				}
			}
		}
		if want := []string{"Dst", "FlowLabel", "Port", "TTL", "Tag", "family", "nothing"}; !slices.Equal(slices.Sorted(maps.Keys(together)), want) {
			t.Errorf("probes leave together that differ in %v, want %v", slices.Sorted(maps.Keys(together)), want)
		}
	})
}

// What a Stream needs to know of probes that are like those before them is there.
func TestFurtherProbesOfAStreamAllocateNothing(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		s := p.NewStream()
		defer s.Close()
		for _, packet := range []Packet{{}, {Protocol: UDP}, {Protocol: UDP, Service: NTP}, {Protocol: UDP, Service: QUIC}} {
			probes := []StreamProbe{{Dst: netip.MustParseAddr(simTarget), ProbeOptions: ProbeOptions{Packet: packet}}}
			run := func() {
				if _, err := s.run(probes); err != nil {
					t.Error(err)
				}
			}
			if n := testing.AllocsPerRun(100, run); n != 0 {
				t.Errorf("%v, %v: %v allocations", packet.Protocol, packet.Service, n)
			}
		}
	})
}

// Whoever does not receive cannot send without end: neither what is answered nor
// what is refused is kept beyond a bound.
func TestAStreamThatNobodyReceivesFromMakesSendWait(t *testing.T) {
	for name, dst := range map[string]netip.Addr{"answered": netip.MustParseAddr(simTarget), "refused": {}} {
		t.Run(name, func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				s := p.NewStream()
				defer s.Close()
				probes := make([]StreamProbe, 1000)
				for i := range probes {
					probes[i].Dst = dst
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				for range stream.MaxOwed/len(probes) + 1 {
					if err := s.Send(ctx, probes); err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
				}
				if ctx.Err() == nil || s.core.Owed() != stream.MaxOwed {
					t.Fatalf("%d results are owed, and Send does not wait", s.core.Owed())
				}
				results := make([]StreamResult, 64)
				if n, err := s.Receive(t.Context(), results); err != nil || n == 0 {
					t.Fatal(n, err)
				}
				if err := s.Send(t.Context(), probes[:1]); err != nil {
					t.Errorf("after some were received: %v", err)
				}
			})
		})
	}
}

// Collect takes what there is, and Ready tells of it: of what was answered, and of what
// was refused.
func TestOneGoroutineSendsAndCollects(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		s := p.NewStream()
		defer s.Close()
		results := make([]StreamResult, 8)
		if n := s.Collect(results); n != 0 {
			t.Errorf("%d results of nothing", n)
		}
		probes := make([]StreamProbe, 20)
		for i := range probes {
			probes[i] = StreamProbe{Dst: netip.MustParseAddr(simTarget), Tag: uint64(i)}
		}
		probes[13].Dst = netip.Addr{}
		if err := s.Send(t.Context(), probes); err != nil {
			t.Fatal(err)
		}
		seen := map[uint64]Status{}
		for len(seen) < len(probes) {
			<-s.Ready()
			for n := len(results); n == len(results); {
				n = s.Collect(results)
				for _, r := range results[:n] {
					seen[r.Tag] = r.Status
				}
			}
		}
		for tag, status := range seen {
			if want := map[bool]Status{true: StatusSendError, false: StatusReply}[tag == 13]; status != want {
				t.Errorf("probe %d: %v, want %v", tag, status, want)
			}
		}
	})
}
