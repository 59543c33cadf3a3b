package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

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
