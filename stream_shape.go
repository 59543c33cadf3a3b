package icmplib

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// streamShape is what probes have to have in common to be sent by one operation
// of the engine.
type streamShape struct {
	timeout  time.Duration
	class    int
	size     int
	protocol Protocol
	payload  string
	custom   bool // payload is the caller's
	group    bool
	sourced  bool // replies have to come from the address that was probed
}

// streamOp is an operation of the engine, and how many of its probes are in
// flight.
type streamOp struct {
	op       *engine.Op
	inFlight int // guarded by the Stream's mu
}

// maxStreamOps is how many operations are kept that may have nothing in flight.
const maxStreamOps = 64

// prepare finds the sockets and the operation for a probe.
func (s *Stream) prepare(p *StreamProbe) (*engine.Pool, *streamOp, error) {
	opts, err := p.ProbeOptions.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	if !p.Dst.IsValid() {
		return nil, nil, &ConfigError{Field: "Dst", Value: p.Dst, Allowed: "an IP address"}
	}
	dst := thisHost(p.Dst.Unmap())
	pool, err := s.p.poolFor(&opts.Packet, dst)
	if err != nil {
		return nil, nil, err
	}
	return pool, s.op(&opts, dst), nil
}

// op returns the operation for probes of a shape.
func (s *Stream) op(o *ProbeOptions, dst netip.Addr) *streamOp {
	shape := streamShape{
		timeout:  o.Timeout,
		class:    o.Packet.TrafficClass,
		size:     o.Packet.size(),
		protocol: o.Packet.Protocol,
		payload:  string(o.Packet.Payload),
		custom:   o.Packet.Payload != nil,
		group:    o.Packet.isGroup(dst),
		sourced:  o.Packet.RequireSource,
	}
	if op := s.ops[shape]; op != nil {
		return op
	}
	if len(s.ops) >= maxStreamOps {
		s.retire()
	}
	cfg := s.p.opConfig(&o.Packet, o.Timeout, dst)
	cfg.Inbox = s.inbox
	op := &streamOp{op: engine.NewOp(cfg)}
	s.ops[shape] = op
	return op
}

// retire closes the operations that have nothing in flight.
func (s *Stream) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shape, op := range s.ops {
		if op.inFlight == 0 {
			op.op.Close()
			delete(s.ops, shape)
		}
	}
}

// sameRun tells whether b can be sent together with a, which is valid.
func sameRun(a, b *StreamProbe) bool {
	x, y := &a.Packet, &b.Packet
	return b.Dst.IsValid() && a.Dst.Unmap().Is4() == b.Dst.Unmap().Is4() && a.Timeout == b.Timeout &&
		x.Protocol == y.Protocol && x.Source == y.Source && x.Interface == y.Interface && x.Mark == y.Mark &&
		x.SourcePort == y.SourcePort && x.TrafficClass == y.TrafficClass && x.Size == y.Size &&
		x.DontFragment == y.DontFragment && x.Broadcast == y.Broadcast &&
		x.isGroup(a.Dst) == y.isGroup(b.Dst) &&
		(x.Payload == nil) == (y.Payload == nil) && bytes.Equal(x.Payload, y.Payload) && variesWell(y)
}

// variesWell tells whether what may differ from probe to probe can be sent.
func variesWell(p *Packet) bool {
	return p.TTL >= 0 && p.TTL <= maxTTL && p.FlowLabel < 1<<20 &&
		(p.Protocol != ICMP || p.Port == 0 && p.FlowLabel == 0)
}
