package icmplib_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

const (
	crowdHosts = 1000
	crowdCount = 5

	// crowdVariable makes this test binary one of the processes of the crowd.
	crowdVariable = "ICMPLIB_CROWD"
)

// Two processes ping a thousand addresses each, at once and with the same
// sequence numbers: every reply goes to its own.
func TestACrowdOfPingsIsKeptApart(t *testing.T) {
	for _, tt := range []struct {
		name         string
		mode         string
		unprivileged bool
	}{
		{"with datagram sockets and no privileges", "datagram", true},
		{"with raw sockets", "raw", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: tt.unprivileged}, func(t *testing.T) {
				var processes sync.WaitGroup
				for range 2 {
					processes.Go(func() { joinCrowd(t, tt.mode) })
				}
				processes.Wait()
			})
		})
	}
}

func joinCrowd(t *testing.T, mode string) {
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestCrowdProcess$", "-test.v=true")
	cmd.Env = append(os.Environ(), crowdVariable+"="+mode)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestCrowdProcess")) {
		t.Errorf("one of the processes: %v\n%s", err, out)
	}
}

// TestCrowdProcess is one of the processes of the crowd.
func TestCrowdProcess(t *testing.T) {
	mode, err := socket.ParseMode(os.Getenv(crowdVariable))
	if err != nil {
		return // it is run by TestACrowdOfPingsIsKeptApart
	}
	warmUp(t) // before anything is counted
	goroutines, descriptors := runtime.NumGoroutine(), len(openFiles(t))

	p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	sockets := crowd(t, p)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if sockets > 2 {
		t.Errorf("%d sockets were open", sockets)
	}
	// What Close has told to end may not have left the count yet.
	for patience := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(patience); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines are left of %d", n, goroutines)
	}
	if files := openFiles(t); len(files) > descriptors {
		t.Errorf("descriptors are left: %v", files)
	}
}

// warmUp opens a socket and closes it, for what a process opens once and keeps.
func warmUp(t *testing.T) {
	if _, err := icmplib.Ping(t.Context(), "127.0.0.1", &icmplib.PingOptions{Count: 1}); err != nil {
		t.Fatal(err)
	}
}

// crowd pings the hosts and returns how many sockets were open meanwhile.
func crowd(t *testing.T, p *icmplib.Prober) (sockets int) {
	opts := &icmplib.PingOptions{Count: crowdCount, Interval: 20 * time.Millisecond, Timeout: 20 * time.Second}
	var all sync.WaitGroup
	for i := range crowdHosts {
		all.Go(func() {
			addr := netip.AddrFrom4([4]byte{127, 7, byte(i >> 8), byte(i)})
			h, err := p.Ping(t.Context(), addr.String(), opts)
			if err := checkCrowdHost(h, addr, err); err != nil {
				t.Error(err)
			}
			if i == crowdHosts-1 {
				for _, name := range openFiles(t) {
					if strings.HasPrefix(name, "socket:") {
						sockets++
					}
				}
			}
		})
	}
	all.Wait()
	if c := p.Counters(); c.PacketsSent != crowdHosts*crowdCount || c.PacketsReceived != c.PacketsSent || c.Duplicates+c.Late+c.Altered > 0 {
		t.Errorf("the counters are %+v", c)
	}
	return sockets
}

func checkCrowdHost(h *icmplib.Host, addr netip.Addr, err error) error {
	if err != nil {
		return err
	}
	if h.Address != addr || h.PacketsSent != crowdCount || h.PacketsReceived != crowdCount {
		return fmt.Errorf("%v: %+v", addr, h)
	}
	if len(h.RTTs()) != crowdCount || h.MinRTT() <= 0 {
		return errors.New("an RTT is missing")
	}
	return nil
}

// openFiles lists what the descriptors of this process refer to.
func openFiles(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			names = append(names, name)
		}
	}
	return names
}
