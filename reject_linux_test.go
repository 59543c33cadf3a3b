package icmplib_test

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

// firewall adds a rule to this host's, or skips the test.
func firewall(t *testing.T, rule string) {
	t.Helper()
	words := strings.Fields(rule)
	if _, err := exec.LookPath(words[0]); err != nil {
		t.Skipf("%s is not installed", words[0])
	}
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%s: %v: %s", rule, err, out)
	}
}

// A rule of this host's firewall rejects the probes: the kernel first hands us
// the ICMP error of that, and then says EPERM. None was sent, each is counted
// once, and nothing waits for them.
func TestWhatTheFirewallRejectsIsNotSent(t *testing.T) {
	for _, tt := range []struct{ rules, target string }{
		{"iptables -A OUTPUT -d 10.77.0.9 -j REJECT", "10.77.0.9"},
		{"ip6tables -A OUTPUT -d fd77::9 -j REJECT", "fd77::9"},
		{"nft add table inet f | nft add chain inet f o { type filter hook output priority 0 ; } | nft add rule inet f o ip daddr 10.77.0.9 reject with icmp type admin-prohibited", "10.77.0.9"},
	} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			t.Run(strings.Fields(tt.rules)[0]+", "+mode.String(), func(t *testing.T) {
				netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
					rejecting(t)
					for rule := range strings.SplitSeq(tt.rules, "|") {
						firewall(t, rule)
					}
					p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
					check(t, err)
					defer p.Close()
					if mode == socket.Datagram && strings.HasPrefix(tt.rules, "ip6tables") {
						rejectsLater(t, p, tt.target)
						return
					}
					rejectsEach(t, p, tt.target)
				})
			})
		}
	}
}

// rejecting makes an interface through which the targets would be reached.
func rejecting(t *testing.T) {
	t.Helper()
	check(t, netlab.AddVeth("mon0", "mon1"))
	check(t, netlab.AddAddress("mon0", netip.MustParsePrefix("10.77.0.1/24")))
	check(t, netlab.AddAddress("mon0", netip.MustParsePrefix("fd77::1/64")))
	check(t, netlab.LinkUp("mon0"))
	check(t, netlab.LinkUp("mon1"))
	for tries := 0; ; tries++ { // errors of this host come to its address as soon as that answers
		host, err := icmplib.Ping(t.Context(), "fd77::1", &icmplib.PingOptions{Count: 1, Timeout: 100 * time.Millisecond})
		if err == nil && host.IsAlive() || tries == 100 {
			return
		}
	}
}

// rejectsLater is for the one kind of socket that the kernel tells nothing of a
// packet that was rejected: for it each was sent, and met an ICMP error.
func rejectsLater(t *testing.T, p *icmplib.Prober, target string) {
	host, err := p.Ping(t.Context(), target, &icmplib.PingOptions{Count: 200, Interval: 50 * time.Microsecond})
	check(t, err)
	if host.PacketsSent != 200 || host.ICMPErrors != 200 || host.SendErrors != 0 {
		t.Errorf("%d sent, %d errors, %d not sent", host.PacketsSent, host.ICMPErrors, host.SendErrors)
	}
}

