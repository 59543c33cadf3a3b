package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/standin"
	"github.com/goicmp/icmplib/socket"
)

const (
	smallBuffer     = 200 << 10 // about what an unprivileged process may have by default
	greatBuffer     = 16 << 20
	ownLossTarget   = 0.1 // percent of the probes
	suspectsPerLoss = 2.0
)

// far is a network of 65,536 hosts, 20 ms away.
const far = "client 192.0.2.1\nnode t 10.1.0.1 delay=10ms\npath 10.1.0.0/16 t"

// carryFar is the network at work, until standard input ends.
func carryFar() error { return carryNetwork(far, netlab.Device{}) }

// buffered is the system with receive buffers of a size, which stay as they are.
type buffered int

func (b buffered) Listen(s sockets.Spec) (engine.Medium, error) {
	cfg := &socket.Config{Mode: s.Mode, ReceiveBuffer: int(b)}
	if s.Version == icmp.V6 {
		return nil, errors.ErrUnsupported
	}
	c, err := socket.ListenICMPv4(cfg)
	if err != nil {
		return nil, err
	}
	return engine.OverEcho(rigid{c}), nil
}

func (buffered) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, network, host)
}

// rigid is a socket whose receive buffer does not grow.
type rigid struct{ *socket.ICMPv4 }

func (rigid) SetReceiveBuffer(int) error { return errors.ErrUnsupported }

// ownLoss counts what our own sockets lose at full speed while every core is busy
// with other things.
func (b *bench) ownLoss() error {
	return whileBusy(b.ownLosses)
}

// ownLosses counts them for each buffer, socket and operation.
func (b *bench) ownLosses() error {
	for _, size := range []int{smallBuffer, greatBuffer} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			if err := behind("far", func() error { return b.ownLossOf(size, mode, "a sweep", sweepFar) }); err != nil {
				return err
			}
			if err := behind("tree", func() error {
				return b.ownLossOf(size, mode, fmt.Sprintf("%d traces at once", manyTraces), traceTree)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownLossOf counts the losses of one operation.
func (b *bench) ownLossOf(size int, mode socket.Mode, what string, run func(*icmplib.Prober) (suspect int, err error)) error {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
	if err != nil {
		return err
	}
	defer p.Close()
	standin.Put(p, buffered(size))
	start, before := time.Now(), deviceLosses()
	suspect, err := run(p)
	if err != nil {
		return err
	}
	// The network loses nothing, and the kernel does not count what an error queue
	// has no room for: what is silent and was not lost by the device, we lost.
	c, device := p.Counters(), deviceLosses()-before
	lost := max(int(c.Dropped), int(c.Silent)-device)
	note := fmt.Sprintf("%d of %d in %v: %d silent, %d lost by the device, %d suspect", lost, c.PacketsSent, time.Since(start).Round(10*time.Millisecond), c.Silent, device, suspect)
	b.table.bound(100*float64(lost)/float64(c.PacketsSent), ownLossTarget, "%", note,
		"own losses of %s, %v, buffer of %d KiB, %d cores busy", what, mode, size>>10, runtime.NumCPU())
	if lost > 0 {
		b.table.bound(float64(suspect)/float64(lost), suspectsPerLoss, "", "", "suspect silences for each of them")
	}
	return nil
}

// deviceLosses returns how many packets the interfaces had no room for.
func deviceLosses() (sum int) {
	text, _ := os.ReadFile("/proc/self/net/dev")
	for line := range strings.Lines(string(text)) {
		_, counts, _ := strings.Cut(line, ":")
		if fields := strings.Fields(counts); len(fields) == 16 {
			received, _ := strconv.Atoi(fields[3])
			sent, _ := strconv.Atoi(fields[11])
			sum += received + sent
		}
	}
	return sum
}

func sweepFar(p *icmplib.Prober) (suspect int, err error) {
	names := func(yield func(string) bool) {
		for i := range 1 << 16 {
			if !yield(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}).String()) {
				return
			}
		}
	}
	for h, err := range p.MultiPingSeq(context.Background(), names, &icmplib.MultiPingOptions{Count: 1, Rate: -1, Timeout: 2 * time.Second}) {
		if err != nil {
			return 0, err
		}
		suspect += h.Suspect
	}
	return suspect, nil
}

func traceTree(p *icmplib.Prober) (suspect int, err error) {
	names := func(yield func(string) bool) {
		for i := range manyTraces {
			if !yield(tree.Target(i, false).String()) {
				return
			}
		}
	}
	opts := &icmplib.MultiTracerouteOptions{Rate: -1, HopRate: -1, Parallel: manyTraces}
	for route, err := range p.MultiTracerouteSeq(context.Background(), names, opts) {
		if err != nil {
			return 0, err
		}
		for i := range route.Hops {
			suspect += route.Hops[i].Suspect
		}
	}
	return suspect, nil
}
