package icmplib

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

const simTarget = "10.0.9.9"

// simNetwork returns a network with a target that answers after 40 ms, but for
// what words say.
func simNetwork(words string) *netsim.Network {
	return netsim.MustParse(`
		client 192.0.2.1
		node t 10.0.9.9 delay=20ms ` + words + `
		path 10.0.9.0/24 t`)
}

// inSim runs a test in virtual time, with a Prober in a simulated network.
func inSim(t *testing.T, words string, f func(t *testing.T, p *Prober, c func() *netsim.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		var conn *netsim.Conn
		p := simProberWith(t, simNetwork(words), netsim.ConnOptions{}, func(c *netsim.Conn) { conn = c })
		defer p.Close()
		f(t, p, func() *netsim.Conn { return conn })
	})
}

func TestRequestsLeaveEveryInterval(t *testing.T) {
	inSim(t, "lose@2", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		start := time.Now()
		for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: 5, Interval: 30 * time.Millisecond}) {
			if err != nil {
				t.Fatal(err)
			}
			if at := r.Sent.Sub(start); at != time.Duration(r.Seq)*30*time.Millisecond {
				t.Errorf("request %d left after %v", r.Seq, at)
			}
		}
		if took := time.Since(start); took != 2030*time.Millisecond {
			t.Errorf("it took %v: the silent request is settled 2 s after it left", took)
		}
	})
}

// An interval that is shorter than a timer is exact is kept on the whole: what a kernel without
// room made late is made up for.
func TestAShortIntervalIsKeptByCount(t *testing.T) {
	const count, interval = 3000, 100 * time.Microsecond
	for _, busy := range []int{0, 3} {
		inSim(t, "", func(t *testing.T, p *Prober, c func() *netsim.Conn) {
			if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			time.AfterFunc(count*interval/2, func() { c().FailSend(busy, syscall.ENOBUFS) })
			last, sent := time.Duration(0), 0
			for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: count, Interval: interval}) {
				if err != nil || r.Status != StatusReply {
					t.Fatalf("%v, %v", r, err)
				}
				if at := r.Sent.Sub(start); at < time.Duration(r.Seq)*interval {
					t.Fatalf("request %d left after %v", r.Seq, at)
				}
				last, sent = max(last, r.Sent.Sub(start)), sent+1
			}
			if sent != count || last >= count*interval {
				t.Errorf("with %d refusals: %d requests in %v", busy, sent, last)
			}
			if n := int(p.Counters().Busy); n != busy {
				t.Errorf("the kernel had no room %d times, want %d", n, busy)
			}
		})
	}
}

func TestTheEndOfTheContextLeavesUnsettledRequests(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1010*time.Millisecond, func() { cancel(why) })
		host, err := p.Ping(ctx, simTarget, &PingOptions{Count: -1})
		if err != why {
			t.Errorf("the error is %v, want the cause of the context's end", err)
		}
		want := books{sent: 2, received: 1, unsettled: 1}
		if host == nil || booksOf(&host.Stats) != want || host.PacketLoss() != 0 {
			t.Errorf("got %+v, want %+v without loss", host, want)
		}
	})
}

func TestTheEndOfTheContextIsTheLastOfASequence(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		var statuses []Status
		var last error
		for r, err := range p.PingSeq(ctx, simTarget, nil) {
			if err == nil {
				statuses = append(statuses, r.Status)
			}
			last = err
		}
		if len(statuses) != 1 || statuses[0] != StatusUnsettled || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("got %v, then %v", statuses, last)
		}
	})
}