// rejectsEach tries every operation.
func rejectsEach(t *testing.T, p *icmplib.Prober, target string) {
	t.Run("ping", func(t *testing.T) {
		for _, timeout := range []time.Duration{time.Second, time.Microsecond} {
			host, err := p.Ping(t.Context(), target, &icmplib.PingOptions{Count: 200, Interval: 50 * time.Microsecond, Timeout: timeout})
			check(t, err)
			if host.SendErrors != 200 || host.PacketsSent != 0 || !isRejected(host.Err) {
				t.Errorf("%d not sent, %d sent, %v", host.SendErrors, host.PacketsSent, host.Err)
			}
		}
	})
	t.Run("multiping", func(t *testing.T) {
		hosts, err := p.MultiPing(t.Context(), slices.Repeat([]string{target}, 20), &icmplib.MultiPingOptions{Count: 5, Interval: time.Millisecond})
		check(t, err)
		for _, h := range hosts {
			if h.SendErrors != 5 || h.PacketsSent != 0 || !isRejected(h.Err) {
				t.Errorf("%d not sent, %d sent, %v", h.SendErrors, h.PacketsSent, h.Err)
			}
		}
	})
	t.Run("traceroute", func(t *testing.T) {
		for _, protocol := range []icmplib.Protocol{icmplib.ICMP, icmplib.UDP} {
			route, err := p.Traceroute(t.Context(), target, &icmplib.TracerouteOptions{MaxHops: 8, Packet: icmplib.Packet{Protocol: protocol}})
			if !isRejected(err) {
				t.Errorf("%v: %v", protocol, err)
			}
			if route == nil {
				continue
			}
			for _, h := range route.Hops {
				if h.PacketsSent != 0 {
					t.Errorf("%v: hop %d: %d sent", protocol, h.Distance, h.PacketsSent)
				}
			}
		}
	})
	t.Run("monitor", func(t *testing.T) {
		opts := &icmplib.MonitorOptions{Interval: 20 * time.Millisecond, Rounds: 5, MaxHops: 4}
		for snapshot, err := range p.Monitor(t.Context(), target, opts) {
			check(t, err)
			for _, h := range snapshot.Hops {
				if h.PacketsSent != 0 {
					t.Errorf("hop %d: %d sent", h.Distance, h.PacketsSent)
				}
			}
		}
	})
	t.Run("stream", func(t *testing.T) { streamIsRejected(t, p, netip.MustParseAddr(target)) })
	t.Run("watch", func(t *testing.T) { watchIsRejected(t, p, target) })
	t.Run("mtu", func(t *testing.T) {
		if r, err := p.PathMTU(t.Context(), target, nil); err == nil && r.Exact {
			t.Errorf("%v", r)
		}
	})
}

// isRejected reports whether an error says that a rule of this host's firewall is the reason,
// and nothing of privileges.
func isRejected(err error) bool {
	denied, ok := errors.AsType[*socket.PermissionError](err)
	return ok && errors.Is(err, syscall.EPERM) && strings.Contains(err.Error(), "a firewall rule of this host rejects or drops the packet") &&
		strings.Contains(denied.Cure, "iptables-save") && !strings.Contains(err.Error(), "CAP_NET")
}

// streamIsRejected sends batches of probes whose timeouts are shorter than the call: each has
// one result, with its tag.
func streamIsRejected(t *testing.T, p *icmplib.Prober, target netip.Addr) {
	s := p.NewStream()
	defer s.Close()
	const probes, atOnce = 300, 50
	seen := make([]int, probes)
	for from := 0; from < probes; from += atOnce {
		var batch []icmplib.StreamProbe
		for tag := from; tag < from+atOnce; tag++ {
			options := icmplib.ProbeOptions{Timeout: time.Microsecond, Packet: icmplib.Packet{Protocol: [...]icmplib.Protocol{icmplib.ICMP, icmplib.UDP}[tag%2]}}
			batch = append(batch, icmplib.StreamProbe{Dst: target, Tag: uint64(tag), ProbeOptions: options})
		}
		check(t, s.Send(t.Context(), batch))
		results := make([]icmplib.StreamResult, atOnce)
		for left := atOnce; left > 0; {
			n, err := s.Receive(t.Context(), results[:left])
			check(t, err)
			left -= n
			for i := range results[:n] {
				if seen[results[i].Tag]++; !isRejected(results[i].Cause) {
					t.Errorf("%v", results[i].Result)
				}
			}
		}
	}
	if i := slices.IndexFunc(seen, func(n int) bool { return n != 1 }); i >= 0 {
		t.Errorf("probe %d has %d results", i, seen[i])
	}
}

// watchIsRejected watches with a timeout that is shorter than the call: each result is that
// of a probe that was not sent, in order, and the host is down once.
func watchIsRejected(t *testing.T, p *icmplib.Prober, target string) {
	w, err := p.NewWatch(nil)
	check(t, err)
	defer w.Close()
	check(t, w.Set([]icmplib.WatchTarget{{Host: target, Probing: &icmplib.WatchProbing{Interval: time.Millisecond, Timeout: time.Microsecond}}}))
	results, downs := 0, 0
	for e, err := range w.Events(t.Context()) {
		check(t, err)
		switch e.Kind {
		case icmplib.WatchDown:
			downs++
		case icmplib.WatchUp:
			t.Errorf("it is up: %v", e.Result)
		case icmplib.WatchResult:
			if results++; !isRejected(e.Result.Cause) || e.Missed > 0 {
				t.Errorf("%v, %d missed", e.Result, e.Missed)
			}
		}
		if results == 100 {
			break
		}
	}
	if results != 100 || downs != 1 {
		t.Errorf("%d results, down %d times", results, downs)
	}
}

