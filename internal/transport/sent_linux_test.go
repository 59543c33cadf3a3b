package transport_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/socket"
)

// What is sent is looked at as a router would see it: as a quoted packet.
func TestAProbeLeavesAsItIsDescribed(t *testing.T) {
	forged(t, func(l lab) {
		p := transport.Probe{TTL: 3, TrafficClass: 0xb8}
		if l.v == icmp.V6 {
			p.FlowLabel = 0xbeef5
		}
		if l.Protocol() == icmp.UDP {
			p.Checksum, p.Balance = 0x1234, 8
		}
		p, packet := l.probe(p)
		var q icmp.Quote
		if err := q.Parse(l.v, packet); err != nil {
			l.Fatal(err)
		}
		if q.Source != home(l.v) || q.TTL != 3 || q.TrafficClass != 0xb8 || q.FlowLabel != p.FlowLabel {
			l.Errorf("it leaves from %v with TTL %d, class %#x, flow label %#x", q.Source, q.TTL, q.TrafficClass, q.FlowLabel)
		}
		if q.SourcePort != p.SourcePort || q.DestinationPort != 80 {
			l.Errorf("it leaves from port %d to port %d", q.SourcePort, q.DestinationPort)
		}
		if l.v == icmp.V4 && !q.DontFragment {
			l.Error("it may be fragmented")
		}
		l.checkTransport(&p, &q)
	})
}

func (l lab) checkTransport(p *transport.Probe, q *icmp.Quote) {
	l.Helper()
	if l.Protocol() != icmp.SCTP && l.Mode() == socket.Raw {
		if sum := wire.TransportChecksum(q.Source, q.Destination, uint8(l.Protocol()), q.Transport); sum != 0 {
			l.Errorf("its checksum is wrong by %#04x", sum)
		}
	}
	switch l.Protocol() {
	case icmp.UDP:
		sum := wire.TransportChecksum(q.Source, q.Destination, wire.ProtocolUDP, append(append(append([]byte{}, q.Transport[:6]...), 0, 0), q.Payload...))
		if sum != p.Checksum || string(q.Payload[:8]) != "abcdefgh" {
			l.Errorf("the checksum of %q is %#04x, want %#04x", q.Payload, sum, p.Checksum)
		}
	case icmp.TCP:
		var h wire.TCP
		if err := h.Parse(q.Transport); err != nil || h.Flags&(wire.TCPFlagSYN|wire.TCPFlagACK|wire.TCPFlagRST) != wire.TCPFlagSYN {
			l.Errorf("it is %+v, %v", h, err)
		}
		if l.Mode() == socket.Raw && h.Sequence != p.Identity {
			l.Errorf("its sequence number is %#x", h.Sequence)
		}
	case icmp.SCTP:
		var h wire.SCTP
		if err := h.Parse(q.Transport); err != nil || h.Checksum != wire.SCTPChecksum(q.Transport) || h.VerificationTag != 0 {
			l.Errorf("it is %+v, %v", h, err)
		}
	}
}

// Batches of more than one system call takes, and of several source ports, come
// apart in the kernel's calls and not in the order.
func TestABatchLeavesInOrder(t *testing.T) {
	forged(t, func(l lab) {
		if l.Protocol() != icmp.UDP {
			return
		}
		c := listen(t, transport.Config{Version: l.v, Protocol: icmp.UDP, Mode: l.Mode(), Ports: 3})
		first, _ := c.Ports()
		probes := make([]transport.Probe, 150)
		for i := range probes {
			probes[i] = transport.Probe{Destination: remote(l.v), DestinationPort: uint16(1000 + i), SourcePort: first + uint16(i/4%3)}
		}
		send(t, c, probes...)
		for i := range probes {
			var q icmp.Quote
			if err := q.Parse(l.v, l.s.next(l.v)); err != nil {
				t.Fatal(err)
			}
			if q.DestinationPort != uint16(1000+i) || q.SourcePort != probes[i].SourcePort {
				t.Fatalf("packet %d leaves from port %d to port %d", i, q.SourcePort, q.DestinationPort)
			}
		}
	})
}
