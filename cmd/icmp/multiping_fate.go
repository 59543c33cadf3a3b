package main

import (
	"context"
	"errors"
	"os"

	"github.com/goicmp/icmplib"
)

// hostFate is what a sweep found out about a host.
type hostFate uint8

const (
	hostAlive  hostFate = iota
	hostDead            // it did not answer, or was not sent anything
	hostNoName          // its name was not found
	hostOpen            // the command ended before that was known
)

// fateOf returns the fate of a host that was to be sent count requests.
func fateOf(h *icmplib.Host, count int) hostFate {
	settled := h.PacketsSent - h.Unsettled + h.SendErrors
	switch {
	case h.IsAlive():
		return hostAlive
	case errors.Is(h.Err, icmplib.ErrNameLookup):
		return hostNoName
	case h.Err != nil && settled == 0 && (errors.Is(h.Err, context.Canceled) || errors.Is(h.Err, os.ErrPermission)):
		return hostOpen // what ended the command is told once, at its end
	case h.Err == nil && settled < count:
		return hostOpen
	}
	return hostDead
}
