package netsim

import (
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

// suffer applies faults to a packet at node n: it may be changed, delayed or
// lost, and is to be followed by as many copies as copies says.
func (w *walk) suffer(n *node, faults *Faults, f *flight, ordinal int) (copies int, lost bool) {
	p := &f.p
	if faults.Lose.covers(p, ordinal, n.random) {
		w.note(n, Dropped, "lost", f.at)
		return 0, true
	}
	if faults.Late.covers(p, ordinal, n.random) {
		f.at += faults.LateBy
		w.note(n, Delayed, "late", f.at)
	}
	if faults.Alter.covers(p, ordinal, n.random) && p.alter(faults.AlterAt) {
		w.note(n, Altered, "payload altered", f.at)
	}
	if faults.Corrupt.covers(p, ordinal, n.random) && p.corrupt() {
		w.note(n, Altered, "corrupted", f.at)
	}
	if faults.Duplicate.covers(p, ordinal, n.random) {
		w.note(n, Duplicated, "duplicated", f.at)
		copies = max(1, faults.Copies)
	}
	return copies, false
}

// alter changes a byte of the payload, as a middlebox does that makes the
// checksum right again.
func (p *packet) alter(at int) bool {
	payload := p.payload()
	if at >= len(payload) {
		return false
	}
	payload[at] ^= 0xff
	p.seal()
	return true
}

// corrupt flips a bit behind the upper layer's ports, so that routers still
// know the packet, but its checksum is wrong.
func (p *packet) corrupt() bool {
	t := p.transport()
	if len(t) < 8 {
		return false
	}
	t[len(t)-1] ^= 0x10
	return true
}

// payload is what follows the header of the upper layer.
func (p *packet) payload() []byte {
	t := p.transport()
	size := len(t)
	switch p.proto {
	case wire.ProtocolICMP, wire.ProtocolICMPv6, wire.ProtocolUDP:
		size = 8
	case wire.ProtocolSCTP:
		size = 12
	case wire.ProtocolTCP:
		if len(t) > 12 {
			size = int(t[12]>>4) * 4
		}
	}
	return t[min(size, len(t)):]
}

// delay is the time that the packet with number ordinal takes over the link
// that leads to the node, one way.
func (n *node) delay(delays []time.Duration, ordinal int) time.Duration {
	var d time.Duration
	if len(delays) > 0 {
		d = delays[(ordinal-1)%len(delays)]
	}
	if n.Jitter > 0 {
		d += time.Duration(n.random.Int64N(int64(n.Jitter)))
	}
	return d
}

// backDelays is the delays of the link on the way back.
func (n *node) backDelays() []time.Duration {
	if n.BackDelay != nil {
		return n.BackDelay
	}
	return n.Delay
}
