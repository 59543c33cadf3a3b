package stream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

var (
	target = netip.MustParseAddr("10.0.9.9")
	errBad = errors.New("bad")
)

// bench is a Stream of numbers, of which the odd shape is that of odd numbers, and the
// sockets that it sends by. Numbers below 0 are refused.
type bench struct {
	*Stream[int]
	pool  *engine.Pool
	conn  *netsim.Conn
	ended chan struct{}
}

func newBench(t *testing.T, test func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse("client 192.0.2.1\nnode t 10.0.9.9 delay=10ms\npath 10.0.9.0/24 t\n")
		conn := n.Listen(icmp.V4, netsim.ConnOptions{})
		pool, err := engine.NewPool(func() (engine.Medium, error) {
			return engine.OverEcho(conn), nil
		}, slog.New(slog.DiscardHandler), engine.NewBudget(1<<20))
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		ended := make(chan struct{})
		b := &bench{New[int](engine.NewPacer(0), ended), pool, conn, ended}
		defer b.Close()
		test(t, b)
	})
}

func (b *bench) send(ctx context.Context, numbers ...int) error {
	return b.Send(ctx, len(numbers), func(first, most int) (r Run[int], err error) {
		for i, n := range numbers[first : first+most] {
			if i > 0 && n%2 != numbers[first]%2 {
				break
			}
			r.Probes = append(r.Probes, n)
			r.Sent = append(r.Sent, engine.Probe{Dst: target, TTL: 64})
		}
		if numbers[first] < 0 {
			return r, errBad
		}
		r.Pool = b.pool
		r.Op = b.Op(engine.OpConfig{Timeout: time.Second, Size: 56, Sum: uint16(numbers[first])})
		return r, nil
	})
}

// all receives so many results, three at a time, and returns why the probes were refused,
// nil for those that were answered.
func (b *bench) all(t *testing.T, n int) map[int]error {
	t.Helper()
	why := map[int]error{}
	for len(why) < n {
		k, err := b.Receive(t.Context(), 3, func(place int, probe *int, o *engine.Outcome, err error) {
			if (o == nil) == (err == nil) || o != nil && o.Fate != engine.Replied || place > 2 {
				t.Errorf("probe %d, at %d: %+v, %v", *probe, place, o, err)
			}
			why[*probe] = err
		})
		if err != nil || k == 0 {
			t.Fatal(k, err)
		}
	}
	return why
}

func TestEachProbeHasOneResult(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		numbers := []int{0, 2, 4, 1, 3, -1, -2, 6, 5, 8}
		if err := b.send(t.Context(), numbers...); err != nil {
			t.Fatal(err)
		}
		if owed := b.Owed(); owed != len(numbers) {
			t.Errorf("%d are owed", owed)
		}
		for n, err := range b.all(t, len(numbers)) {
			if (err == errBad) != (n < 0) {
				t.Errorf("probe %d: %v", n, err)
			}
		}
		if b.Owed() != 0 || b.Collect(3, nil) != 0 {
			t.Error("there is more")
		}
	})
}

// What the system refuses is a result, too, and those behind it leave.
func TestARefusalIsAResult(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		b.conn.FailSend(2, errBad)
		if err := b.send(t.Context(), 0, 2, 4, 6); err != nil {
			t.Fatal(err)
		}
		for n, err := range b.all(t, 4) {
			if errors.Is(err, errBad) != (n < 4) {
				t.Errorf("probe %d: %v", n, err)
			}
		}
		if b.Owed() != 0 {
			t.Errorf("%d are owed", b.Owed())
		}
	})
}

// No more probes are asked for than results may be owed.
func TestProbesLeaveWhileThereIsRoomForTheirResults(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		b.refused = make([]refusal[int], MaxOwed-3)
		asked := 0
		_ = b.Send(t.Context(), 10, func(_, most int) (Run[int], error) {
			asked = most
			return Run[int]{}, net.ErrClosed
		})
		if asked != 3 {
			t.Errorf("%d are asked for, want 3", asked)
		}
	})
}

func TestSoManyOperationsAreKept(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		for n := range maxOps + 2 {
			b.Op(engine.OpConfig{Sum: uint16(n)})
			if want := n%maxOps + 1; len(b.ops) != want {
				t.Fatalf("%d operations are kept, want %d", len(b.ops), want)
			}
		}
	})
}

func TestOperationsWithNothingInFlightAreGivenUp(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		for n := range 2 * maxOps {
			if err := b.send(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if n < maxOps/2 {
				continue // half of them stay in flight
			}
			b.all(t, b.Owed())
		}
		if len(b.ops) > maxOps {
			t.Errorf("%d are kept", len(b.ops))
		}
	})
}

func TestWaitingEndsWithTheStreamAndWithTheContext(t *testing.T) {
	for name, end := range map[string]func(b *bench, cancel context.CancelFunc){
		"close":   func(b *bench, _ context.CancelFunc) { b.Close() },
		"ended":   func(b *bench, _ context.CancelFunc) { close(b.ended) },
		"context": func(_ *bench, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			newBench(t, func(t *testing.T, b *bench) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				b.refused = make([]refusal[int], MaxOwed) // nobody receives
				time.AfterFunc(time.Minute, func() { end(b, cancel) })
				want := net.ErrClosed
				if name == "context" {
					want = context.Canceled
				}
				if err := b.send(ctx, 1); !errors.Is(err, want) {
					t.Errorf("Send: %v", err)
				}
				b.refused = nil
				if n, err := b.Receive(ctx, 1, nil); n != 0 || !errors.Is(err, want) {
					t.Errorf("Receive: %d, %v", n, err)
				}
			})
		})
	}
}

// What a Send that is cut short did not send is not owed.
func TestWhatIsNotSentIsNotOwed(t *testing.T) {
	newBench(t, func(t *testing.T, b *bench) {
		b.pacer = engine.NewPacer(1)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		err := b.send(ctx, 2, 4, 6, 8, 10, 12, 14, 16)
		if owed := b.Owed(); !errors.Is(err, context.DeadlineExceeded) || owed == 0 || owed == 8 {
			t.Errorf("%v; %d are owed", err, owed)
		}
		b.all(t, b.Owed())
	})
}
