package icmplib

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// The scenarios of testdata/ping behind the real kernel: real sockets, whose
// packets a device carries to the simulated network and back. All scenarios
// are run at once in one namespace, each on a device of its own, and are to end
// as they do in memory. Only times may be longer, for the machine has other
// things to do, and on a slow one everything is made slower.
func TestPingInSimulatedNetworksBehindTheKernel(t *testing.T) {
	for _, kind := range []struct {
		name         string
		mode         socket.Mode
		unprivileged bool
		device       netlab.DeviceKind
	}{
		{"raw", socket.Raw, false, netlab.AnyDevice},
		{"datagram", socket.Datagram, false, netlab.Veth},
		{"datagram without privileges", socket.Datagram, true, netlab.AnyDevice},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			scenarios := slowed(t, embeddedScenarios(t), netlab.Slowness())
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: kind.unprivileged,
				Tries:        3,
				Setup:        func(t *testing.T) { carryAll(t, scenarios, kind.device) },
			}, func(t *testing.T) { pingAll(t, scenarios, kind.mode) })
		})
	}
}

// pingFiles are in the test binary, for a user without privileges may not be
// allowed to enter the directory that they are in.
//
//go:embed testdata/ping/*.net
var pingFiles embed.FS

func embeddedScenarios(t *testing.T) (all []scenario) {
	t.Helper()
	names, err := fs.Glob(pingFiles, "testdata/ping/*.net")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := pingFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parseScenario(t, name, string(text)))
	}
	return all
}

func carryAll(t *testing.T, scenarios []scenario, kind netlab.DeviceKind) {
	for i, s := range scenarios {
		netlab.Carry(t, s.network(t), netlab.Device{Name: simDevice(i), Kind: kind})
	}
}

func simDevice(i int) string { return fmt.Sprintf("sim%d", i) }

// pingAll runs the scenarios, then looks at what came out: tests that are run
// in parallel would be as few at a time as there are processors.
func pingAll(t *testing.T, scenarios []scenario, mode socket.Mode) {
	p, err := NewProber(&Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	results, errs := make([][]Result, len(scenarios)), make([]error, len(scenarios))
	var all sync.WaitGroup
	for i := range scenarios {
		all.Go(func() { results[i], errs[i] = scenarios[i].pingThrough(t, p, simDevice(i)) })
	}
	all.Wait()
	for i := range scenarios {
		t.Run(scenarios[i].name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			scenarios[i].checkBehindKernel(t, results[i], mode == socket.Datagram)
		})
	}
}

func (s *scenario) pingThrough(t *testing.T, p *Prober, device string) (results []Result, err error) {
	opts := s.command.pingOptions(t)
	opts.Packet.Interface = device
	for r, err := range p.PingSeq(t.Context(), s.command.words[1], opts) {
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}

func (s *scenario) checkBehindKernel(t *testing.T, results []Result, datagram bool) {
	host := &Host{}
	for _, r := range results {
		host.Add(r)
	}
	for name, want := range s.wanted(datagram) {
		got := figure(host, results, name)
		switch name {
		case "min", "avg", "max", "last", "rtts", "late-rtt":
			checkNotBefore(t, name, got, want)
		case "jitter", "stddev": // nothing is known about these
		case "statuses", "seqs": // their order depends on when the machine has time
			if got, want = sorted(got), sorted(want); got != want {
				t.Errorf("%s in some order are %s, want %s", name, got, want)
			}
		default:
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	checkInvariants(t, &host.Stats)
	if t.Failed() {
		for _, r := range results {
			t.Log(r)
		}
	}
}

// wanted returns what figures are to be, for a kind of socket.
func (s *scenario) wanted(datagram bool) map[string]string {
	want := map[string]string{}
	for name, value := range s.want.values {
		variant, ok := s.want.values[name+"-datagram"]
		switch {
		case isVariant(name):
		case datagram && ok:
			want[name] = variant
		default:
			want[name] = value
		}
	}
	return want
}

// checkNotBefore compares durations, of which none may be shorter than the
// network made it.
func checkNotBefore(t *testing.T, name, got, want string) {
	t.Helper()
	gots, wants := strings.Split(got, ","), strings.Split(want, ",")
	if len(gots) != len(wants) {
		t.Errorf("%s are %s, want as many as %s", name, got, want)
		return
	}
	for i := range wants {
		got, err := time.ParseDuration(gots[i])
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.ParseDuration(wants[i])
		if err != nil {
			t.Fatal(err)
		}
		if got < want {
			t.Errorf("%s: %v is sooner than the network answers, which is after %v", name, got, want)
		}
	}
}

func sorted(list string) string {
	words := strings.Split(list, ",")
	slices.Sort(words)
	return strings.Join(words, ",")
}
