package netsim

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestTransportConnections(t *testing.T) {
	tcp := TransportOptions{Datagram: true, Sockets: 2}
	probe := func(port uint16) []transport.Probe {
		return []transport.Probe{{Destination: netip.MustParseAddr(target4), DestinationPort: 80, SourcePort: port, Identity: 9, Timeout: 2 * time.Second}}
	}
	connected(t, served("", "deaf"), icmp.V4, icmp.TCP, tcp, func(t *testing.T, c *TransportConn) {
		if _, err := c.SendBatch(probe(4000)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.SendBatch(probe(4000)); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("a second connection with the same ports: %v", err)
		}
		if _, err := c.SendBatch(probe(0)); err != nil {
			t.Errorf("one with others: %v", err)
		}
		if _, err := c.SendBatch(probe(0)); !socket.IsBusy(err) {
			t.Errorf("one too many: %v", err)
		}
		time.Sleep(2*time.Second + 1)
		if _, err := c.SendBatch(probe(4000)); err != nil {
			t.Errorf("after the end of the others: %v", err)
		}
	})
	late := "answer-late=4s@all"
	connected(t, served("", late), icmp.V4, icmp.TCP, tcp, func(t *testing.T, c *TransportConn) {
		c.probed(t, 0, 80, 1)
		time.Sleep(5 * time.Second)
		if got := c.arrived(t); len(got) != 0 {
			t.Errorf("a connection that was given up: %+v", got)
		}
	})
}

func TestTransportPorts(t *testing.T) {
	n := MustParse(served("", ""))
	first, err := n.ListenTransport(icmp.V4, icmp.UDP, TransportOptions{FirstPort: 4000, Ports: 3})
	if err != nil {
		t.Fatal(err)
	}
	if port, count := first.Ports(); port != 4000 || count != 3 {
		t.Errorf("ports %d, %d", port, count)
	}
	if _, err := n.ListenTransport(icmp.V4, icmp.UDP, TransportOptions{FirstPort: 4002}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is held: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.ListenTransport(icmp.V4, icmp.UDP, TransportOptions{FirstPort: 4002}); err != nil {
		t.Errorf("a port that was given back: %v", err)
	}
	if _, err := n.ListenTransport(icmp.V4, icmp.SCTP, TransportOptions{Datagram: true}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SCTP without privileges: %v", err)
	}
	if _, err := n.ListenTransport(icmp.V4, icmp.ICMP, TransportOptions{}); err == nil {
		t.Error("ICMP is no transport protocol")
	}
}
