package transport_test

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

const closedPort = 33434

func TestAClosedUDPPortIsUnreachable(t *testing.T) {
	everyMode(t, modes, func(t *testing.T, v icmp.Version, m socket.Mode) {
		c := listen(t, transport.Config{Version: v, Protocol: icmp.UDP, Mode: m, Ports: 3})
		first, n := c.Ports()
		if n != 3 {
			t.Fatalf("%d ports are held, want 3", n)
		}
		p := send(t, c, transport.Probe{Destination: loopback(v), DestinationPort: closedPort, SourcePort: first + 2,
			TTL: 7, Payload: []byte("abcdefghij"), Checksum: 0xbeef, Balance: 4})
		a := next(t, c)
		if a.Kind() != icmp.KindDestinationUnreachable || a.Segment.Kind != transport.None || a.Source != loopback(v) {
			t.Errorf("a %v (%v) came from %v", a.Type, a.Segment.Kind, a.Source)
		}
		q := &a.Quote
		if q.Destination != loopback(v) || q.DestinationPort != closedPort || q.SourcePort != first+2 || q.Protocol != icmp.UDP {
			t.Errorf("it quotes %v port %d from port %d", q.Destination, q.DestinationPort, q.SourcePort)
		}
		if len(q.Payload) != 10 || string(q.Payload[:4])+string(q.Payload[6:]) != "abcdghij" || string(p[0].Payload) != "abcdefghij" {
			t.Errorf("it quotes the payload %q of %q", q.Payload, p[0].Payload)
		}
		if m == socket.Raw && (q.Checksum != 0xbeef || q.TTL != 7) {
			t.Errorf("it quotes checksum %#04x and TTL %d", q.Checksum, q.TTL)
		}
		checkTimes(t, &p[0], a)
	})
}

// echoUDP answers each datagram with its payload.
func echoUDP(t *testing.T, v icmp.Version) (port uint16) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: loopback(v).AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return uint16(conn.LocalAddr().(*net.UDPAddr).Port)
}

func TestAnOpenUDPPortAnswers(t *testing.T) {
	everyMode(t, modes, func(t *testing.T, v icmp.Version, m socket.Mode) {
		port := echoUDP(t, v)
		c := listen(t, transport.Config{Version: v, Protocol: icmp.UDP, Mode: m, Ports: 2})
		first, _ := c.Ports()
		for _, payload := range []string{"", "x", "a longer one"} {
			p := send(t, c, transport.Probe{Destination: loopback(v), DestinationPort: port, SourcePort: first + 1, Payload: []byte(payload)})
			a := next(t, c)
			s := &a.Segment
			if s.Kind != transport.Datagram || a.Source != loopback(v) || s.SourcePort != port || s.DestinationPort != first+1 || string(s.Payload) != payload {
				t.Errorf("%q is answered by %v port %d to port %d with a %v, %q", payload, a.Source, s.SourcePort, s.DestinationPort, s.Kind, s.Payload)
			}
			if a.TTL != 64 || a.Destination != loopback(v) {
				t.Errorf("it came with TTL %d to %v", a.TTL, a.Destination)
			}
			checkTimes(t, &p[0], a)
		}
		if n := portsUnreachable(t); n != "0 0" {
			t.Errorf("the kernel has answered the answers: %s times", n)
		}
	})
}

// portsUnreachable says how many destinations this host has called unreachable,
// of IPv4 and of IPv6.
func portsUnreachable(t *testing.T) string {
	t.Helper()
	var lines [2][]string
	b, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "Icmp:") {
			lines[0], lines[1] = lines[1], strings.Fields(line)
		}
	}
	n4 := lines[1][slices.Index(lines[0], "OutDestUnreachs")]
	if b, err = os.ReadFile("/proc/net/snmp6"); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b))
	return n4 + " " + fields[slices.Index(fields, "Icmp6OutDestUnreachs")+1]
}
