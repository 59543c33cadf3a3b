package transport_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestAConfigThatCannotBeUsedSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name  string
		field string
		spoil func(c *transport.Config)
	}{
		{"no version", "Version", func(c *transport.Config) { c.Version = 0 }},
		{"no protocol", "Protocol", func(c *transport.Config) { c.Protocol = 0 }},
		{"a protocol that is no transport", "Protocol", func(c *transport.Config) { c.Protocol = icmp.ICMP }},
		{"an unknown mode", "Mode", func(c *transport.Config) { c.Mode = socket.Raw + 1 }},
		{"a source of the other version", "Source", func(c *transport.Config) { c.Source = netip.IPv6Loopback() }},
		{"an interface that is not there", "Interface", func(c *transport.Config) { c.Interface = "no such interface" }},
		{"too many ports", "Ports", func(c *transport.Config) { c.Ports = 513 }},
		{"ports beyond the last", "FirstPort", func(c *transport.Config) { c.FirstPort, c.Ports = 65535, 2 }},
		{"a negative buffer", "ReceiveBuffer", func(c *transport.Config) { c.ReceiveBuffer = -1 }},
		{"a negative number of sockets", "Sockets", func(c *transport.Config) { c.Sockets = -1 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := transport.Config{Version: icmp.V4, Protocol: icmp.UDP, Mode: socket.Datagram}
			tt.spoil(&cfg)
			c, err := transport.Listen(cfg)
			if err == nil {
				c.Close()
			}
			var field *icmp.FieldError
			if !errors.As(err, &field) || field.Field != tt.field {
				t.Errorf("got %v, want an error of %s", err, tt.field)
			}
		})
	}
}

func TestKindsHaveNames(t *testing.T) {
	for kind, want := range map[transport.Kind]string{
		transport.None: "none", transport.Datagram: "datagram", transport.SYNACK: "SYN-ACK", transport.RST: "RST",
		transport.InitAck: "INIT ACK", transport.Abort: "ABORT", 99: "unknown",
	} {
		if got := kind.String(); got != want {
			t.Errorf("kind %d is called %q, want %q", kind, got, want)
		}
	}
}
