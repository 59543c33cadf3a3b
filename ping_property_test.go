package icmplib

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A random network, made of everything that can go wrong on a path, and a ping
// in it.
func randomNetwork(r *rand.Rand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\nclient 192.0.2.1\n", r.Uint32())
	percent := func(word string) string { return fmt.Sprintf(" %s@%d%%", word, r.IntN(30)) }
	path := ""
	routers := r.IntN(4)
	for i := range routers {
		fmt.Fprintf(&b, "node r%d 10.0.%d.1 delay=%dus jitter=%dus", i, i+1, 1+r.IntN(20000), r.IntN(3000))
		for _, word := range []string{"lose", "back-lose", "duplicate", "back-duplicate", "late=300ms", "corrupt", "warn=redirect:10.0.0.9", "refuse=prohibited"} {
			if r.IntN(6) == 0 {
				b.WriteString(percent(word))
			}
		}
		b.WriteString("\n")
		path += fmt.Sprintf(" r%d", i)
	}
	fmt.Fprintf(&b, "node t 10.0.9.9 delay=%dus", 1+r.IntN(50000))
	for _, word := range []string{"deaf", "answer-late=700ms", "answer-duplicate", "answer-alter=3", "answer-alter=40", "from=10.0.9.1", "id=+1", "sequence=-1", "cut=20"} {
		if r.IntN(5) == 0 {
			b.WriteString(percent(word))
		}
	}
	fmt.Fprintf(&b, "\npath 10.0.9.0/24%s t\n", path)
	if r.IntN(3) == 0 {
		b.WriteString("spoof from=10.0.9.9 delay=1ms guesses=3 spread=2\n")
	}
	if r.IntN(3) == 0 {
		b.WriteString("noise replies rate=50\nnoise errors rate=50\nnoise garbage rate=20\nnoise malformed rate=20\n")
	}
	return b.String()
}

// In any network the books balance, nothing is credited twice, and a round-trip
// time is that of an answer which the network did deliver, to the nanosecond.
func TestPingIsTruthfulInAnyNetwork(t *testing.T) {
	t.Parallel()
	networks := 400
	if testing.Short() {
		networks = 40
	}
	for seed := range networks {
		text := randomNetwork(rand.New(rand.NewPCG(uint64(seed), 77)))
		synctest.Test(t, func(t *testing.T) {
			n := netsim.MustParse(text)
			p := simProber(t, n, seed%2 == 0)
			defer p.Close()
			var stats Stats
			settled := map[int]Status{}
			for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: 30, Interval: 20 * time.Millisecond, Timeout: 500 * time.Millisecond}) {
				if err != nil {
					t.Fatal(err)
				}
				stats.Add(r)
				checkInvariants(t, &stats)
				checkTruth(t, n, &r)
				if before, twice := settled[r.Seq]; twice && r.Settles() {
					t.Errorf("request %d is %v, and was %v", r.Seq, r.Status, before)
				}
				if before := settled[r.Seq]; r.Corrects && (before == StatusReply || !r.Late && before == StatusNoReply) {
					t.Errorf("request %d is corrected, and was %v", r.Seq, before)
				}
				if r.Settles() {
					settled[r.Seq] = r.Status
				}
			}
			if stats.PacketsSent != 30 || len(settled) != 30 {
				t.Errorf("%d packets sent, %d settled", stats.PacketsSent, len(settled))
			}
			if t.Failed() {
				t.Fatalf("seed %d:\n%s", seed, text)
			}
		})
	}
}

// checkTruth holds a result against what the network did with its packet.
func checkTruth(t *testing.T, n *netsim.Network, r *Result) {
	t.Helper()
	for _, record := range n.Log() {
		if !record.Time.Equal(r.Sent) || record.Malformed {
			continue
		}
		if !r.Responder.IsValid() || r.informs() { // nothing is credited
			return
		}
		for _, e := range record.Events {
			if e.What == netsim.Delivered && e.After == r.RTT && e.Why != "spoofed" {
				return
			}
		}
		t.Errorf("%v: no such answer was delivered: %v", r, record.Events)
		return
	}
	t.Errorf("%v: no such packet was sent", r)
}
