package main

import (
	"context"
	"iter"
	"time"

	"github.com/goicmp/icmplib"
)

// tally sums up what became of the probes of a run.
type tally struct {
	hosts, sent, received int
	rtt                   time.Duration // of all together
}

func (t *tally) add(h *icmplib.Host) {
	t.hosts++
	t.sent += h.PacketsSent
	t.received += h.PacketsReceived
	t.rtt += h.AvgRTT() * time.Duration(h.PacketsReceived)
}

// averageRTT returns the mean round-trip time in microseconds.
func (t *tally) averageRTT() float64 {
	return float64(t.rtt.Nanoseconds()) / 1e3 / float64(max(1, t.received))
}

// fullSpeed is one request to each host, as fast as can be.
var fullSpeed = icmplib.MultiPingOptions{Count: 1, Rate: -1, Timeout: 5 * time.Second}

// sweep pings hosts with a Prober.
func sweep(p *icmplib.Prober, names iter.Seq[string], opts icmplib.MultiPingOptions) (t tally, err error) {
	for h, err := range p.MultiPingSeq(context.Background(), names, &opts) {
		if err != nil {
			return t, err
		}
		t.add(h)
	}
	return t, nil
}

// sweepOnce pings hosts with a Prober of its own.
func sweepOnce(k kind, names iter.Seq[string], opts icmplib.MultiPingOptions) (tally, error) {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: k.mode()})
	if err != nil {
		return tally{}, err
	}
	defer p.Close()
	return sweep(p, names, opts)
}
