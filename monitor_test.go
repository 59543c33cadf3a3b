package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const monitoredNetwork = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 delay=5ms
node r2 10.0.2.1 2001:db8:2::1 delay=5ms
node r3 10.0.3.1 2001:db8:3::1 delay=5ms silent
node t  10.0.9.9 2001:db8:9::9 delay=5ms
path 10.0.9.0/24 2001:db8:9::/64 r1 r2 r3 t
`

// Each round tells of every hop, over each protocol, kind of socket and family.
func TestMonitorTellsOfEachRound(t *testing.T) {
	for _, v := range traceVariants {
		for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
			t.Run(v.String()+"/"+target, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := simProber(t, netsim.MustParse(monitoredNetwork), v.datagram)
					defer p.Close()
					const rounds = 5
					var last *Snapshot
					for s, err := range p.Monitor(t.Context(), target, &MonitorOptions{Rounds: rounds, Packet: Packet{Protocol: v.protocol}}) {
						if err != nil {
							t.Fatal(err)
						}
						checkSnapshot(t, s)
						if len(s.Events) > 0 {
							t.Errorf("round %d: %+v", s.Round, s.Events)
						}
						last = s
					}
					if last == nil || last.Round != rounds || !last.Reached || last.End != EndReached || len(last.Hops) != 4 {
						t.Fatalf("the last snapshot is %+v", last)
					}
					for i, received := range []int{rounds, rounds, 0, rounds} {
						h := &last.Hops[i]
						if h.PacketsSent != rounds || h.PacketsReceived != received || h.Distance != i+1 {
							t.Errorf("hop %d: %d of %d", h.Distance, h.PacketsReceived, h.PacketsSent)
						}
						if want := time.Duration(i+1) * 10 * time.Millisecond; received > 0 && h.AvgRTT() != want {
							t.Errorf("hop %d: %v, want %v", h.Distance, h.AvgRTT(), want)
						}
					}
				})
			})
		}
	}
}

func checkSnapshot(t *testing.T, s *Snapshot) {
	t.Helper()
	for i := range s.Hops {
		checkInvariants(t, &s.Hops[i].Stats)
	}
	if !slices.IsSortedFunc(s.Events, func(a, b Event) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("round %d: events are not in order of time: %+v", s.Round, s.Events)
	}
}

func TestMonitorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(monitoredNetwork), false)
		defer p.Close()
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		time.AfterFunc(3200*time.Millisecond, func() { cancel(cause) })
		var rounds []int
		var end error
		unsettled := 0
		for s, err := range p.Monitor(ctx, "10.0.9.9", nil) {
			if err != nil {
				end = err
				continue
			}
			rounds = append(rounds, s.Round)
			checkSnapshot(t, s)
			unsettled = 0
			for i := range s.Hops {
				unsettled += s.Hops[i].Unsettled
			}
		}
		if !errors.Is(end, cause) || !slices.Equal(rounds, []int{1, 2, 3, 4}) {
			t.Errorf("rounds %v, then %v", rounds, end)
		}
		if unsettled != 2 { // the silent hop is probed once a round
			t.Errorf("%d unsettled, want 2", unsettled)
		}
	})
}

func TestMonitorOptionsAreChecked(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for field, opts := range map[string]*MonitorOptions{
		"Interval": {Interval: -1},
		"Rounds":   {Rounds: -1},
		"FirstHop": {FirstHop: 256},
		"MaxHops":  {FirstHop: 5, MaxHops: 4},
		"Timeout":  {Timeout: -1},
		"TTL":      {Packet: Packet{TTL: 5}},
		"Port":     {Packet: Packet{Port: 5}},
	} {
		for s, err := range p.Monitor(t.Context(), "127.0.0.1", opts) {
			var bad *ConfigError
			if s != nil || !errors.As(err, &bad) || bad.Field != field {
				t.Errorf("%s: %v, %v", field, s, err)
			}
		}
	}
}

// Nothing is sent while the loop's body runs, and what was missed is not made up
// for; what comes meanwhile is told after it, with its true times.
func TestASlowConsumerSlowsTheMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(monitoredNetwork)
		p := simProber(t, n, false)
		defer p.Close()
		for s, err := range p.Monitor(t.Context(), "10.0.9.9", &MonitorOptions{Rounds: 10}) {
			if err != nil {
				t.Fatal(err)
			}
			before := len(n.Log())
			time.Sleep(10 * time.Second)
			if after := len(n.Log()); after != before {
				t.Fatalf("%d packets were sent meanwhile", after-before)
			}
			if h := &s.Hops[0]; s.Round != h.PacketsSent || h.MaxRTT() != 10*time.Millisecond {
				t.Errorf("round %d: %d probes, %v", s.Round, h.PacketsSent, h.MaxRTT())
			}
		}
	})
}

// The probes of a round are spread over its interval, and there are no more of
// them than hops.
func TestMonitorSpreadsItsProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(monitoredNetwork)
		p := simProber(t, n, false)
		defer p.Close()
		start := time.Now()
		for _, err := range p.Monitor(t.Context(), "10.0.9.9", &MonitorOptions{Rounds: 10, Interval: 4 * time.Second}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		sent := map[int]int{} // by the second
		for _, r := range n.Log() {
			if after := r.Time.Sub(start); after >= 4*time.Second {
				sent[int(after/time.Second)]++
			}
		}
		for second := 4; second < 40; second++ {
			if sent[second] != 1 {
				t.Errorf("%d probes in second %d, want 1: there are 4 hops in 4 s", sent[second], second)
			}
		}
	})
}

// A system that has no way to the target shows, and is an outage; the monitoring
// goes on. Closing the Prober ends it.
func TestMonitorOfASystemWithoutNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *netsim.Conn
		p := simProberWith(t, netsim.MustParse(monitoredNetwork), netsim.ConnOptions{}, func(c *netsim.Conn) { conn = c })
		var events []Event
		errs, end := 0, error(nil)
		for s, err := range p.Monitor(t.Context(), "10.0.9.9", nil) {
			if err != nil {
				end = err
				break
			}
			checkSnapshot(t, s)
			events = append(events, s.Events...)
			errs = s.Hops[0].SendErrors
			switch s.Round {
			case 10:
				conn.FailSend(40, syscall.ENETUNREACH)
			case 40:
				p.Close()
			}
		}
		if !errors.Is(end, net.ErrClosed) {
			t.Errorf("it ends with %v", end)
		}
		if errs < 5 {
			t.Errorf("%d send errors", errs)
		}
		if len(events) != 2 || events[0].Kind != EventOutage || events[0].Round != 11 || events[1].Kind != EventRecovery ||
			events[1].Duration != events[1].Time.Sub(events[0].Time) {
			t.Errorf("events %+v", events)
		}
	})
}

// A Monitor follows its name: the route to another address begins anew, and rounds count
// on.
func TestAMonitorFollowsItsName(t *testing.T) {
	both := []netip.Addr{netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.2.1")}
	failed := &net.DNSError{Err: "no such host", IsNotFound: true}
	for _, rounds := range []int{0, 45} {
		synctest.Test(t, func(t *testing.T) {
			p := simProberWith(t, netsim.MustParse(threeHosts), netsim.ConnOptions{}, nil)
			defer p.Close()
			p.other = &renamed{at: time.Now(), names: []any{"10.0.1.1", "10.0.2.1", both, failed, "10.0.4.1", "10.0.4.1"}}
			var addrs []netip.Addr
			var from []int
			last, changes := 0, 0
			opts := &MonitorOptions{Rounds: rounds, ResolveEvery: 10 * time.Second}
			for s, err := range p.Monitor(t.Context(), "name.example", opts) {
				if err != nil {
					t.Fatal(err)
				}
				if s.Round != last+1 || s.Name != "name.example" {
					t.Fatalf("round %d of %s after round %d", s.Round, s.Name, last)
				}
				last = s.Round
				if len(addrs) == 0 || addrs[len(addrs)-1] != s.Address {
					addrs, from = append(addrs, s.Address), append(from, s.Round)
				}
				since := s.Round - from[len(from)-1] + 1
				for _, e := range s.Events {
					if e.Kind != EventAddressChange || since != 1 || e.Round != s.Round || e.From != addrs[len(addrs)-2] || e.To != s.Address || e.Time.IsZero() {
						t.Errorf("round %d, %d of this address: %v", s.Round, since, e)
					}
				}
				changes += len(s.Events)
				if n := len(s.Hops); n != 1 || s.Hops[0].Address != s.Address || s.Hops[0].PacketsSent > since {
					t.Fatalf("round %d, %d of this address: %v", s.Round, since, s)
				}
				for i := range s.Results {
					if r := &s.Results[i]; r.Dst != s.Address || r.Seq >= s.Round || r.Seq < from[len(from)-1]-1 {
						t.Errorf("round %d has %v", s.Round, r)
					}
				}
				if s.Round == 60 {
					break
				}
			}
			want := 60
			if rounds > 0 {
				want = rounds
			}
			if last != want || changes != 2 || len(addrs) != 3 || addrs[0] != both[0] || addrs[1] != both[1] || addrs[2].String() != "10.0.4.1" ||
				from[1] < 11 || from[1] > 12 || from[2] < 41 || from[2] > 43 {
				t.Errorf("%d rounds, along routes to %v, from rounds %v on", last, addrs, from)
			}
		})
	}
	for _, err := range new(Prober).Monitor(t.Context(), "10.0.1.1", &MonitorOptions{ResolveEvery: -1}) {
		if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != "ResolveEvery" {
			t.Errorf("a negative ResolveEvery: %v", err)
		}
	}
}
