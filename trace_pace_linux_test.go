package icmplib_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A path of twelve hops of 10 ms each way, without and with a silent one, traced
// by this library and, with ICMPLIB_COMPARE=1, by other tools. How long each takes is logged,
// for docs/benchmarks.md. What is held against the network is that all twelve
// hops are found.
func TestATraceBesideOtherTools(t *testing.T) {
	for _, tt := range []struct{ name, silent string }{{"all hops answer", ""}, {"one hop is silent", " silent"}} {
		t.Run(tt.name, func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) {
				netlab.Carry(t, netsim.MustParse(twelveHops(tt.silent)), netlab.Device{})
				start := time.Now()
				route, err := icmplib.Traceroute(t.Context(), "10.0.9.9", nil)
				check(t, err)
				t.Logf("%8v  this library", time.Since(start).Round(time.Millisecond))
				if !route.Reached || len(route.Hops) != 12 {
					t.Errorf("%d hops, reached: %v", len(route.Hops), route.Reached)
				}
				if os.Getenv("ICMPLIB_COMPARE") == "" {
					return
				}
				for _, command := range []string{
					"traceroute -I -n -q 2 -N 16 -w 2 10.0.9.9",
					"mtr -r -n -c 2 -G 2 10.0.9.9",
				} {
					timeTool(t, command)
				}
			})
		})
	}
}

func timeTool(t *testing.T, command string) {
	t.Helper()
	words := strings.Fields(command)
	if _, err := exec.LookPath(words[0]); err != nil {
		t.Logf("%s is not installed", words[0])
		return
	}
	start := time.Now()
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
	t.Logf("%8v  %s", time.Since(start).Round(time.Millisecond), command)
}

// twelveHops describes eleven routers, of which the fifth does what words say,
// and the target.
func twelveHops(words string) string {
	var b strings.Builder
	b.WriteString("client 192.0.2.1\n")
	path := ""
	for i := range 11 {
		special := ""
		if i == 4 {
			special = words
		}
		fmt.Fprintf(&b, "node r%d 10.0.1.%d delay=10ms%s\n", i, i+1, special)
		path += fmt.Sprintf(" r%d", i)
	}
	fmt.Fprintf(&b, "node t 10.0.9.9 delay=10ms\npath 10.0.9.0/24%s t\n", path)
	return b.String()
}
