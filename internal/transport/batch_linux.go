package transport

import (
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/socket"
)

// flushBytes ends a batch of large packets early, to keep the buffer for the built
// packets small.
const flushBytes = 256 << 10

// batch builds the packets that go out together.
type batch struct {
	cfg    *linkConfig
	routes routes
	sender *sys.Sender
	buf    []byte // the packets, one after another
	ends   []int  // the offset in buf at which each of them ends
	out    []sys.Outbound
	strip  int // bytes of each packet that the kernel writes
	first  uint16
}

func (b *batch) open(cfg *linkConfig) error {
	b.cfg, b.sender = cfg, sys.NewSender(maxBatch)
	return b.routes.open(cfg)
}

// build builds the probes that go out together. It stops at a probe that cannot be
// sent and returns its error.
func (b *batch) build(probes []Probe) (n int, err error) {
	b.buf, b.ends, b.out = b.buf[:0], b.ends[:0], b.out[:0]
	for i := range probes {
		if i == maxBatch || len(b.buf) > flushBytes {
			break
		}
		if err := b.add(&probes[i]); err != nil {
			return i, err
		}
	}
	return len(b.out), nil
}

func (b *batch) add(p *Probe) error {
	if p.SourcePort == 0 {
		p.SourcePort = b.first
	}
	if err := p.validate(&b.cfg.Config); err != nil {
		return err
	}
	if port := int(p.SourcePort) - int(b.first); port < 0 || port >= b.cfg.Ports {
		return &icmp.FieldError{Field: "SourcePort", Value: p.SourcePort, Allowed: "one of the ports that are held, or 0 for the first"}
	}
	out, err := b.cfg.outbound(p)
	if err != nil {
		return err
	}
	if out.Zone != 0 && b.cfg.device != 0 && out.Zone != b.cfg.device {
		// A raw socket would send into the zone, but receive nothing from it.
		return syscall.EINVAL
	}
	if b.cfg.Mode != socket.Raw {
		out.Port = p.DestinationPort
	}
	if out.Source, err = b.routes.source(&out); err != nil {
		return err
	}
	b.buf = appendPacket(b.buf, b.cfg.Protocol, p, out.Source)
	b.out, b.ends = append(b.out, out), append(b.ends, len(b.buf))
	return nil
}

// flush gives the built packets of the probes from first to last-1 to the kernel, by one
// socket.
func (b *batch) flush(s *sys.Socket, probes []Probe, first, last int) (int, error) {
	if first == last {
		return 0, nil
	}
	start := 0
	if first > 0 {
		start = b.ends[first-1]
	}
	for i := first; i < last; i++ {
		b.out[i].Data, start = b.buf[start+b.strip:b.ends[i]], b.ends[i]
		b.sender.Set(i, &b.out[i])
	}
	n, err := s.Send(b.sender, first, last)
	for i := first; i < first+n; i++ {
		probes[i].Time = b.sender.Sent(i)
	}
	if err != nil && !socket.IsBusy(err) && b.routes.changed(&b.out[first+n]) {
		err = nil // the caller tries again, from the new address
	}
	return n, err
}
