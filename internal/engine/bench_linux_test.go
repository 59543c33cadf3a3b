package engine_test

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/socket"
)

const (
	benchBatch  = 16   // what the engine sends at once
	benchRound  = 2048 // probes in a round
	benchWindow = 256  // in flight at most: less than what overflows the receive buffer
)

var localhost = netip.MustParseAddr("127.0.0.1")

// floor is the least that sending a request and receiving its reply can cost:
// a loop of sendmmsg and recvmmsg in one thread, over the same kind of socket and
// without a poller, which looks at nothing.
type floor struct {
	sock     sys.Bare
	sender   *sys.Sender
	receiver *sys.Receiver
}

func newFloor(b *testing.B) *floor {
	s, err := sys.OpenBareICMP(false, true)
	if err != nil {
		b.Skipf("the system allows no raw socket, with which the floor is measured: %v", err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.PassTypes4(icmp.V4EchoReply.Number()); err != nil {
		b.Fatal(err)
	}
	if err := s.SetReceiveBuffer(1 << 20); err != nil {
		b.Fatal(err)
	}
	if err := s.StampArrivals(); err != nil {
		b.Fatal(err)
	}
	f := &floor{sock: s, sender: sys.NewSender(benchBatch), receiver: sys.NewReceiver(64)}
	req := icmp.Request{Destination: localhost, ID: 0xf100}
	for i := range benchBatch {
		data, _ := req.Append(nil)
		f.sender.Set(i, &sys.Outbound{Data: data, To: localhost, TTL: -1, TrafficClass: -1})
	}
	return f
}

func (f *floor) round(b *testing.B) {
	for sent, received := 0, 0; received < benchRound; {
		for sent < benchRound && sent-received < benchWindow {
			n, err := f.sock.Send(f.sender, benchBatch)
			if err != nil {
				b.Fatal(err)
			}
			sent += n
		}
		n, err := f.sock.Receive(f.receiver)
		if err != nil {
			b.Fatal(err)
		}
		if received += n; n == 0 && !f.sock.Wait(time.Second) {
			b.Fatalf("%d of %d answered", received, benchRound)
		}
	}
}

// pinger drives an engine in the same way.
type pinger struct {
	e      *engine.Pool
	op     *engine.Op
	probes [benchBatch]engine.Probe
	inbox  []engine.Outcome
}

func newPinger(b *testing.B, cfg *socket.Config) *pinger {
	pool, err := engine.NewPool(func() (engine.Medium, error) {
		s, err := socket.ListenICMPv4(cfg)
		if err != nil {
			return nil, err
		}
		return engine.OverEcho(s), nil
	}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		b.Skipf("the system allows no %v socket: %v", cfg.Mode, err)
	}
	p := &pinger{e: pool}
	p.op = engine.NewOp(engine.OpConfig{Timeout: 10 * time.Second, Size: 56})
	b.Cleanup(func() { p.op.Close(); p.e.Close() })
	for i := range p.probes {
		p.probes[i] = engine.Probe{Dst: localhost, TTL: icmp.DefaultTTL}
	}
	return p
}

func (p *pinger) round(b *testing.B) {
	for sent, settled := 0, 0; settled < benchRound; {
		for sent < benchRound && sent-settled < benchWindow {
			n, err := p.e.Send(context.Background(), p.op, p.probes[:])
			if err != nil {
				b.Fatal(err)
			}
			sent += n
		}
		<-p.op.Ready()
		p.inbox = p.op.Take(p.inbox)
		for i := range p.inbox {
			if p.inbox[i].Fate != engine.Replied {
				b.Fatalf("a probe was not answered: %+v", p.inbox[i])
			}
		}
		settled += len(p.inbox)
	}
}

// cpu returns the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAgainstFloor measures the processor time of a probe through the
// engine and through the floor, by turns, and reports the median of their
// ratios: what truth and convenience cost.
func BenchmarkAgainstFloor(b *testing.B) {
	benchmarkAgainstFloor(b, &socket.Config{Mode: socket.Raw})
}

// BenchmarkStampedAgainstFloor is BenchmarkAgainstFloor with a stamp of each
// probe's departure, which the floor does without.
func BenchmarkStampedAgainstFloor(b *testing.B) {
	benchmarkAgainstFloor(b, &socket.Config{Mode: socket.Raw, SendTimestamps: true})
}

func benchmarkAgainstFloor(b *testing.B, cfg *socket.Config) {
	f, p := newFloor(b), newPinger(b, cfg)
	f.round(b)
	p.round(b)
	var ratios, floors, engines []float64
	b.ReportAllocs()
	for b.Loop() {
		start := cpu(b)
		f.round(b)
		middle := cpu(b)
		p.round(b)
		end := cpu(b)
		floors = append(floors, float64(middle-start)/benchRound)
		engines = append(engines, float64(end-middle)/benchRound)
		ratios = append(ratios, float64(end-middle)/float64(middle-start))
	}
	b.ReportMetric(median(floors), "floor-cpu-ns/probe")
	b.ReportMetric(median(engines), "engine-cpu-ns/probe")
	b.ReportMetric(median(ratios), "engine/floor")
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
