package icmplib

import (
	"context"
	"errors"
	"time"
)

// mtuProbe is one packet of a volley.
type mtuProbe struct {
	size int // of the IP packet
	ttl  int
}

// Headers in front of the payload of an echo request or a datagram.
const (
	mtuHeaders4 = 20 + 8
	mtuHeaders6 = 40 + 8
)

// packet returns the shape of a probe.
func (r *mtuRun) packet(probe mtuProbe) Packet {
	pk := r.opts.Packet
	pk.TTL = probe.ttl
	pk.Size = probe.size - mtuHeaders4
	if r.dst.Is6() {
		pk.Size = probe.size - mtuHeaders6
	}
	return pk
}

// volley sends packets in turn, Interval apart, and hands each result to take,
// until all are settled or take says that it is enough. What is still in flight
// is then forgotten.
func (r *mtuRun) volley(ctx context.Context, probes []mtuProbe, take func(mtuProbe, *Result) (enough bool)) error {
	s := r.p.NewStream()
	defer s.Close()
	due := time.Now()
	results := make([]StreamResult, len(probes))
	for sent, settled := 0, 0; settled < len(probes); {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if sent < len(probes) {
			wait, cancel = context.WithDeadline(ctx, due)
		}
		n, err := s.Receive(wait, results)
		cancel()
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			probe := []StreamProbe{{Dst: r.dst, Tag: uint64(sent)}}
			probe[0].Timeout, probe[0].Packet = r.opts.Timeout, r.packet(probes[sent])
			if err := s.Send(ctx, probe); err != nil {
				return err
			}
			sent++
			due = time.Now().Add(r.opts.Interval)
		default:
			return err
		}
		for i := range n {
			settled++
			if take(probes[results[i].Tag], &results[i].Result) {
				return nil
			}
		}
	}
	return nil
}
