package icmplib_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

// All operations at once, with timeouts about as short as a system call, to hosts that
// answer at once, that this host's firewall rejects, and that nobody knows. It is for
// the race detector; what each operation says has to add up all the same.
func TestAStormOfAllOperationsAddsUp(t *testing.T) {
	for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
		t.Run(mode.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				rejecting(t)
				firewall(t, "iptables -A OUTPUT -d 10.77.0.9 -j REJECT")
				firewall(t, "ip6tables -A OUTPUT -d fd77::9 -j REJECT")
				p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
				check(t, err)
				defer p.Close()
				var all sync.WaitGroup
				for worker := range uint64(8) {
					all.Go(func() {
						s := storm{T: t, p: p, random: rand.New(rand.NewPCG(worker, 1))}
						for range 6 {
							s.ping()
							s.multiPing()
							s.trace()
							s.multiTrace()
							s.monitor()
							s.probe()
							s.stream()
						}
						s.pathMTU()
					})
				}
				all.Wait()
				check(t, p.Close())
				if c := p.Counters(); c.PacketsSent == 0 || c.PacketsSent < c.PacketsReceived {
					t.Errorf("the Prober counted %+v", c)
				}
			})
		})
	}
}

// storm is one of those that do all at once.
type storm struct {
	*testing.T
	p      *icmplib.Prober
	random *rand.Rand
}

func (s *storm) target() string {
	return []string{"127.0.0.1", "::1", "10.77.0.9", "fd77::9", "203.0.113.9"}[s.random.IntN(5)]
}

// timeout is from 1 us to 4 ms, the short ones as often as the long ones.
func (s *storm) timeout() time.Duration { return time.Microsecond << s.random.IntN(13) }

func (s *storm) packet() icmplib.Packet {
	return icmplib.Packet{Protocol: []icmplib.Protocol{icmplib.ICMP, icmplib.UDP, icmplib.TCP}[s.random.IntN(3)]}
}

// books holds what every operation's figures have.
func (s *storm) books(what string, c *icmplib.Stats) {
	if c.PacketsSent != c.PacketsReceived+c.Silent+c.ICMPErrors+c.Late+c.Unsettled {
		s.Errorf("%s: %d sent, but %d + %d + %d + %d + %d", what, c.PacketsSent, c.PacketsReceived, c.Silent, c.ICMPErrors, c.Late, c.Unsettled)
	}
}

func (s *storm) ping() {
	const n = 20
	target := s.target()
	h, err := s.p.Ping(s.Context(), target, &icmplib.PingOptions{Count: n, Interval: 10 * time.Microsecond, Timeout: s.timeout(), Packet: s.packet()})
	if err != nil {
		s.Errorf("ping %s: %v", target, err)
		return
	}
	if s.books("ping "+target, &h.Stats); h.PacketsSent+h.SendErrors != n {
		s.Errorf("ping %s: %d sent, %d not, of %d", target, h.PacketsSent, h.SendErrors, n)
	}
}

func (s *storm) multiPing() {
	targets := slices.Repeat([]string{s.target(), s.target(), s.target()}, 4)
	hosts, err := s.p.MultiPing(s.Context(), targets, &icmplib.MultiPingOptions{Count: 3, Interval: -1, Timeout: s.timeout(), Rate: -1, Packet: s.packet()})
	if err != nil {
		s.Errorf("multiping: %v", err)
	}
	for _, h := range hosts {
		if s.books("multiping "+h.Name, &h.Stats); h.PacketsSent+h.SendErrors != 3 {
			s.Errorf("multiping %s: %d sent, %d not, of 3", h.Name, h.PacketsSent, h.SendErrors)
		}
	}
}

// A trace of which nothing could be sent is an error that says so.
func (s *storm) trace() {
	r, err := s.p.Traceroute(s.Context(), s.target(), &icmplib.TracerouteOptions{
		MaxHops: 3, Count: 2, Interval: -1, Timeout: s.timeout(), Packet: s.packet(), Flows: s.random.IntN(3),
	})
	if r == nil && err == nil {
		s.Error("traceroute: neither a route nor an error")
	}
	if r != nil {
		s.route(r)
	}
}

func (s *storm) route(r *icmplib.Route) {
	for i := range r.Hops {
		s.books("trace of "+r.Name, &r.Hops[i].Stats)
	}
}

func (s *storm) multiTrace() {
	targets := []string{s.target(), s.target(), s.target(), s.target()}
	routes, err := s.p.MultiTraceroute(s.Context(), targets, &icmplib.MultiTracerouteOptions{
		MaxHops: 3, Count: 2, Interval: -1, Timeout: s.timeout(), Rate: -1, Packet: s.packet(),
	})
	if err != nil || len(routes) != len(targets) {
		s.Errorf("multitrace: %d routes, %v", len(routes), err)
	}
	for _, r := range routes {
		s.route(r)
	}
}

