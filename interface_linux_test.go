package icmplib_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// The interface that a Prober was told to use is removed, and later there is one of
// its name again: what cannot be sent meanwhile is a send error, a Monitor tells of
// the outage and its end, and all recover by themselves.
func TestAnInterfaceThatIsMadeAgainIsFoundAgain(t *testing.T) {
	netlab.EachSocket(t, serveLink, func(t *testing.T, mode socket.Mode) {
		p, err := icmplib.NewProber(&icmplib.Config{Mode: mode, Interface: "mon0"})
		check(t, err)
		defer p.Close()
		for _, target := range []string{"10.77.0.2", "fd77::2", "fe80::2%mon0"} {
			pingOverNewLink(t, p, target)
			monitorOverNewLink(t, p, target)
			for _, packet := range []icmplib.Packet{
				{Protocol: icmplib.ICMP},
				{Protocol: icmplib.UDP},
				{Protocol: icmplib.UDP, SourcePort: 45678},
				{Protocol: icmplib.TCP},
				{Protocol: icmplib.SCTP},
			} {
				if packet.Protocol == icmplib.SCTP && mode == socket.Datagram {
					continue
				}
				traceOverNewLink(t, p, target, packet)
			}
			mtuOfALinkThatGoes(t, p, target)
		}
	})
}

// An address of an interface and a zone name it as well.
func TestASourceWithAZoneIsFoundAgain(t *testing.T) {
	for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
		t.Run(mode.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Setup: serveLink}, func(t *testing.T) {
				p, err := icmplib.NewProber(&icmplib.Config{Mode: mode, Source6: netip.MustParseAddr("fe80::1%mon0")})
				check(t, err)
				defer p.Close()
				pingOverNewLink(t, p, "fe80::2%mon0")
				traceOverNewLink(t, p, "fe80::2%mon0", icmplib.Packet{Protocol: icmplib.UDP})
				traceOverNewLink(t, p, "fe80::2%mon0", icmplib.Packet{Protocol: icmplib.TCP})
			})
		})
	}
}

// linkServer is where the process with privileges removes the link and makes it
// again, for one that has none: an abstract name, which belongs to the namespace.
const linkServer = "@icmplib-link"

// serveLink makes a link to another host, and serves linkServer.
func serveLink(t *testing.T) {
	other := netlab.NewNamespace(t)
	check(t, newLink(other))
	l, err := net.Listen("unix", linkServer)
	check(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			switch word, _ := bufio.NewReader(c).ReadString('\n'); word {
			case "remove\n":
				err = netlab.RemoveLink("mon0")
			case "make\n":
				err = newLink(other)
			}
			fmt.Fprintln(c, err)
			c.Close()
		}
	}()
}

func newLink(other *netlab.Namespace) error {
	if err := errors.Join(netlab.AddVeth("mon0", "mon1"), other.Take("mon1")); err != nil {
		return err
	}
	addresses := func(name, host string) (errs error) {
		for _, prefix := range []string{"10.77.0." + host + "/24", "fd77::" + host + "/64", "fe80::" + host + "/64"} {
			errs = errors.Join(errs, netlab.AddAddress(name, netip.MustParsePrefix(prefix)))
		}
		return errors.Join(errs, netlab.LinkUp(name))
	}
	return errors.Join(other.Do(func() error { return addresses("mon1", "2") }), addresses("mon0", "1"))
}

// link has the link removed or made again.
func link(t *testing.T, word string) {
	t.Helper()
	c, err := net.Dial("unix", linkServer)
	check(t, err)
	defer c.Close()
	fmt.Fprintln(c, word)
	if answer, err := bufio.NewReader(c).ReadString('\n'); err != nil || answer != "<nil>\n" {
		t.Fatalf("to %s the link: %q, %v", word, answer, err)
	}
}

// mtuOfALinkThatGoes has the link removed while the MTU is looked for, whenever that is: no
// figure is more than the link took.
func mtuOfALinkThatGoes(t *testing.T, p *icmplib.Prober, target string) {
	t.Helper()
	found := make(chan *icmplib.MTUReport, 1)
	go func() {
		m, _ := p.PathMTU(t.Context(), target, &icmplib.PathMTUOptions{Timeout: 200 * time.Millisecond, MaxHops: 3})
		found <- m
	}()
	link(t, "remove")
	if m := <-found; m != nil && (m.MTU > 1500 || m.LocalMTU > 1500) {
		t.Errorf("the MTU of %s: %v, of a link that takes 1500 bytes", target, m)
	}
	link(t, "make")
}

func pingOverNewLink(t *testing.T, p *icmplib.Prober, target string) {
	t.Helper()
	broken := func(r icmplib.Result) bool {
		if r.Cause != nil && r.Status != icmplib.StatusNetworkDown {
			t.Errorf("ping %s: %v", target, r)
		}
		return r.Cause != nil
	}
	remove := func() error { link(t, "remove"); return nil }
	remake := func() error { link(t, "make"); return nil }
	breakAndMend(t, p, netip.MustParseAddr(target), remove, remake, broken)
}

func monitorOverNewLink(t *testing.T, p *icmplib.Prober, target string) {
	t.Helper()
	const down, up = icmplib.EventOutage, icmplib.EventRecovery
	broken, told := false, false
	for s, err := range p.Monitor(t.Context(), target, &icmplib.MonitorOptions{
		Interval: 20 * time.Millisecond, Timeout: 200 * time.Millisecond, Rounds: 1000, MaxHops: 4,
	}) {
		check(t, err)
		if !broken && s.Reached && s.Round > 3 {
			link(t, "remove")
			broken = true
		}
		for _, e := range s.Events {
			switch {
			case e.Kind == down && broken && !told:
				told = true
				link(t, "make")
			case e.Kind == up && told:
				return
			default:
				t.Fatalf("monitor %s, round %d: %+v", target, s.Round, e)
			}
		}
	}
	t.Fatalf("monitor %s: no outage (%t), or no end of it", target, told)
}

func traceOverNewLink(t *testing.T, p *icmplib.Prober, target string, packet icmplib.Packet) {
	t.Helper()
	trace := func() (*icmplib.Route, error) {
		return p.Traceroute(t.Context(), target, &icmplib.TracerouteOptions{MaxHops: 3, Count: 1, Timeout: 500 * time.Millisecond, Packet: packet})
	}
	// reaches gives a new link the time to come up.
	reaches := func(when string) {
		for range 50 {
			if r, err := trace(); err == nil && r.Reached || packet.Protocol == icmplib.SCTP && err == nil {
				return // the other host may have no SCTP
			}
		}
		r, err := trace()
		t.Fatalf("traceroute %s %v, %s: %v, %v", target, packet.Protocol, when, r, err)
	}
	reaches("before")
	link(t, "remove")
	if r, err := trace(); err == nil || r != nil && len(r.Hops) > 0 && r.Hops[0].Stats.SendErrors == 0 {
		t.Errorf("traceroute %s %v, without the interface: %v, %v", target, packet.Protocol, r, err)
	}
	link(t, "make")
	reaches("again")
}
