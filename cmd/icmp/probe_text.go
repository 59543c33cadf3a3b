package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/goicmp/icmplib"
)

// textProbes writes what people read: a line for each probe.
type textProbes struct {
	out     io.Writer
	several bool       // number the lines
	names   *nameCache // nil: numbers only
}

func (t textProbes) result(target string, r icmplib.Result) {
	fmt.Fprintln(t.out, t.line(target, r))
}

// line describes one result. It begins with its word.
func (t textProbes) line(target string, r icmplib.Result) string {
	var b strings.Builder
	b.WriteString(r.Status.String())
	if r.Responder.IsValid() {
		b.WriteString(" from " + t.display(target, r.Dst, r.Responder))
	} else {
		b.WriteString(" to " + t.display(target, r.Dst, r.Dst))
	}
	if t.several {
		fmt.Fprintf(&b, " seq=%d", r.Seq)
	}
	switch {
	case r.Cause != nil:
		fmt.Fprintf(&b, ": %v", r.Cause)
	case r.Status != icmplib.StatusNoReply:
		b.WriteString(ttl(r) + " time=" + milliseconds(r.RTT))
	}
	if r.Status != icmplib.StatusReply && r.Type != 0 {
		described := r
		described.MPLS = nil // told in full
		b.WriteString(": " + describe(described))
	}
	b.WriteString(labelStack(r.MPLS))
	b.WriteString(remarks(r) + mark(r.Suspect, " (our own socket lost packets)") + mark(r.Retransmitted, " (sent again by the system)"))
	return b.String()
}

// display returns an address with its name. The target goes by the name that it
// was given.
func (t textProbes) display(target string, dst, addr netip.Addr) string {
	name := ""
	switch {
	case t.names == nil:
	case !isAddress(target) && addr.WithZone("") == dst.WithZone(""):
		name = target
	default:
		name = t.names.await(addr)
	}
	if name == "" {
		return addr.String()
	}
	return fmt.Sprintf("%s (%s)", name, addr)
}
