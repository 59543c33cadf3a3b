package netsim

import (
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

// host is what a node does with a packet for itself.
func (w *walk) host(n *node, f *flight, ordinal int) {
	p := &f.p
	switch {
	case n.Host.Deaf.covers(p, ordinal, n.random):
		w.note(n, Taken, "deaf", f.at)
		return
	case !n.hostAddress(f).IsValid():
		w.note(n, Dropped, "the host has no address of that version", f.at)
		return
	case p.checksumField() != nil && !p.verify():
		w.note(n, Dropped, "bad checksum", f.at)
		return
	}
	switch {
	case p.isICMP():
		w.echo(n, f, ordinal)
	case p.proto == wire.ProtocolUDP:
		w.udp(n, f, ordinal)
	case f.group:
		w.note(n, Taken, "nothing answers a group", f.at)
	case p.proto == wire.ProtocolTCP:
		w.tcp(n, f, ordinal)
	case p.proto == wire.ProtocolSCTP:
		w.sctp(n, f, ordinal)
	default:
		e := fault{code: protoUnknown[version(p.v6)], from: n.hostAddress(f), cause: "protocol unreachable"}
		if p.v6 {
			e.rest = 6 // where the Next Header field is (RFC 4443 section 3.4)
		}
		w.fail(n, f, ordinal, e)
	}
}

// hostAddress is where a host's answers come from: the address that was asked,
// or that of the member of a group.
func (n *node) hostAddress(f *flight) netip.Addr {
	if f.group && !n.owns(f.to) {
		return pick(n.Addresses, f.p.v6)
	}
	return f.to
}

// echo answers an echo request (RFC 792, RFC 4443 section 4.2). The answer has
// the traffic class of the request.
func (w *walk) echo(n *node, f *flight, ordinal int) {
	t := f.p.transport()
	kind := Code{echoRequest4, 0}
	reply := uint8(echoReply4)
	if f.p.v6 {
		kind, reply = Code{echoRequest6, 0}, echoReply6
	}
	if len(t) < icmpHeader || t[0] != kind.Type {
		w.note(n, Taken, "no echo request", f.at)
		return
	}
	p := w.reply(n, f, len(t))
	r := p.transport()
	copy(r, t)
	r[0], r[1] = reply, 0
	n.Host.IDShift.apply(&f.p, r[4:], ordinal, n)
	n.Host.SeqShift.apply(&f.p, r[6:], ordinal, n)
	p.setTrafficClass(f.p.trafficClass())
	p.seal()
	w.respond(n, ordinal, p, f.at, "echo reply")
}

// reply makes a packet of the same protocol back to whom f came from, with
// room for an upper layer of size bytes.
func (w *walk) reply(n *node, f *flight, size int) packet {
	return w.datagram(n.hostAddress(f), f.p.source(), f.p.proto, size, n)
}

func (s *Shift) apply(request *packet, field []byte, ordinal int, n *node) {
	switch {
	case !s.When.covers(request, ordinal, n.random):
	case s.Absolute:
		put16(field, uint16(s.By))
	default:
		put16(field, get16(field)+uint16(s.By))
	}
}

// udp takes a datagram: ports are closed unless the host was told otherwise.
func (w *walk) udp(n *node, f *flight, ordinal int) {
	t := f.p.transport()
	if len(t) < wire.UDPHeaderLen {
		w.note(n, Dropped, "short UDP header", f.at)
		return
	}
	port := get16(t[2:])
	switch answer, served := n.Host.serve(port, t[wire.UDPHeaderLen:]); {
	case served && answer != nil:
		w.respondUDP(n, f, ordinal, answer)
	case served:
		w.note(n, Taken, "not understood by the service", f.at)
	case slices.Contains(n.Host.UDPEcho, port):
		p := w.reply(n, f, len(t))
		r := p.transport()
		copy(r, t)
		turnPorts(r, t)
		p.seal()
		w.respond(n, ordinal, p, f.at, "UDP echo")
	case slices.Contains(n.Host.UDP, port):
		w.note(n, Taken, "open UDP port", f.at)
	default:
		e := fault{code: portUnreachable[version(f.p.v6)], from: n.hostAddress(f), cause: "port unreachable"}
		w.fail(n, f, ordinal, e)
	}
}

// turnPorts writes the ports of an answer to a request.
func turnPorts(answer, request []byte) {
	from, to := get16(request), get16(request[2:])
	put16(answer, to)
	put16(answer[2:], from)
}
