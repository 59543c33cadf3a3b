//go:build !linux

package transport_test

import (
	"errors"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

func TestOtherSystemsSayThatTheyCannot(t *testing.T) {
	for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP, icmp.SCTP} {
		if _, err := transport.Listen(transport.Config{Version: icmp.V4, Protocol: protocol}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %v", protocol, err)
		}
	}
}
