package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// The program for Windows, run by Wine behind kernel routers. The script .ci/windows
// sets where they are.
const (
	wineVariable    = "ICMPLIB_WINE"     // Wine's loader
	programVariable = "ICMPLIB_WINE_EXE" // the program, for Windows
	stubVariable    = "ICMPLIB_WINE_DLL" // what Wine lacks for it: bcryptprimitives.dll
)

// wine is an installation of Wine of the test's own, with a server that runs in the
// namespace of the test: it is the server that sends the packets.
type wine struct {
	loader, program string
	environment     []string
}

func startWine(t *testing.T) *wine {
	t.Helper()
	home := t.TempDir()
	w := &wine{os.Getenv(wineVariable), os.Getenv(programVariable), append(os.Environ(),
		"HOME="+home, "WINEPREFIX="+filepath.Join(home, "prefix"), "WINEDEBUG=-all")}
	w.run(t, w.loader, "wineboot", "-i")
	stub, err := os.ReadFile(os.Getenv(stubVariable))
	if err != nil {
		t.Fatal(err)
	}
	system := filepath.Join(home, "prefix", "drive_c", "windows", "system32")
	if err := os.WriteFile(filepath.Join(system, "bcryptprimitives.dll"), stub, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.run(t, filepath.Join(filepath.Dir(w.loader), "wineserver64"), "-k") })
	return w
}

// run runs a command, and returns what it printed and its exit code.
func (w *wine) run(t *testing.T, line ...string) command {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = w.environment, &stdout, &stderr
	cmd.WaitDelay = time.Second // the server that it started holds the pipes
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return command{cmd.ProcessState.ExitCode(), strings.ReplaceAll(stdout.String(), "\r\n", "\n"), stderr.String()}
}

// icmp runs the program.
func (w *wine) icmp(t *testing.T, line ...string) command {
	t.Helper()
	c := w.run(t, append([]string{w.loader, w.program}, line...)...)
	c.stderr = "" // Wine's own complaints are there, too
	return c
}

func TestTheProgramForWindowsBehindKernelRouters(t *testing.T) {
	for _, variable := range []string{wineVariable, programVariable, stubVariable} {
		if os.Getenv(variable) == "" {
			t.Skip("runs by .ci/windows, which sets " + variable)
		}
	}
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		chain := netlab.ChainOf(3)
		chain.Build(t)
		w := startWine(t)
		target := chain.Target[0].String()
		t.Run("ping", func(t *testing.T) {
			w.icmp(t, "ping", "--mode", "datagram", "-c", "3", "-i", "0.05", target).
				checkOutput(t, exitAlive, `(?s)64 bytes from `+target+`: seq=0 ttl=61 .*3 packets transmitted, 3 received, 0% packet loss`)
		})
		t.Run("the time is the counter's", func(t *testing.T) {
			w.icmp(t, "ping", "--json", "-c", "1", target).checkOutput(t, exitAlive, `"min_rtt_ms":0*[1-9.]`)
		})
		t.Run("a router is what answers a small TTL", func(t *testing.T) {
			w.icmp(t, "ping", "-c", "1", "--ttl", "2", target).
				checkOutput(t, exitDead, chain.Routers[1][0].String()+`.*[Tt]ime.*exceeded`)
		})
		t.Run("traceroute", func(t *testing.T) {
			var hops strings.Builder
			for i, r := range append(chain.Routers, chain.Target) {
				fmt.Fprintf(&hops, `(?s) *%d +.*%s.*`, i+1, strings.ReplaceAll(r[0].String(), ".", `\.`))
			}
			w.icmp(t, "traceroute", "-n", target).checkOutput(t, exitAlive, hops.String())
		})
		t.Run("many hosts at once", func(t *testing.T) {
			w.icmp(t, "multiping", "-c", "2", "-p", "50ms", "127.0.0.1", target, chain.Routers[0][0].String()).
				checkOutput(t, exitAlive, `(?s)127\.0\.0\.1.*`+target)
		})
		t.Run("what is silent is no reply", func(t *testing.T) {
			silence(t)
			w.icmp(t, "ping", "-c", "1", "-W", "0.3", "127.0.0.1").
				checkOutput(t, exitDead, `1 packets? transmitted, 0 received, 100% packet loss`)
		})
	})
}
