package transport_test

import (
	"encoding/binary"
	"net"
	"slices"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/socket"
)

// forger sends ICMP errors to this host, as routers would.
type forger struct {
	t    *testing.T
	v    icmp.Version
	conn net.Conn
}

func newForger(t *testing.T, v icmp.Version) *forger {
	network := "ip4:icmp"
	if v == icmp.V6 {
		network = "ip6:ipv6-icmp"
	}
	conn, err := net.Dial(network, loopback(v).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &forger{t, v, conn}
}

// send sends an error whose second word is rest, with a quoted packet and what
// follows it.
func (f *forger) send(typ icmp.Type, code uint8, rest uint32, quoted []byte, extensions ...byte) {
	f.t.Helper()
	message := append([]byte{typ.Number(), code, 0, 0}, binary.BigEndian.AppendUint32(nil, rest)...)
	message = append(message, quoted...)
	message = append(message, extensions...)
	if f.v == icmp.V4 {
		binary.BigEndian.PutUint16(message[2:], icmp.Checksum(message))
	}
	if _, err := f.conn.Write(message); err != nil {
		f.t.Fatal(err)
	}
}

// timeExceeded is the message of a router on the way.
func timeExceeded(v icmp.Version) icmp.Type {
	if v == icmp.V4 {
		return icmp.V4TimeExceeded
	}
	return icmp.V6TimeExceeded
}

func headerLen(v icmp.Version) int {
	if v == icmp.V4 {
		return wire.IPv4MinHeaderLen
	}
	return wire.IPv6HeaderLen
}

// lab is a Conn, a view of what it sends, and routers.
type lab struct {
	*testing.T
	*transport.Conn
	v icmp.Version
	s *sniffer
	f *forger
}

// forged runs a test with forged errors, which takes privileges, for each
// protocol, version and kind of socket.
func forged(t *testing.T, test func(l lab)) {
	for _, v := range versions {
		for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP, icmp.SCTP} {
			for _, m := range []socket.Mode{socket.Raw, socket.Datagram} {
				if protocol == icmp.SCTP && m == socket.Datagram {
					continue
				}
				t.Run(v.String()+" "+protocol.String()+" "+m.String(), func(t *testing.T) {
					netlab.Test(t, netlab.Config{Setup: silence, Tries: 3}, func(t *testing.T) {
						c := listen(t, transport.Config{Version: v, Protocol: protocol, Mode: m, DontFragment: true})
						test(lab{t, c, v, sniff(t), newForger(t, v)})
					})
				})
			}
		}
	}
}

// probe sends a probe and returns it with the packet that left.
func (l lab) probe(p transport.Probe) (transport.Probe, []byte) {
	l.Helper()
	p.Destination, p.DestinationPort, p.Identity = remote(l.v), 80, 0xdecade01
	if l.Protocol() == icmp.UDP {
		p.Payload = []byte("abcdefghij")
	}
	p = send(l.T, l.Conn, p)[0]
	return p, slices.Clone(l.s.next(l.v))
}

// checkQuote holds what every quote has, however short it is.
func (l lab) checkQuote(p *transport.Probe, a *transport.Arrival) {
	l.Helper()
	q := &a.Quote
	if q.Protocol != l.Protocol() || q.Destination != remote(l.v) || q.DestinationPort != 80 || q.SourcePort != p.SourcePort {
		l.Errorf("quoted is %v to %v port %d from port %d, want from port %d", q.Protocol, q.Destination, q.DestinationPort, q.SourcePort, p.SourcePort)
	}
	if a.Source != loopback(l.v) || a.Segment.Kind != transport.None || a.Err() == nil || a.Retransmitted {
		l.Errorf("it came from %v as %v", a.Source, a.Type)
	}
	checkTimes(l.T, p, a)
}
