package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/fleet/wire"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// behindTheKernel is what the processes see, in a namespace of their own: see internet.
const behindTheKernel = internet

// slow is how a sweep takes long enough for something to happen meanwhile. Everybody answers at once:
// the timeout is for a machine that stands still.
var slow = []string{"-d", "-c", "2", "-i", "500ms", "-w", "20s"}

// inNamespace runs f in a namespace with the network, beside other tests. The pings of the mesh are lost
// where the machine stands still for their timeout of 2 s: then it is run again.
func inNamespace(t *testing.T, f func(t *testing.T, network *netsim.Network)) {
	t.Parallel()
	netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) {
		network := netsim.MustParse(behindTheKernel)
		network.Quiet(true)
		netlab.Carry(t, network, netlab.Device{})
		f(t, network)
	})
}

// threeAgents is a fleet with a mesh whose truth is known.
func threeAgents(t *testing.T) *fleetOfProcesses {
	f := newProcesses(t, "--mesh-every", "2s", "--mesh-count", "9")
	f.startHub()
	return f
}

// sweep begins one of so many targets that answer, and the forbidden ones between them.
func (f *fleetOfProcesses) sweep(targets int) []string {
	f.t.Helper()
	all := amid(addresses("10.9.0.0", targets))
	f.mustRun(0, append([]string{"sweep", writeFile(f.t, lines(all))}, slow...)...)
	return all
}

func TestAKilledAgentInTheMiddleOfAShard(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		victim := f.startAgent(f.enroll("victim", "10.9.0.1", nil))
		f.startAgent(f.enroll("second", "10.9.0.2", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("victim", "second", "lossy")
		targets := f.sweep(8192)
		f.until("it is under way", func() bool { return f.job().PerAgent["victim"] > 0 })
		victim.kill()
		job := f.finished(targets)
		if job.PerAgent["second"] == 0 || job.PerAgent["lossy"] == 0 {
			t.Errorf("not all take part: %v", job.PerAgent)
		}
		checkRounds(t, f.rounds())
	})
}

// The result is stored, and its acknowledgement never arrives: the shard is done again, and
// reported once.
func TestAKilledAgentBetweenResultAndAcknowledgement(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		var victim atomic.Pointer[process]
		var once sync.Once
		killed := make(chan struct{})
		by := newProxy(t, f.listen, func(b []byte) bool {
			if !bytes.Contains(b, []byte("+ACK")) {
				return true
			}
			once.Do(func() { victim.Load().kill(); close(killed) })
			return false
		})
		victim.Store(f.startAgent(f.enroll("victim", "10.9.0.1", by)))
		f.ready("victim")
		targets := f.sweep(2048)
		<-killed
		f.startAgent(f.enroll("second", "10.9.0.2", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		if job := f.finished(targets); job.PerAgent["victim"] == 0 {
			t.Errorf("no result of the killed agent: %v", job.PerAgent)
		}
		f.roundsGoOn("second", "lossy")
	})
}

func TestAKilledHub(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		for name, at := range map[string]string{"first": "10.9.0.1", "second": "10.6.0.2", "lossy": "10.8.0.1"} {
			f.startAgent(f.enroll(name, at, nil))
		}
		f.ready("first", "second", "lossy")
		targets := amid(addresses("10.9.0.0", 8192))
		watched := make(chan string, 1)
		go func() { // by somebody who waits for the end
			code, _, errs := f.run(append([]string{"sweep", writeFile(t, lines(targets))}, slow[1:]...)...)
			watched <- fmt.Sprint(code, " ", errs)
		}()
		f.until("it is under way", func() bool { return f.job().Results > 2 })
		f.hub.kill()
		time.Sleep(5 * time.Second) // rounds go on meanwhile, and wait
		f.startHub()
		f.finished(targets)
		if text := <-watched; !strings.HasPrefix(text, "1 ") || !strings.Contains(text, "finished: 8208 of 8208") {
			t.Error("who waits for the end:", text)
		}
		f.roundsGoOn("first", "second", "lossy")
	})
}

// roundsGoOn waits for rounds that began after now, and checks all.
func (f *fleetOfProcesses) roundsGoOn(names ...string) {
	f.t.Helper()
	now := time.Now()
	f.until("new rounds", func() bool {
		all := f.rounds()
		for _, name := range names {
			if r := all[name]; len(r) == 0 || r[len(r)-1].Start.Before(now) {
				return false
			}
		}
		return true
	})
	checkRounds(f.t, f.rounds())
	// Routes do not change here: a hop is silent now and then, or two share the load.
	for _, peer := range names[1:] {
		if code, out, errs := f.run("mesh", "explain", names[0], peer); code > 1 || strings.Contains(out, "changed") {
			f.t.Errorf("%d %s%s", code, out, errs)
		}
	}
}

// A hub that stands still for longer than every timeout is as one that is away.
func TestAHubThatStandsStill(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		f.startAgent(f.enroll("first", "10.9.0.1", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("first", "lossy")
		targets := f.sweep(8192)
		f.until("it is under way", func() bool { return f.job().Results > 0 })
		f.hub.signal(syscall.SIGSTOP)
		time.Sleep(40 * time.Second)
		f.hub.signal(syscall.SIGCONT)
		f.finished(targets)
		f.roundsGoOn("first", "lossy")
	})
}

