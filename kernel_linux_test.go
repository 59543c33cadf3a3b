package icmplib

import (
	"testing"

	"github.com/goicmp/icmplib/socket"
)

// kernelProber returns a Prober with the kind of sockets of a variant, of the
// kernel that the test runs on.
func kernelProber(t *testing.T, v variant) *Prober {
	t.Helper()
	mode := socket.Raw
	if v.datagram {
		mode = socket.Datagram
	}
	p, err := NewProber(&Config{Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