func TestWhatCameBeforeTheEndOfTheContextCounts(t *testing.T) {
	for range 20 { // which of the two is seen first is left to chance
		inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stats Stats
			for r, err := range p.PingSeq(ctx, simTarget, &PingOptions{Count: 3, Interval: 10 * time.Millisecond}) {
				if err == nil {
					stats.Add(r)
				}
				time.Sleep(time.Second)
				cancel()
			}
			if want := (books{sent: 3, received: 3}); booksOf(&stats) != want {
				t.Errorf("books %+v, want %+v", booksOf(&stats), want)
			}
		})
	}
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	targets := slices.Values([]string{simTarget})
	for name, begin := range map[string]func(ctx context.Context, p *Prober) error{
		"Ping":    func(ctx context.Context, p *Prober) error { _, err := p.Ping(ctx, simTarget, nil); return err },
		"PingSeq": func(ctx context.Context, p *Prober) error { return lastError(p.PingSeq(ctx, simTarget, nil)) },
		"Probe": func(ctx context.Context, p *Prober) error {
			_, err := p.Probe(ctx, netip.MustParseAddr(simTarget), nil)
			return err
		},
		"MultiPing": func(ctx context.Context, p *Prober) error {
			_, err := p.MultiPing(ctx, []string{simTarget}, nil)
			return err
		},
		"MultiPingSeq":  func(ctx context.Context, p *Prober) error { return lastError(p.MultiPingSeq(ctx, targets, nil)) },
		"Traceroute":    func(ctx context.Context, p *Prober) error { _, err := p.Traceroute(ctx, simTarget, nil); return err },
		"TracerouteSeq": func(ctx context.Context, p *Prober) error { return lastError(p.TracerouteSeq(ctx, simTarget, nil)) },
		"PathMTU":       func(ctx context.Context, p *Prober) error { _, err := p.PathMTU(ctx, simTarget, nil); return err },
		"ExplainLoss": func(ctx context.Context, p *Prober) error {
			_, err := p.ExplainLoss(ctx, simTarget, nil)
			return err
		},
		"MultiTraceroute": func(ctx context.Context, p *Prober) error {
			_, err := p.MultiTraceroute(ctx, []string{simTarget}, nil)
			return err
		},
		"MultiTracerouteSeq": func(ctx context.Context, p *Prober) error {
			return lastError(p.MultiTracerouteSeq(ctx, targets, nil))
		},
		"Monitor": func(ctx context.Context, p *Prober) error { return lastError(p.Monitor(ctx, simTarget, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := begin(ctx, p); !errors.Is(err, context.Canceled) {
					t.Errorf("it ends with %v", err)
				}
				if n := p.Counters().PacketsSent; n != 0 {
					t.Errorf("%d packets were sent", n)
				}
			})
		})
	}
}

// lastError returns the last error of a sequence.
func lastError[T any](all iter.Seq2[T, error]) (last error) {
	for _, err := range all {
		last = err
	}
	return last
}

func TestLeavingTheLoopEndsThePing(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		for range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: -1}) {
			break
		}
		synctest.Wait()
		sent := p.Counters().PacketsSent
		time.Sleep(10 * time.Second)
		if n := p.Counters().PacketsSent; n != sent {
			t.Errorf("%d more requests were sent", n-sent)
		}
	})
}

func TestEveryRangeIsARunOfItsOwn(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		seq := p.PingSeq(t.Context(), simTarget, &PingOptions{Count: 2})
		for range 2 {
			n := 0
			for r := range seq {
				if r.Seq != n {
					t.Errorf("ordinal %d, want %d", r.Seq, n)
				}
				n++
			}
			if n != 2 {
				t.Errorf("%d results", n)
			}
		}
	})
}

func TestASlowConsumerChangesNoTime(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: 3, Interval: 10 * time.Millisecond}) {
			if err != nil || r.RTT != 40*time.Millisecond || r.Late {
				t.Errorf("%v, %v", r, err)
			}
			time.Sleep(time.Minute)
		}
	})
}

// The wall clock is stepped while replies are on their way and while they wait
// in the socket's queue.
func TestAClockStepChangesNoRTT(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, time.Millisecond, -time.Millisecond} {
		t.Run(step.String(), func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
				for i := range 4 {
					time.AfterFunc(time.Duration(i+1)*35*time.Millisecond, func() {
						if c := conn(); c != nil {
							c.StepClock(step)
						}
					})
				}
				host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 10, Interval: 10 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				if host.MinRTT() != 40*time.Millisecond || host.MaxRTT() != 40*time.Millisecond || host.Silent > 0 {
					t.Errorf("%v", host)
				}
			})
		})
	}
}

func TestRepliesThatWaitInTheQueueAreNotSlow(t *testing.T) {
	for _, until := range []time.Duration{500 * time.Millisecond, 5 * time.Second, time.Hour} {
		t.Run(until.String(), func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
				time.AfterFunc(10*time.Millisecond, func() { conn().Stall() })
				time.AfterFunc(until, func() { conn().Resume() })
				// More than one read takes: the first finds deadlines passed, and more to read.
				host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 300, Interval: time.Millisecond, Timeout: 100 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				if host.PacketsReceived != 300 || host.MaxRTT() != 40*time.Millisecond {
					t.Errorf("%v", host)
				}
			})
		})
	}
}

