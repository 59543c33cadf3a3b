package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// serveVariable makes the test binary the program that it tests.
const serveVariable = "ICMPLIB_MTR_PACKET"

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// path is three routers, one of them silent and one with labels, and a target.
const path = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1 delay=5ms
	node r2 10.0.2.1 2001:db8:2::1 delay=5ms silent
	node r3 10.0.3.1 2001:db8:3::1 delay=5ms mpls=16010/3/1
	node t 10.0.9.9 2001:db8:9::9 delay=10ms
	path 10.0.9.0/24 2001:db8:9::/64 r1 r2 r3 t`

// Mtr itself sees the same path with this helper as with its own.
func TestMtrRunsOnIt(t *testing.T) {
	mtr, err := exec.LookPath("mtr")
	if err != nil {
		t.Skipf("mtr is not installed: %v", err)
	}
	own, err := exec.LookPath("mtr-packet")
	if err != nil {
		t.Skipf("mtr's own helper is not installed: %v", err)
	}
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		netlab.Carry(t, netsim.MustParse(path), netlab.Device{})
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, arguments := range [][]string{
			{"10.0.9.9"}, {"-u", "10.0.9.9"}, {"-T", "10.0.9.9"}, {"-6", "2001:db8:9::9"}, {"-6", "-u", "2001:db8:9::9"},
		} {
			all.Go(func() { seesThePath(t, mtr, self, own, arguments) })
		}
		all.Wait()
	})
}

// seesThePath runs mtr with this helper, up to three times until it sees the
// path: mtr itself overlooks answers on a busy machine, with any helper. What it
// sees with its own is said beside it where it never does.
func seesThePath(t *testing.T, mtr, self, own string, arguments []string) {
	want := []string{"10.0.1.1", "???", "10.0.3.1", "10.0.9.9"}
	if arguments[0] == "-6" {
		want = []string{"2001:db8:1::1", "???", "2001:db8:3::1", "2001:db8:9::9"}
	}
	var ours []string
	var err error
	for range 3 {
		if ours, err = hops(mtr, self, arguments); err == nil && slices.Equal(ours, want) {
			return
		}
	}
	theirs, theirErr := hops(mtr, own, arguments)
	t.Errorf("%v: with this helper mtr sees %v (%v), with its own %v (%v), want %v", arguments, ours, err, theirs, theirErr, want)
}

// hops runs mtr with a helper and returns whom it saw.
func hops(mtr, helper string, arguments []string) (seen []string, err error) {
	cmd := exec.Command(mtr, append([]string{"-n", "-j", "-c", "2", "-i", "0.2", "-G", "1"}, arguments...)...)
	cmd.Env = append(os.Environ(), "MTR_PACKET="+helper, serveVariable+"=1")
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var report struct {
		Report struct {
			Hubs []struct{ Host string }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("%w in\n%s", err, out)
	}
	for _, hub := range report.Report.Hubs {
		seen = append(seen, hub.Host)
	}
	return seen, nil
}
