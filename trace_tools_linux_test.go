package icmplib

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// A row of routers that are kernels: each protocol, family and kind of socket
// finds the hops that are there.
func TestTracerouteThroughRoutersThatAreKernels(t *testing.T) {
	for _, v := range traceVariants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: v.datagram,
				Setup:        func(t *testing.T) { chain.Build(t) },
			}, func(t *testing.T) { traceThroughRouters(t, v) })
		})
	}
}

func traceThroughRouters(t *testing.T, v variant) {
	p := kernelProber(t, v)
	defer p.Close()
	for family, target := range chain.Target {
		for _, port := range []uint16{0, 4000} {
			if port != 0 && v.protocol == ICMP {
				continue
			}
			t.Run(fmt.Sprintf("IPv%d from port %d", 4+2*family, port), func(t *testing.T) {
				opts := &TracerouteOptions{Timeout: patient, Packet: Packet{Protocol: v.protocol, SourcePort: port}}
				route, err := p.Traceroute(t.Context(), target.String(), opts)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := hopAddresses(route), wayThroughChain(family); !slices.Equal(got, want) {
					t.Errorf("hops %v, want %v", got, want)
				}
				// A kernel without SCTP says of itself that it has none.
				if route.End != EndReached && v.protocol != SCTP {
					t.Errorf("end: %v", route.End)
				}
				checkAllAnswered(t, route)
			})
		}
	}
}

func checkAllAnswered(t *testing.T, r *Route) {
	t.Helper()
	for i := range r.Hops {
		if h := &r.Hops[i]; h.PacketsReceived != 2 || h.PacketsSent != 2 {
			t.Errorf("hop %d: %d of %d answered", h.Distance, h.PacketsReceived, h.PacketsSent)
		}
	}
}

func hopAddresses(r *Route) (all []netip.Addr) {
	for i := range r.Hops {
		all = append(all, r.Hops[i].Address)
	}
	return all
}

func wayThroughChain(family int) (way []netip.Addr) {
	for _, r := range chain.Routers {
		way = append(way, r[family])
	}
	return append(way, chain.Target[family])
}

// What people use finds the same hops in the same place.
var traceTools = []struct {
	command string
	packet  Packet
	read    func(output string) []netip.Addr
}{
	{"traceroute -n -q 1 -w 2 -I", Packet{}, hopsOfLines},
	{"traceroute -n -q 1 -w 2 -U -p 33434", Packet{Protocol: UDP}, hopsOfLines},
	{"traceroute -n -q 1 -w 2 -T -p 80", Packet{Protocol: TCP}, hopsOfLines},
	{"tracepath -n", Packet{Protocol: UDP}, hopsOfLines},
	{"mtr -n -c 1 -i 0.5 -G 1 --json", Packet{}, hopsOfMTR},
	{"mtr -n -c 1 -i 0.5 -G 1 --json -u", Packet{Protocol: UDP}, hopsOfMTR},
	{"mtr -n -c 1 -i 0.5 -G 1 --json -T", Packet{Protocol: TCP}, hopsOfMTR},
}

func TestTracerouteAgreesWithOtherTools(t *testing.T) {
	t.Parallel()
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		chain.Build(t)
		p, err := NewProber(&Config{Mode: socket.Raw})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		outputs := make([][2]string, len(traceTools))
		var all sync.WaitGroup
		for i, tool := range traceTools {
			for family := range chain.Target {
				all.Go(func() { outputs[i][family] = runTool(t, tool.command, family, tool.read) })
			}
		}
		all.Wait()
		for i, tool := range traceTools {
			t.Run(tool.command, func(t *testing.T) {
				for family, target := range chain.Target {
					route, err := p.Traceroute(t.Context(), target.String(), &TracerouteOptions{Count: 1, Timeout: patient, Packet: tool.packet})
					if err != nil {
						t.Fatal(err)
					}
					output := outputs[i][family]
					if output == "" {
						t.Skip("it is not installed")
					}
					if ours, theirs := hopAddresses(route), tool.read(output); !slices.Equal(ours, theirs) {
						t.Errorf("hops %v, and by the tool %v:\n%s", ours, theirs, output)
					}
				}
			})
		}
	})
}

// runTool runs a tool, up to three times until it finds the way that there is:
// on a busy machine some of them overlook an answer. It returns nothing where
// the tool is not installed.
func runTool(t *testing.T, command string, family int, read func(string) []netip.Addr) (output string) {
	words := strings.Fields(command)
	if _, err := exec.LookPath(words[0]); err != nil {
		return ""
	}
	if family == 1 && words[0] == "traceroute" {
		words = append(words, "-6")
	}
	for range 3 {
		cmd := exec.CommandContext(t.Context(), words[0], append(words[1:], chain.Target[family].String())...)
		cmd.Env = append(cmd.Environ(), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Error(err)
		}
		if output = string(out); slices.Equal(read(output), wayThroughChain(family)) {
			break
		}
	}
	return output
}

// hopsOfLines reads lines that begin with a distance and an address, as those
// of traceroute and tracepath do; of several for a distance, the last counts.
func hopsOfLines(output string) (hops []netip.Addr) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		distance, err := strconv.Atoi(strings.TrimRight(words[0], ":?"))
		if err != nil || distance < 1 || strings.HasSuffix(words[0], "?:") {
			continue
		}
		a, _ := netip.ParseAddr(words[1])
		hops = append(hops[:min(distance-1, len(hops))], a)
	}
	return hops
}

// hopsOfMTR reads the report of mtr.
func hopsOfMTR(output string) (hops []netip.Addr) {
	var report struct {
		Report struct {
			Hubs []struct{ Host string }
		}
	}
	if err := json.Unmarshal([]byte(output), &report); err != nil {
		return nil
	}
	for _, hub := range report.Report.Hubs {
		a, _ := netip.ParseAddr(hub.Host)
		hops = append(hops, a)
	}
	return hops
}