func TestWhatOurOwnSocketLostIsSuspect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *netsim.Conn
		p := simProberWith(t, simNetwork(""), netsim.ConnOptions{QueueLimit: 2}, func(c *netsim.Conn) { conn = c })
		defer p.Close()
		time.AfterFunc(10*time.Millisecond, func() { conn.Stall() })
		time.AfterFunc(90*time.Millisecond, func() { conn.Resume() })
		host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 5, Interval: 5 * time.Millisecond, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if host.PacketsReceived != 2 || host.Silent != 3 || host.Suspect != 3 || p.Counters().Dropped != 3 {
			t.Errorf("%v\n%+v", host, p.Counters())
		}
	})
}

// What our own socket has no room for is lost, so sending waits for reading.
func TestSendingWaitsWhileOurOwnSocketIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conn *netsim.Conn
		p := simProberWith(t, simNetwork(""), netsim.ConnOptions{QueueLimit: 20}, func(c *netsim.Conn) { conn = c })
		defer p.Close()
		time.AfterFunc(10*time.Millisecond, func() { conn.Stall() })
		time.AfterFunc(990*time.Millisecond, func() { conn.Resume() })
		host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 100, Interval: 5 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if host.PacketsReceived != 100 || host.MaxRTT() != 40*time.Millisecond {
			t.Errorf("%v\n%+v", host, p.Counters())
		}
	})
}

func TestWhatTheSystemRefusesIsAResult(t *testing.T) {
	for _, tt := range []struct {
		errno  syscall.Errno
		status Status
	}{
		{syscall.ENETUNREACH, StatusNetworkUnreachable},
		{syscall.EHOSTUNREACH, StatusUnreachable},
		{syscall.ENETDOWN, StatusNetworkDown},
		{syscall.EPERM, StatusPermissionDenied},
		{syscall.EMSGSIZE, StatusPacketTooBig},
		{syscall.EINVAL, StatusInvalidArgument},
		{syscall.EIO, StatusSendError},
	} {
		t.Run(tt.errno.Error(), func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
				if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
					t.Fatal(err) // the socket is open now
				}
				conn().FailSend(2, tt.errno)
				var statuses []Status
				var host Host
				for r, err := range p.PingSeq(t.Context(), simTarget, &PingOptions{Count: 3}) {
					if err != nil {
						t.Fatal(err)
					}
					statuses = append(statuses, r.Status)
					host.Add(r)
				}
				if len(statuses) != 3 || statuses[0] != tt.status || statuses[1] != tt.status || statuses[2] != StatusReply {
					t.Errorf("statuses %v", statuses)
				}
				if want := (books{sent: 1, received: 1, sendErrors: 2}); booksOf(&host.Stats) != want {
					t.Errorf("books %+v, want %+v", booksOf(&host.Stats), want)
				}
			})
		})
	}
}

func TestAFullSendBufferIsNoLoss(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EAGAIN, syscall.ENOBUFS, syscall.ENOMEM} {
		inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
			if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
				t.Fatal(err)
			}
			conn().FailSend(5, errno)
			host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 2})
			if err != nil || host.PacketsReceived != 2 || host.SendErrors != 0 || host.MaxRTT() != 40*time.Millisecond {
				t.Errorf("%v: %v, %v", errno, host, err)
			}
			if p.Counters().Busy != 5 {
				t.Errorf("%v: busy %d times, want 5", errno, p.Counters().Busy)
			}
		})
	}
}

func TestAHostToWhichNothingCouldBeSentSaysWhy(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, conn func() *netsim.Conn) {
		if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
			t.Fatal(err)
		}
		conn().FailSend(10, syscall.ENETUNREACH)
		host, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 2, Interval: time.Millisecond})
		if err != nil || !errors.Is(host.Err, syscall.ENETUNREACH) || host.PacketLoss() != 1 || host.SendErrors != 2 {
			t.Errorf("%v, %v", host, err)
		}
	})
}

func TestClosingTheProberEndsCalls(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		time.AfterFunc(10*time.Millisecond, func() { p.Close() })
		host, err := p.Ping(t.Context(), simTarget, nil)
		if !errors.Is(err, net.ErrClosed) || host == nil || host.Unsettled != 1 {
			t.Errorf("%v, %v", host, err)
		}
		if _, err := p.Ping(t.Context(), simTarget, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a call after Close: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("Close again: %v", err)
		}
		if n := p.Counters().PacketsSent; n != 1 {
			t.Errorf("%d packets are counted after Close", n)
		}
	})
}

// closingMedium looks at the counters while its socket is being closed.
type closingMedium struct {
	engine.Medium
	look func()
}

func (m *closingMedium) Close() error {
	m.look()
	return m.Medium.Close()
}

