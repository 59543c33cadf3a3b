package icmplib

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// Kernels as routers, and as what sends: with raw sockets, and without
// privileges.
func TestPathMTUThroughRoutersThatAreKernels(t *testing.T) {
	for _, v := range mtuVariants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: v.datagram,
				Setup:        func(t *testing.T) { chain.Build(t) },
			}, func(t *testing.T) { mtuThroughRouters(t, v) })
		})
	}
}

func mtuThroughRouters(t *testing.T, v variant) {
	p := kernelProber(t, v)
	defer p.Close()
	for _, target := range chain.Target {
		t.Run(target.String(), func(t *testing.T) {
			// What the kernel remembers of the path must not pass for what the
			// interface takes.
			if got := rememberedMTU(t, target); got != netlab.ChainMTU {
				t.Fatalf("the kernel remembers an MTU of %d", got)
			}
			m, err := p.PathMTU(t.Context(), target.String(), &PathMTUOptions{Timeout: patient, Packet: Packet{Protocol: v.protocol}})
			if err != nil {
				t.Fatal(err)
			}
			if m.MTU != netlab.ChainMTU || !m.Confirmed || !m.Exact || !m.Reached || m.LocalMTU != 1500 || len(m.BlackHoles) > 0 {
				t.Errorf("%+v", m)
			}
			if hops, want := mtuFigure(m, "hops"), fmt.Sprintf("1500,1500,%d,%[1]d", netlab.ChainMTU); hops != want {
				t.Errorf("hops %s, want %s", hops, want)
			}
			if sources := mtuFigure(m, "sources"); sources != "kept,kept,reported,kept" {
				t.Errorf("sources %s", sources)
			}
		})
	}
}

// The options of IPv4 and IPv6: what is the MTU, and that packets are not to be
// fragmented.
var mtuOptionNumbers = [2]struct{ level, discover, mtu int }{
	{syscall.IPPROTO_IP, 10, 14},
	{syscall.IPPROTO_IPV6, 23, 24},
}

// rememberedMTU has the kernel learn how much of a packet gets to a target, and
// returns what it then knows.
func rememberedMTU(t *testing.T, target netip.Addr) (mtu int) {
	t.Helper()
	option := mtuOptionNumbers[0]
	if target.Is6() {
		option = mtuOptionNumbers[1]
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(target, 9)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for patience := time.Now().Add(10 * time.Second); time.Now().Before(patience); { // the answer comes as soon as the kernels have the time
		_, _ = c.Write(make([]byte, 1400)) // it is refused once the kernel knows
		err = raw.Control(func(fd uintptr) {
			const do = 2
			_ = syscall.SetsockoptInt(int(fd), option.level, option.discover, do)
			mtu, _ = syscall.GetsockoptInt(int(fd), option.level, option.mtu)
		})
		if err != nil {
			t.Fatal(err)
		}
		if mtu < 1500 {
			return mtu
		}
	}
	return mtu
}

// tracepath finds the same in the same place.
func TestPathMTUAgreesWithTracepath(t *testing.T) {
	if _, err := exec.LookPath("tracepath"); err != nil {
		t.Skip("tracepath is not installed")
	}
	netlab.Test(t, netlab.Config{
		PingGroups:   true,
		Unprivileged: true,
		Tries:        3, // it waits in real time
		Setup:        func(t *testing.T) { chain.Build(t) },
	}, func(t *testing.T) {
		for _, target := range chain.Target {
			cmd := exec.CommandContext(t.Context(), "tracepath", "-n", target.String())
			cmd.Env = append(cmd.Environ(), "LC_ALL=C")
			output, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			p, err := NewProber(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			m, err := p.PathMTU(t.Context(), target.String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile(`Resume: pmtu (\d+)`).FindSubmatch(output)
			if found == nil || string(found[1]) != strconv.Itoa(m.MTU) {
				t.Errorf("the MTU is %d, by tracepath\n%s", m.MTU, output)
			}
		}
	})
}

// On the loopback interface everything fits, up to the largest packet there is.
func TestPathMTUOfThisHost(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: true}, func(t *testing.T) {
		p, err := NewProber(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, target := range []string{"127.0.0.1", "::1"} {
			m, err := p.PathMTU(t.Context(), target, nil)
			if err != nil || m.MTU != 65535 || !m.Confirmed || len(m.Hops) != 1 {
				t.Errorf("%+v, %v", m, err)
			}
		}
	})
}

// The scenarios in which nothing is silent, behind the kernel: what routers tell
// wrong comes in packets that the kernel has judged.
func TestPathMTUInSimulatedNetworksBehindTheKernel(t *testing.T) {
	var prompt []scenario
	for _, s := range loadScenarios(t, "testdata/mtu/*.net") {
		if strings.HasPrefix(s.name, "told-") || strings.HasPrefix(s.name, "falling") || s.name == "mtu-hidden" {
			prompt = append(prompt, s)
		}
	}
	for _, v := range mtuVariants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: v.datagram,
				Tries:        3,
				Setup:        func(t *testing.T) { carryAll(t, prompt, netlab.AnyDevice) },
			}, func(t *testing.T) { mtuOfAll(t, prompt, v) })
		})
	}
}

func mtuOfAll(t *testing.T, scenarios []scenario, v variant) {
	p := kernelProber(t, v)
	defer p.Close()
	paths, errs := make([]*MTUReport, len(scenarios)), make([]error, len(scenarios))
	var all sync.WaitGroup
	for i := range scenarios {
		all.Go(func() {
			opts := scenarios[i].command.mtuOptions(t, v)
			opts.Packet.Interface = simDevice(i)
			paths[i], errs[i] = p.PathMTU(t.Context(), scenarios[i].command.words[1], opts)
		})
	}
	all.Wait()
	for i, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			for name, want := range s.wantedOf(v) {
				if name == "within" {
					continue
				}
				if got := mtuFigure(paths[i], name); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		})
	}
}
