//go:build !linux

package netlab

import (
	"runtime"
	"testing"
)

func run(t *testing.T, _ Config, _ func(t *testing.T)) {
	t.Helper()
	t.Skipf("%s has no network namespaces", runtime.GOOS)
}

func slowness() int { return 1 }
