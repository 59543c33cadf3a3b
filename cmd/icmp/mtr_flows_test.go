package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Behind a balancer each flow keeps to one branch, and together they show both.
func TestMTROfSeveralFlows(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(diamond), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		line := []string{"mtr", "-n", "-c", "3", "-i", "50ms", "-Z", "5s", "-m", "6", "--flows", "8"}
		t.Run("by UDP", func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flows.pcapng")
			got := runLine(t.Context(), append(line, "-u", "--source-port", "40000", "--json", "--record", file, "10.0.9.9")...)
			got.check(t, exitAlive)
			branches := map[string]int{}
			flow := 0
			for object := range strings.Lines(got.stdout) {
				var r icmplib.Snapshot
				if err := json.Unmarshal([]byte(object), &r); err != nil {
					t.Fatalf("%v in %s", err, object)
				}
				var own struct {
					Flow int `json:"flow"`
				}
				if err := json.Unmarshal([]byte(object), &own); err != nil {
					t.Fatal(err)
				}
				if flow++; own.Flow != flow || !r.Reached || len(r.Hops) != 3 || len(r.Hops[1].Responders) != 1 || r.Hops[1].PacketsReceived != 3 {
					t.Errorf("flow %d of %s", flow, object)
					continue
				}
				branches[r.Hops[1].Address.String()]++
			}
			if flow != 8 || len(branches) != 2 {
				t.Errorf("%d flows take the branches %v", flow, branches)
			}
			if packets, err := os.ReadFile(file); err != nil || strings.Count(string(packets), "probe ") < 8*3*3 {
				t.Errorf("%d packets of all flows are recorded, %v", strings.Count(string(packets), "probe "), err)
			}
		})
		t.Run("by ICMP, as a report", func(t *testing.T) {
			got := runLine(t.Context(), append(line, "--report", "10.0.9.9")...)
			got.checkOutput(t, exitAlive, `(?s)^Start: .*HOST: 10\.0\.9\.9, flow 1 .*HOST: 10\.0\.9\.9, flow 8 `)
			if n := strings.Count(got.stdout, "`|--"); n > 0 {
				t.Errorf("%d hops of one flow have several responders:\n%s", n, got.stdout)
			}
		})
	})
}

func TestFlowsOfManyTargetsAreBounded(t *testing.T) {
	targets := strings.Repeat("127.0.0.1\n", 20)
	got := runLineWith(t.Context(), targets, "mtr", "--report", "--flows", "51", "--file", "-")
	got.checkRefusal(t, []string{"--flows 51: up to 50 for 20 targets"})
}

func TestANameThatThereIsNotIsToldOnceForAllFlows(t *testing.T) {
	got := runLine(t.Context(), "mtr", "--report", "--flows", "3", "no..name")
	got.check(t, exitNoName)
	if strings.Count(got.stderr, `"no..name"`) != 1 {
		t.Errorf("got\n%s", got.stderr)
	}
}
