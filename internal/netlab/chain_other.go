//go:build !linux

package netlab

import (
	"runtime"
	"testing"
)

func newChain(t testing.TB, _ int) *Chain {
	t.Helper()
	t.Skipf("%s has no network namespaces", runtime.GOOS)
	return nil
}