// An ICMP error of this host itself says that a probe went nowhere: a rule of its firewall
// rejects it, which a datagram socket of IPv6 is told of in no other way, or nobody answers
// for the address on the link. No hop has answered it, and no claim rests on it.
func TestWhatThisHostItselfRefusesGoesNowhere(t *testing.T) {
	const silence = "nobody has the address"
	for _, tt := range []struct {
		why, target string
		mode        socket.Mode
	}{
		{"ip6tables -A OUTPUT -d fd77::9 -p icmpv6 -j REJECT", "fd77::9", socket.Datagram},
		{"ip6tables -A OUTPUT -d fd77::9 -p icmpv6 -j REJECT --reject-with adm-prohibited", "fd77::9", socket.Datagram},
		{silence, "10.77.0.9", socket.Raw},
		{silence, "10.77.0.9", socket.Datagram},
		{silence, "fd77::9", socket.Raw},
		{silence, "fd77::9", socket.Datagram},
	} {
		t.Run(tt.why+", "+tt.target+", "+tt.mode.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				rejecting(t)
				protocols := []icmplib.Protocol{icmplib.ICMP}
				if tt.why == silence {
					givesUpSoon(t)
					protocols = append(protocols, icmplib.UDP)
				} else {
					firewall(t, tt.why)
				}
				p, err := icmplib.NewProber(&icmplib.Config{Mode: tt.mode})
				check(t, err)
				defer p.Close()
				for _, protocol := range protocols {
					goesNowhere(t, p, tt.target, icmplib.Packet{Protocol: protocol})
				}
			})
		})
	}
}

// givesUpSoon has the kernel ask twice within 20 ms who has an address, in place of three
// times within three seconds.
func givesUpSoon(t *testing.T) {
	for _, version := range []string{"ipv4", "ipv6"} {
		dir := "/proc/sys/net/" + version + "/neigh/mon0/"
		check(t, os.WriteFile(dir+"retrans_time_ms", []byte("10"), 0))
		check(t, os.WriteFile(dir+"mcast_solicit", []byte("2"), 0))
	}
}

// goesNowhere tries what takes an answer for a sign of something on the way.
func goesNowhere(t *testing.T, p *icmplib.Prober, target string, packet icmplib.Packet) {
	t.Helper()
	const soon = 500 * time.Millisecond
	dst := netip.MustParseAddr(target)
	for tries := 0; ; tries++ { // the link has only come up
		if r, err := p.Probe(t.Context(), dst, &icmplib.ProbeOptions{Timeout: 200 * time.Millisecond, Packet: packet}); r.Local || err != nil || tries == 50 {
			break
		}
	}
	for r, err := range p.PingSeq(t.Context(), target, &icmplib.PingOptions{Count: 3, Interval: time.Millisecond, Timeout: soon, Packet: packet}) {
		check(t, err)
		if !r.Local || r.Status != icmplib.StatusUnreachable {
			t.Errorf("%v: %v, local %t", packet.Protocol, r, r.Local)
		}
	}
	m, err := p.PathMTU(t.Context(), target, &icmplib.PathMTUOptions{MaxHops: 3, Interval: time.Millisecond, Timeout: soon, Packet: packet})
	check(t, err)
	if m.Reached || m.Confirmed || m.Exact {
		t.Errorf("%v: %v", packet.Protocol, m)
	}
	for _, flows := range []int{1, -1} {
		route, err := p.Traceroute(t.Context(), target, &icmplib.TracerouteOptions{MaxHops: 3, Flows: flows, Timeout: soon, Packet: packet})
		check(t, err)
		if route.End != icmplib.EndUnreachable || route.Graph != nil && route.Graph.Complete {
			t.Errorf("%v, %d flows: %v, %+v", packet.Protocol, flows, route, route.Graph)
		}
		for _, h := range route.Hops {
			if h.PacketsReceived != 0 || h.PacketLoss() != 1 || !h.Responders[0].Local || h.Responders[0].PacketsReceived != 0 {
				t.Errorf("%v, %d flows: %v, %+v", packet.Protocol, flows, route, h.Responders)
			}
		}
	}
	l, err := p.ExplainLoss(t.Context(), target, &icmplib.ExplainLossOptions{
		SlowCount: 10, SlowInterval: 40 * time.Millisecond, FastCount: 10, FastInterval: 10 * time.Millisecond, MaxHops: 3, Timeout: soon, Packet: packet,
	})
	check(t, err)
	for _, h := range l.Hops {
		if l.Verdict != icmplib.LossUnclear || h.Path != icmplib.LossUnclear || h.Slow.PacketsAnswered != 0 {
			t.Errorf("%v: %v", packet.Protocol, l)
		}
	}
}

