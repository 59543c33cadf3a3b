package icmplib

import (
	"log/slog"
	"net/netip"

	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/text"
)

// Host is a target with the statistics of the probes sent to it: the result of Ping and
// MultiPing.
//
// A target that cannot be resolved, or to which nothing can be sent, has a Host, too, with
// the reason in Err and PacketsSent 0.
type Host struct {
	// Address is the address that was probed, or the zero Addr if the name could not be
	// resolved. Each [Result] has the address that answered.
	Address netip.Addr

	// Name is the target as the caller wrote it: a name or an address.
	Name string

	// Err is the reason why nothing could be sent to the target, or received, or nil.
	// Silence is no error: see [Stats.IsAlive].
	Err error

	Stats
}

// String returns a summary of h in several lines, for people:
//
//	example.org (192.0.2.1)
//	  packets   4 sent, 3 received, 25.00 % lost
//	  unheard   1 silent
//	  rtt       9.800 ms min, 10.600 ms avg, 11.900 ms max, 1.100 ms deviation
//	  jitter    1.350 ms
//
// Empty lines are left out. The layout may change; programs should read the fields.
func (h *Host) String() string {
	b := append(make([]byte, 0, 256), text.Target(h.Name, h.Address)...)
	if h.Err != nil {
		b = append(b, "\n  error     "...)
		b = append(b, h.Err.Error()...)
	}
	return string(h.Stats.appendSummary(b))
}

// LogValue returns the target, what [Stats.LogValue] returns, and the error.
func (h Host) LogValue() slog.Value {
	var a fields.Attrs
	a.Target(h.Name, h.Address)
	logStats(&a, &h.Stats)
	a.Error("error", h.Err)
	return a.Group()
}
