//go:build !linux

package sys

import "time"

// Nap does nothing on this system.
func Nap(time.Duration) {}