func (s *storm) monitor() {
	rounds := 0
	for snapshot, err := range s.p.Monitor(s.Context(), s.target(), &icmplib.MonitorOptions{
		Rounds: 3, MaxHops: 3, Interval: time.Millisecond, Timeout: s.timeout(), Packet: s.packet(),
	}) {
		if err != nil {
			s.Errorf("monitor: %v", err)
			return
		}
		s.route(&snapshot.Route)
		rounds++
	}
	if rounds != 3 {
		s.Errorf("monitor: %d rounds", rounds)
	}
}

func (s *storm) probe() {
	to := netip.MustParseAddr(s.target())
	if r, err := s.p.Probe(s.Context(), to, &icmplib.ProbeOptions{Timeout: s.timeout(), Packet: s.packet()}); err != nil || r.Status == icmplib.StatusUnsettled {
		s.Errorf("probe %v: %v, %v", to, r, err)
	}
}

// Each probe of a stream has one result.
func (s *storm) stream() {
	const n = 30
	stream := s.p.NewStream()
	defer stream.Close()
	probes := make([]icmplib.StreamProbe, n)
	for i := range probes {
		probes[i] = icmplib.StreamProbe{Dst: netip.MustParseAddr(s.target()), Tag: uint64(i), ProbeOptions: icmplib.ProbeOptions{Timeout: s.timeout(), Packet: s.packet()}}
	}
	if err := stream.Send(s.Context(), probes); err != nil {
		s.Errorf("stream: %v", err)
		return
	}
	seen, results := map[uint64]bool{}, make([]icmplib.StreamResult, 8)
	for len(seen) < n {
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		k, err := stream.Receive(ctx, results)
		cancel()
		if err != nil {
			s.Errorf("stream: %d of %d results, %v", len(seen), n, err)
			return
		}
		for _, r := range results[:k] {
			if seen[r.Tag] {
				s.Errorf("stream: two results of one probe: %v", r)
			}
			seen[r.Tag] = true
		}
	}
}

func (s *storm) pathMTU() {
	r, err := s.p.PathMTU(s.Context(), s.target(), &icmplib.PathMTUOptions{MaxHops: 2, Count: 1, Interval: -1, Timeout: s.timeout()})
	if r == nil && err == nil {
		s.Error("mtu: neither a report nor an error")
	}
}

// Where each TCP probe is a socket and few may be opened, probes wait for one: none
// fails for want of it. Half of the targets are silent, and half have no route.
func TestTwoThousandTargetsOverTCPWithFewDescriptors(t *testing.T) {
	setup := func(t *testing.T) {
		netlab.Carry(t, netsim.MustParse("client 192.0.2.1\nnode r 10.0.1.1 silent\nnode t 10.0.9.9 deaf\npath 10.0.0.0/8 r t\n"), netlab.Device{})
		firewall(t, "ip route add unreachable 203.0.113.0/24")
		firewall(t, "ip route add unreachable 198.18.0.0/15")
	}
	netlab.Test(t, netlab.Config{Unprivileged: true, Setup: setup}, func(t *testing.T) {
		var before syscall.Rlimit
		check(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
		p, err := icmplib.NewProber(&icmplib.Config{Mode: socket.Datagram})
		check(t, err)
		defer p.Close()
		check(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: before.Max}))
		var targets []string
		for i := range 1000 {
			targets = append(targets, netip.AddrFrom4([4]byte{10, 0, 64 + byte(i>>8), byte(i)}).String(), netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}).String())
		}
		routes, err := p.MultiTraceroute(t.Context(), targets, &icmplib.MultiTracerouteOptions{
			MaxHops: 1, Count: 1, Timeout: 20 * time.Millisecond, Rate: -1, HopRate: -1, Packet: icmplib.Packet{Protocol: icmplib.TCP},
		})
		check(t, err)
		for i, r := range routes {
			switch silent := i%2 == 0; {
			case silent && (r.Err != nil || len(r.Hops) != 1 || r.Hops[0].PacketsSent != 1 || r.Hops[0].Silent != 1):
				t.Errorf("%s: %v", r.Name, r)
			case !silent && (r.Err == nil || !isNoRoute(r.Err)):
				t.Errorf("%s: %v", r.Name, r.Err)
			}
			if t.Failed() {
				return
			}
		}
	})
}

func isNoRoute(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENETUNREACH, syscall.EHOSTUNREACH} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
