package transport_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestARoutersErrorQuotesTheProbe(t *testing.T) {
	forged(t, func(l lab) {
		p, packet := l.probe(transport.Probe{TTL: 3})
		l.f.send(timeExceeded(l.v), 0, 0, packet)
		a := next(l.T, l.Conn)
		l.checkQuote(&p, a)
		if a.Kind() != icmp.KindTimeExceeded {
			l.Errorf("it came as %v", a.Type)
		}
		if l.Protocol() == icmp.UDP && string(a.Quote.Payload) != "abcdefghij" {
			l.Errorf("it quotes the payload %q", a.Quote.Payload)
		}
		if l.Protocol() != icmp.UDP && (!a.Identified || a.Identity != 0xdecade01) {
			l.Errorf("it is about %#x, identified: %v", a.Identity, a.Identified)
		}
	})
}

func TestEightQuotedBytesAreEnough(t *testing.T) {
	forged(t, func(l lab) {
		p, packet := l.probe(transport.Probe{})
		l.f.send(timeExceeded(l.v), 0, 0, packet[:headerLen(l.v)+8])
		a := next(l.T, l.Conn)
		l.checkQuote(&p, a)
		// The initiate tag of an INIT is behind them.
		if want := l.Protocol() == icmp.TCP; a.Identified != want {
			l.Errorf("identified: %v, want %v", a.Identified, want)
		}
		if len(a.Quote.Payload) != 0 {
			l.Errorf("the payload %q is quoted", a.Quote.Payload)
		}
	})
}

func TestARoutersErrorBringsLabels(t *testing.T) {
	forged(t, func(l lab) {
		p, packet := l.probe(transport.Probe{})
		length := uint32(32) << 16
		if l.v == icmp.V6 {
			length = uint32(16) << 24
		}
		structure := []byte{0x20, 0, 0, 0, 0, 12, 1, 1, 0x03, 0xe8, 0xa6, 0x01, 0x05, 0xdc, 0x11, 0xff}
		binary.BigEndian.PutUint16(structure[2:], icmp.Checksum(structure))
		l.f.send(timeExceeded(l.v), 0, length, append(packet, make([]byte, 128-len(packet))...), structure...)
		a := next(l.T, l.Conn)
		l.checkQuote(&p, a)
		want := []icmp.MPLSLabel{{Label: 16010, TrafficClass: 3, TTL: 1}, {Label: 24001, BottomOfStack: true, TTL: 255}}
		if got := a.Extensions.AppendMPLS(nil); !slices.Equal(got, want) {
			l.Errorf("labels %v, want %v", got, want)
		}
	})
}

func TestAPacketTooBigSaysHowMuchFits(t *testing.T) {
	forged(t, func(l lab) {
		if l.Protocol() == icmp.TCP && l.Mode() == socket.Datagram {
			return // the kernel acts on it by itself, and tells nobody
		}
		p, packet := l.probe(transport.Probe{})
		typ, code := icmp.V4DestinationUnreachable, uint8(icmp.V4CodeFragmentationNeeded)
		if l.v == icmp.V6 {
			typ, code = icmp.V6PacketTooBig, 0
		}
		l.f.send(typ, code, 1400, packet)
		a := next(l.T, l.Conn)
		l.checkQuote(&p, a)
		if a.Kind() != icmp.KindPacketTooBig || a.MTU != 1400 {
			l.Errorf("it came as %v with MTU %d", a.Type, a.MTU)
		}
	})
}

// An error that is pending on a socket fails the next call on it.
func TestAPendingErrorLosesNoProbe(t *testing.T) {
	forged(t, func(l lab) {
		p, packet := l.probe(transport.Probe{})
		l.f.send(timeExceeded(l.v), 0, 0, packet)
		probes := []transport.Probe{p, p, p}
		for i := range probes {
			probes[i].SourcePort = 0
		}
		send(l.T, l.Conn, probes...)
		l.checkQuote(&p, next(l.T, l.Conn))
	})
}
