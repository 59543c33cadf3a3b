//go:build !linux

package netlab

import (
	"runtime"
	"testing"
)

func build(t testing.TB, _ int) {
	t.Helper()
	t.Skipf("%s has no network namespaces", runtime.GOOS)
}
