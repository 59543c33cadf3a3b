//go:build !linux

package netlab

import (
	"runtime"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

func carry(t testing.TB, _ *netsim.Network, _ Device) {
	t.Helper()
	t.Skipf("no device for a simulated network on %s", runtime.GOOS)
}
