package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// What is printed of a way without loss, behind the real kernel.
func TestTracerouteLoss(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		got := runLine(t.Context(), "traceroute", "--loss", "-q", "10", "-z", "5ms", "10.0.9.9")
		got.check(t, exitAlive)
		if !strings.Contains(got.stdout, "loss on the way to 10.0.9.9\n") ||
			!strings.HasSuffix(got.stdout, "none: no packet to the target is lost\n") {
			t.Errorf("got\n%s", got.stdout)
		}
		got = runLine(t.Context(), "traceroute", "--loss", "-q", "10", "-z", "5ms", "--json", "10.0.9.9")
		got.check(t, exitAlive)
		var o icmplib.LossReport
		if err := json.Unmarshal([]byte(got.stdout), &o); err != nil {
			t.Fatalf("%v in %s", err, got.stdout)
		}
		if !o.Reached || o.Verdict != icmplib.LossNone || o.From != 0 || len(o.Hops) != 3 || o.Hops[2].Address.String() != "10.0.9.9" ||
			o.Hops[0].Slow.PacketsSent != 10 || o.Hops[0].Fast.PacketsAnswered != 10 {
			t.Errorf("got %s", got.stdout)
		}
	})
}

func TestLossFlags(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"--loss --csv", "--loss and --csv exclude each other"},
		{"--loss --fast", "--loss and --fast exclude each other"},
		{"--loss --gap 3", "--loss and --gap exclude each other"},
		{"--loss -z 0", "--interval"},
		{"--loss -q 5", "--count"},
	} {
		f := parseTraceroute(t, strings.Fields(tt.line)...)
		opts, _, err := f.options()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.lossOptions(opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.line, err, tt.want)
		}
	}
	f := parseTraceroute(t, "--loss", "-q", "100", "-z", "10ms", "-m", "9")
	opts, _, err := f.options()
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.lossOptions(opts)
	if err != nil || o.FastCount != 100 || o.SlowCount != 30 || o.FastInterval != 10*time.Millisecond ||
		o.SlowInterval != 200*time.Millisecond || o.MaxHops != 9 {
		t.Errorf("%+v, %v", o, err)
	}
	f = parseTraceroute(t, "--loss")
	if opts, _, err = f.options(); err != nil {
		t.Fatal(err)
	}
	if o, err := f.lossOptions(opts); err != nil || o.FastCount != 0 || o.SlowCount != 0 || o.SlowInterval != time.Second {
		t.Errorf("%+v, %v: want the defaults of the library", o, err)
	}
}

func TestLossText(t *testing.T) {
	share := func(sent, answered int, low, high float64) icmplib.LossShare {
		return icmplib.LossShare{PacketsSent: sent, PacketsAnswered: answered, Low: low, High: high}
	}
	r := &icmplib.LossReport{
		Address: netip.MustParseAddr("192.0.2.7"), Name: "www.example", Reached: true, Verdict: icmplib.LossFound, From: 3,
		Hops: []icmplib.HopLoss{
			{Distance: 1, Address: netip.MustParseAddr("198.51.100.1"), Slow: share(60, 60, 0, 0.06), Fast: share(200, 40, 0.74, 0.85), Verdict: icmplib.LossLimited, Path: icmplib.LossNone},
			{Distance: 2},
			{Distance: 3, Address: netip.MustParseAddr("192.0.2.7"), Slow: share(60, 54, 0.047, 0.201), Fast: share(200, 180, 0.066, 0.149), Verdict: icmplib.LossFound, Path: icmplib.LossFound},
		},
	}
	const want = `loss on the way to www.example (192.0.2.7)
hop  address       slow                          fast                          answers       way
  1  198.51.100.1  0/60 lost, 0.0 to 6.0 %       160/200 lost, 74.0 to 85.0 %  rate-limited  none
  2  *             -                             -                             unclear       unclear
  3  192.0.2.7     6/60 lost, 4.7 to 20.1 %      20/200 lost, 6.6 to 14.9 %    loss          loss
loss: packets are lost from distance 3 on
`
	if got := lossText(r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
