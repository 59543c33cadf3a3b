//go:build !linux

package sys

import "time"

// Nap does nothing here.
func Nap(time.Duration) {}