func TestCountersAreWholeWhileTheProberCloses(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		looks, listen := 0, p.listen
		p.listen = func(key socketKey) (engine.Medium, error) {
			m, err := listen(key)
			return &closingMedium{m, func() {
				looks++
				if n := p.Counters().PacketsSent; n != 3 {
					t.Errorf("%d packets are counted, want 3", n)
				}
			}}, err
		}
		if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 3}); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if n := p.Counters().PacketsSent; looks != 1 || n != 3 {
			t.Errorf("looked %d times, %d packets are counted afterwards", looks, n)
		}
	})
}

func TestTheRateIsThatOfAllOperations(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		p.pacer = engine.NewPacer(10)
		start := time.Now()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 10, Interval: time.Millisecond}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took < 4800*time.Millisecond || took > 5100*time.Millisecond {
			t.Errorf("50 packets at 10 a second took %v", took)
		}
	})
}

// A call that gave up leaves no gap: the next one does not wait for it.
func TestCallsThatGaveUpTakeNothingOfTheRate(t *testing.T) {
	inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
		p.pacer = engine.NewPacer(10)
		ctx, cancel := context.WithCancel(t.Context())
		calls := []func() error{
			func() error { _, err := p.Ping(ctx, simTarget, nil); return err },
			func() error { _, err := p.Probe(ctx, netip.MustParseAddr(simTarget), nil); return err },
			func() error { _, err := p.Traceroute(ctx, simTarget, nil); return err },
			func() error { _, err := p.MultiPing(ctx, []string{simTarget}, nil); return err },
			func() error { _, err := p.MultiTraceroute(ctx, []string{simTarget}, nil); return err },
		}
		if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { _ = calls[i%len(calls)]() })
		}
		time.Sleep(50 * time.Millisecond) // virtual: they all wait
		cancel()
		all.Wait()
		start := time.Now()
		if _, err := p.Ping(t.Context(), simTarget, &PingOptions{Count: 1}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 250*time.Millisecond {
			t.Errorf("after a hundred calls that gave up, a ping takes %v", took)
		}
	})
}

func TestPingRefusesWhatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target string
		opts   PingOptions
		field  string
	}{
		{"a TTL over 255", simTarget, PingOptions{Packet: Packet{TTL: 256}}, "TTL"},
		{"a negative TTL", simTarget, PingOptions{Packet: Packet{TTL: -1}}, "TTL"},
		{"a size over the maximum", simTarget, PingOptions{Packet: Packet{Size: 65508}}, "Size"},
		{"a payload over the maximum", simTarget, PingOptions{Packet: Packet{Payload: make([]byte, 65508)}}, "Payload"},
		{"a traffic class over 255", simTarget, PingOptions{Packet: Packet{TrafficClass: 256}}, "TrafficClass"},
		{"a negative timeout", simTarget, PingOptions{Timeout: -1}, "Timeout"},
		{"a timeout over an hour", simTarget, PingOptions{Timeout: time.Hour + 1}, "Timeout"},
		{"a family that there is not", simTarget, PingOptions{Family: 5}, "Family"},
		{"an interface that there is not", simTarget, PingOptions{Packet: Packet{Interface: "nosuch0"}}, "Interface"},
		{"an IPv6 source for an IPv4 target", simTarget, PingOptions{Packet: Packet{Source: netip.IPv6Loopback()}}, "Source"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inSim(t, "", func(t *testing.T, p *Prober, _ func() *netsim.Conn) {
				_, err := p.Ping(t.Context(), tt.target, &tt.opts)
				field, ok := errors.AsType[*ConfigError](err)
				if !ok || field.Field != tt.field || field.Allowed == "" {
					t.Errorf("error %v, want one about %s", err, tt.field)
				}
				if n := p.Counters().PacketsSent; n != 0 {
					t.Errorf("%d packets were sent", n)
				}
			})
		})
	}
}

func TestNewProberRefusesWhatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   Config
		field string
	}{
		{"a mode that there is not", Config{Mode: socket.Raw + 1}, "Mode"},
		{"an IPv6 source for IPv4", Config{Source4: netip.IPv6Loopback()}, "Source4"},
		{"an IPv4 source for IPv6", Config{Source6: netip.AddrFrom4([4]byte{127, 0, 0, 1})}, "Source6"},
		{"a resolver beside a cache of names", Config{Resolver: net.DefaultResolver, Names: &NameCache{}}, "Resolver"},
		{"an interface that there is not", Config{Interface: "nosuch0"}, "Interface"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewProber(&tt.cfg)
			field, ok := errors.AsType[*ConfigError](err)
			if !ok || field.Field != tt.field {
				t.Errorf("error %v, want one about %s", err, tt.field)
			}
		})
	}
}