// Thousands of probes are on their way whose TTL ends at six routers, and the
// errors of those that came back are the errno of sends, any number of them one
// after the other. None of them is taken for what becomes of another probe.
func TestErrorsOfEarlierProbesAreNobodyElses(t *testing.T) {
	const probes = 20_000 // 100,000 of each were tried by hand: none was wrong, silent or not sent
	const network = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1
node r2 10.0.1.2 2001:db8:1::2
node r3 10.0.1.3 2001:db8:1::3
node r4 10.0.1.4 2001:db8:1::4
node r5 10.0.1.5 2001:db8:1::5
node r6 10.0.1.6 2001:db8:1::6
node t 10.0.9.9 2001:db8:9::9
path 10.0.9.0/24 2001:db8:9::/64 r1 r2 r3 r4 r5 r6 t
`
	for _, tt := range []struct {
		protocol       icmplib.Protocol
		target, router string
	}{
		{icmplib.ICMP, "10.0.9.9", "10.0.1.1"}, {icmplib.UDP, "10.0.9.9", "10.0.1.1"},
		{icmplib.ICMP, "2001:db8:9::9", "2001:db8:1::1"}, {icmplib.UDP, "2001:db8:9::9", "2001:db8:1::1"},
	} {
		t.Run(tt.protocol.String()+" "+tt.target, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				n := netsim.MustParse(network)
				n.Quiet(true)
				netlab.Carry(t, n, netlab.Device{})
				p, err := icmplib.NewProber(&icmplib.Config{Mode: socket.Datagram})
				check(t, err)
				defer p.Close()
				pipeline(t, p, tt.protocol, netip.MustParseAddr(tt.target), netip.MustParseAddr(tt.router), probes)
			})
		})
	}
}

// pipeline sends probes with TTL 1 to 6, up to a thousand at once, to routers one behind the
// other. What is silent is so because our own socket lost it.
func pipeline(t *testing.T, p *icmplib.Prober, protocol icmplib.Protocol, target, router netip.Addr, probes int) {
	s := p.NewStream()
	defer s.Close()
	const window, atOnce = 1000, 50
	routers := []netip.Addr{router}
	for len(routers) < 6 {
		routers = append(routers, routers[len(routers)-1].Next())
	}
	results := make([]icmplib.StreamResult, 64)
	batch := make([]icmplib.StreamProbe, atOnce)
	wrong, silent, unproven := 0, 0, 0
	for sent, settled := 0, 0; settled < probes; {
		for sent < probes && sent-settled < window {
			for i := range batch {
				batch[i] = icmplib.StreamProbe{Dst: target, Tag: uint64(sent), ProbeOptions: icmplib.ProbeOptions{Timeout: 10 * time.Second}}
				batch[i].Packet = icmplib.Packet{Protocol: protocol, TTL: 1 + sent%6}
				sent++
			}
			check(t, s.Send(t.Context(), batch))
		}
		n, err := s.Receive(t.Context(), results)
		check(t, err)
		for i := range results[:n] {
			switch r := &results[i].Result; {
			case r.Status == icmplib.StatusNoReply && r.Suspect:
				silent++
			case r.Status != icmplib.StatusTTLExpired || r.Responder != routers[r.TTL-1]:
				if wrong++; wrong < 5 {
					t.Errorf("%v", r)
				}
			case r.Unproven:
				unproven++
			}
		}
		settled += n
	}
	c := p.Counters()
	t.Logf("%d wrong, %d lost by our own socket and %d unproven of %d: %+v", wrong, silent, unproven, probes, c)
	if unproven > 0 || c.PacketsSent != uint64(probes) || silent > 0 && c.Dropped == 0 {
		t.Errorf("%d unproven, %d silent, %d sent of %d, %d dropped", unproven, silent, c.PacketsSent, probes, c.Dropped)
	}
}
