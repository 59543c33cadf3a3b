//go:build !linux && !windows

package socket

import "github.com/goicmp/icmplib/internal/waiting"

func openCarrier(cfg linkConfig, drained *waiting.Watermark) (carrier, error) {
	return openPackets(cfg, drained)
}
