//go:build !linux

package transport

import (
	"errors"
	"fmt"
	"runtime"
)

// openLink fails: only Linux has raw sockets for UDP and TCP, and error queues.
func openLink(cfg linkConfig) (link, error) {
	return nil, fmt.Errorf("%v probes are not sent on %s: %w", cfg.Protocol, runtime.GOOS, errors.ErrUnsupported)
}