func TestAPartitionThatHeals(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		by := newProxy(t, f.listen, nil)
		f.startAgent(f.enroll("far", "10.9.0.1", by))
		f.startAgent(f.enroll("near", "10.9.0.2", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("far", "near", "lossy")
		targets := f.sweep(8192)
		f.until("it is under way", func() bool { return f.job().PerAgent["far"] > 0 })
		by.set(true)
		f.finished(targets)
		by.set(false)
		f.roundsGoOn("far", "near", "lossy")
	})
}

// Who is revoked is out in the middle of a shard: others do it, and nothing more of his arrives.
func TestARevokedKey(t *testing.T) {
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := threeAgents(t)
		f.startAgent(f.enroll("victim", "10.9.0.1", nil))
		f.startAgent(f.enroll("second", "10.9.0.2", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("victim", "second", "lossy")
		targets := f.sweep(8192)
		f.until("it is under way", func() bool { return f.job().PerAgent["victim"] > 0 })
		f.mustRun(0, "revoke", "victim")
		until(t, 5*time.Second, "it is out", func() bool { return !strings.Contains(f.mustRun(0, "agents", "--json"), "victim") })
		had, rounds := f.job().PerAgent["victim"], len(f.rounds()["victim"])
		if job := f.finished(targets); job.PerAgent["victim"] != had {
			t.Errorf("when it was revoked %d of its targets were done, and %d at the end", had, job.PerAgent["victim"])
		}
		f.roundsGoOn("second", "lossy")
		if n := len(f.rounds()["victim"]); n != rounds {
			t.Errorf("when it was revoked %d of its rounds were there, and %d at the end", rounds, n)
		}
	})
}

// The wire shows nothing for what the owner of the agent does not allow, and each refusal is counted.
func TestNothingLeavesForForbiddenTargets(t *testing.T) {
	inNamespace(t, func(t *testing.T, network *netsim.Network) {
		network.Quiet(false)
		f := threeAgents(t)
		f.startAgent(f.enroll("first", "10.9.0.1", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("first", "lossy")
		asked := []string{"192.168.7.7", "169.254.169.254", "9.9.9.9", "172.16.1.1"}
		for _, target := range asked {
			for _, verb := range []string{"ping", "traceroute", "mtr", "mtu"} {
				if out := f.mustRun(1, verb, target); strings.Count(out, "refused") != 2 {
					t.Errorf("%s: %s", target, out)
				}
			}
		}
		targets := append(amid(addresses("10.9.0.0", 64)), asked[1:]...)
		f.mustRun(1, "sweep", writeFile(t, lines(targets)), "-i", "10ms")
		job := f.job()
		exactly(t, readLines(t, f.mustRun(0, "results", job.ID, "--json")), targets, 1)
		if refused := len(forbidden) + len(asked) - 1; job.Refused != refused || job.Alive != 64 {
			t.Errorf("%d refused, want %d, %d alive, want 64", job.Refused, refused, job.Alive)
		}
		f.until("each refusal is counted by an agent", func() bool {
			var view wire.View
			if err := json.Unmarshal([]byte(f.mustRun(0, "agents", "--json")), &view); err != nil {
				t.Fatal(err)
			}
			total := int64(0)
			for _, p := range view.Agents {
				total += p.Refused
			}
			return total == int64(2*4*len(asked)+job.Refused)
		})
		f.roundsGoOn("first", "lossy")
		for _, r := range network.Log() {
			if !netip.MustParsePrefix("10.8.0.0/15").Contains(r.Destination) {
				t.Errorf("a packet left for %v", r.Destination)
			}
		}
	})
}

// While the disk is full nothing is lost: results wait, and are stored when there is room.
func TestAFullDisk(t *testing.T) {
	if err := exec.Command("unshare", "-m", "true").Run(); err != nil {
		t.Skip("no mount namespaces:", err)
	}
	inNamespace(t, func(t *testing.T, _ *netsim.Network) {
		f := newProcesses(t, "--mesh-every", "2s", "--mesh-count", "9", "--mesh-bytes", "1000000")
		disk := t.TempDir()
		f.args[2] = filepath.Join(disk, "data")
		script := fmt.Sprintf(`mount -t tmpfs -o size=32m tmpfs %[1]s && exec "$@"`, disk)
		wrapper := []string{"unshare", "-m", "sh", "-c", script, "sh"}
		f.hub = startProcess(t, wrapper, f.args...)
		root := fmt.Sprintf("/proc/%d/root", f.hub.cmd.Process.Pid)
		f.admin = filepath.Join(root, disk, "data", "admin.token")
		f.until("the hub answers", func() bool { code, _, _ := f.run("agents"); return code == 0 })
		f.startAgent(f.enroll("first", "10.9.0.1", nil))
		f.startAgent(f.enroll("lossy", "10.8.0.1", nil))
		f.ready("first", "lossy")
		filler := filepath.Join(root, disk, "filler")
		targets := f.sweep(4096)
		f.until("it is under way", func() bool { return f.job().Results > 0 })
		if err := exec.Command("dd", "if=/dev/zero", "of="+filler, "bs=4096").Run(); err == nil {
			t.Fatal("the disk does not get full")
		}
		before := f.job().Results
		time.Sleep(5 * time.Second)
		if after := f.job().Results; after > before+4 { // what was in the memory of the disk's pages
			t.Errorf("with a full disk %d results became %d", before, after)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		f.finished(targets)
		f.roundsGoOn("first", "lossy")
	})
}
