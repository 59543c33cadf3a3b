package icmplib

import (
	"fmt"
	"strings"
)

// String returns r over several lines, for people:
//
//	example.org (192.0.2.1): 1400 bytes, confirmed, exact
//	  1  198.51.100.1  1500 kept
//	  2  198.51.100.9  1400 reported by 198.51.100.9
//	  3  192.0.2.1  1400 kept
//
// Its layout may change; read the fields instead.
func (r *MTUReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes", targetText(r.Name, r.Address), r.MTU)
	for _, known := range []struct {
		so          bool
		word, other string
	}{
		{r.Reached, "", ", as far as the farthest router that answers"},
		{r.Confirmed, ", confirmed", ", not confirmed"},
		{r.Exact, ", exact", ", or more"},
	} {
		if known.so {
			b.WriteString(known.word)
		} else {
			b.WriteString(known.other)
		}
	}
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, addressText(h.Address))
		if h.MTU > 0 {
			fmt.Fprintf(&b, "  %d %v", h.MTU, h.Source)
		}
		if h.ReportedBy.IsValid() {
			fmt.Fprintf(&b, " by %v", h.ReportedBy)
		}
	}
	for _, hole := range r.BlackHoles {
		b.WriteString("\n  " + hole.String())
	}
	return b.String()
}

// String describes the black hole in a line, for people.
func (h *BlackHole) String() string {
	switch {
	case h.Replies:
		return fmt.Sprintf("black hole on the way back from hop %d, or replies it does not send: %d bytes arrive, %d do not", h.After, h.Passes, h.Fails)
	case h.Unsure:
		return fmt.Sprintf("black hole between hops %d and %d, or on the way back: %d bytes pass, %d do not", h.After, h.Before, h.Passes, h.Fails)
	}
	return fmt.Sprintf("black hole between hops %d and %d: %d bytes pass, %d do not", h.After, h.Before, h.Passes, h.Fails)
}

// String returns r over several lines, for people, with a line for each hop:
//
//	example.org (192.0.2.1): loss from hop 3 on
//	  1  198.51.100.1  way none, answers rate-limited: 0.0 % lost, at the fast rate 61.5 %
//	  2  *
//	  3  192.0.2.1  way loss, answers loss: 8.3 % lost, at the fast rate 9.5 %
//
// Its layout may change; read the fields instead.
func (r *LossReport) String() string {
	var b strings.Builder
	verdict := r.Verdict.String()
	if r.Verdict == LossNone {
		verdict = "no loss"
	}
	fmt.Fprintf(&b, "%s: %s", targetText(r.Name, r.Address), verdict)
	if r.From > 0 {
		fmt.Fprintf(&b, " from hop %d on", r.From)
	}
	if !r.Reached {
		b.WriteString(", not reached")
	}
	for i := range r.Hops {
		h := &r.Hops[i]
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, addressText(h.Address))
		if h.Address.IsValid() {
			fmt.Fprintf(&b, "  way %v, answers %v: %.1f %% lost, at the fast rate %.1f %%",
				h.Path, h.Verdict, 100*h.Slow.Loss(), 100*h.Fast.Loss())
		}
	}
	return b.String()
}
