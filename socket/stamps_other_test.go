//go:build !linux

package socket_test

import (
	"errors"
	"os"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

func TestStampsOfWhatIsSentAreUnsupported(t *testing.T) {
	_, err := open(icmp.V4, &socket.Config{SendTimestamps: true})
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission) {
		t.Errorf("Listen gives %v, want errors.ErrUnsupported", err)
	}
}
