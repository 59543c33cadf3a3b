package transport_test

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestAClosedTCPPortResets(t *testing.T) {
	everyMode(t, modes, func(t *testing.T, v icmp.Version, m socket.Mode) {
		c := listen(t, transport.Config{Version: v, Protocol: icmp.TCP, Mode: m})
		p := send(t, c, transport.Probe{Destination: loopback(v), DestinationPort: closedPort, Identity: 0xdecade01})
		a := next(t, c)
		checkSegment(t, &p[0], a, transport.RST)
		if m == socket.Raw && a.Segment.Acknowledgment != 0xdecade02 {
			t.Errorf("it acknowledges %#x", a.Segment.Acknowledgment)
		}
	})
}

// checkSegment holds what every answer to a SYN has.
func checkSegment(t *testing.T, p *transport.Probe, a *transport.Arrival, kind transport.Kind) {
	t.Helper()
	s := &a.Segment
	if s.Kind != kind || a.Source != p.Destination || s.SourcePort != p.DestinationPort || s.DestinationPort != p.SourcePort {
		t.Errorf("a %v came from %v port %d to port %d, want a %v", s.Kind, a.Source, s.SourcePort, s.DestinationPort, kind)
	}
	if a.Protocol != icmp.TCP || !a.Identified || a.Identity != p.Identity || a.Retransmitted {
		t.Errorf("it is %v, about %#x (%v), retransmitted: %v", a.Protocol, a.Identity, a.Identified, a.Retransmitted)
	}
	checkTimes(t, p, a)
}

func TestAnOpenTCPPortAcknowledgesAndNothingIsLeftOfIt(t *testing.T) {
	everyMode(t, modes, func(t *testing.T, v icmp.Version, m socket.Mode) {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: loopback(v).AsSlice()})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := uint16(l.Addr().(*net.TCPAddr).Port)
		c := listen(t, transport.Config{Version: v, Protocol: icmp.TCP, Mode: m})
		p := send(t, c, transport.Probe{Destination: loopback(v), DestinationPort: port, Identity: 77})
		checkSegment(t, &p[0], next(t, c), transport.SYNACK)
		for _, state := range tcpStates(t, port) {
			if state != "0A" && state != "07" { // LISTEN, and CLOSE: how a port is held
				t.Errorf("a connection of port %d is in the state %s", port, state)
			}
		}
	})
}

// tcpStates lists the states of the TCP sockets that have to do with a port
// (proc(5), /proc/net/tcp).
func tcpStates(t *testing.T, port uint16) (states []string) {
	suffix := fmt.Sprintf(":%04X", port)
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if strings.HasSuffix(f[1], suffix) || strings.HasSuffix(f[2], suffix) {
				states = append(states, f[3])
			}
		}
	}
	return states
}
