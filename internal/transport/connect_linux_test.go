package transport_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// connections runs a test with TCP without privileges, towards addresses that
// do not answer. The kernel sends a SYN again in real time.
func connections(t *testing.T, cfg transport.Config, test func(l lab)) {
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{Setup: silence, Tries: 3}, func(t *testing.T) {
				cfg.Version, cfg.Protocol, cfg.Mode = v, icmp.TCP, socket.Datagram
				test(lab{t, listen(t, cfg), v, sniff(t), newForger(t, v)})
			})
		})
	}
}

func TestTheSocketsInFlightAreBounded(t *testing.T) {
	connections(t, transport.Config{Sockets: 2}, func(l lab) {
		p, packet := l.probe(transport.Probe{})
		l.probe(transport.Probe{})
		more := []transport.Probe{{Destination: remote(l.v), DestinationPort: 80}}
		if n, err := l.SendBatch(more); n != 0 || !socket.IsBusy(err) {
			l.Errorf("beyond the bound: SendBatch = %d, %v", n, err)
		}
		l.f.send(timeExceeded(l.v), 0, 0, packet)
		l.checkQuote(&p, next(l.T, l.Conn))
		send(l.T, l.Conn, more...)
	})
}

// Probes that are sockets of their own meet the limit of descriptors: they wait.
func TestAProbeThatHasNoDescriptorWaits(t *testing.T) {
	connections(t, transport.Config{}, func(l lab) {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			l.Fatal(err)
		}
		few := limit
		few.Cur = 3
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
			l.Fatal(err)
		}
		probes := []transport.Probe{{Destination: remote(l.v), DestinationPort: 80}}
		n, err := l.SendBatch(probes)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			l.Fatal(err)
		}
		if n != 0 || !errors.Is(err, syscall.EMFILE) || !socket.IsBusy(err) {
			l.Errorf("without a descriptor: SendBatch = %d, %v", n, err)
		}
		send(l.T, l.Conn, probes...)
	})
}

// Each by its own timeout, whatever the order in which they were made.
func TestAConnectionThatNothingComesOfEndsWithItsTimeout(t *testing.T) {
	connections(t, transport.Config{}, func(l lab) {
		l.probe(transport.Probe{SourcePort: 39999, Timeout: time.Hour})
		before := descriptors(l.T)
		for i := range 20 {
			l.probe(transport.Probe{SourcePort: uint16(40000 + i), Timeout: time.Duration(1+i*7%20) * time.Millisecond})
		}
		for descriptors(l.T) > before {
			_ = l.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			if n, _ := l.ReceiveBatch(bounded(l.T), make([]transport.Arrival, 1)); n > 0 {
				l.Fatal("something came of it")
			}
		}
	})
}

// The kernel sends a SYN again after a second, and an answer to which of them
// this is cannot be told.
func TestASYNThatWasSentAgainIsSaidToBe(t *testing.T) {
	connections(t, transport.Config{}, func(l lab) {
		p, packet := l.probe(transport.Probe{})
		again := slices.Clone(l.s.next(l.v))
		l.f.send(timeExceeded(l.v), 0, 0, again)
		a := next(l.T, l.Conn)
		if len(packet) != len(again) || a.Quote.SourcePort != p.SourcePort || !a.Retransmitted {
			l.Errorf("received %v about port %d, retransmitted: %v", a.Type, a.Quote.SourcePort, a.Retransmitted)
		}
	})
}

// A constant source port and probes in flight at once exclude each other
// towards one destination, and do not towards several.
func TestASourcePortServesOneConnectionADestination(t *testing.T) {
	connections(t, transport.Config{}, func(l lab) {
		const port = 40000
		p := transport.Probe{Destination: remote(l.v), DestinationPort: 80, SourcePort: port}
		other := p
		other.DestinationPort = 81
		send(l.T, l.Conn, p, other)
		n, err := l.SendBatch([]transport.Probe{p})
		var op *socket.OpError
		if n != 0 || !errors.As(err, &op) {
			l.Errorf("the same flow again: SendBatch = %d, %v", n, err)
		}
	})
}
