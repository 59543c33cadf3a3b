package live

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
)

// hopRows returns the lines of a route: one for each hop, and where details are
// wanted, one for each further responder and each stack of labels.
func (m *Model) hopRows(t *track) []row {
	hops := t.hops()
	var rows []row
	for i := range hops {
		h := &hops[i]
		rows = append(rows, m.hopRow(t, h, hops[i:]))
		if m.plain {
			continue
		}
		rows = append(rows, m.detailRows(t, h)...)
	}
	return rows
}

// detailRows returns the labels of who answers at a hop, and then the others who
// did, with theirs.
func (m *Model) detailRows(t *track, h *icmplib.Hop) []row {
	var rows []row
	for i, r := range PresentFirst(h) {
		if i > 0 {
			rows = append(rows, row{
				label: m.labels(t, r, h, "").label + fmt.Sprintf("  %d of %d", r.PacketsReceived, h.PacketsSent),
				tone:  same,
			})
		}
		if len(r.MPLS) > 0 {
			rows = append(rows, row{label: stack(r), tone: m.paint.faint})
		}
	}
	return rows
}

// PresentFirst returns those who answer at a hop, with the one that does now at
// the head.
func PresentFirst(h *icmplib.Hop) []*icmplib.Responder {
	var all []*icmplib.Responder
	for i := range h.Responders {
		if r := &h.Responders[i]; r.Address == h.Address {
			all = slices.Insert(all, 0, r)
		} else {
			all = append(all, r)
		}
	}
	return all
}

func (m *Model) hopRow(t *track, h *icmplib.Hop, behind []icmplib.Hop) row {
	var r row
	if h.IsSilent() {
		r = row{label: "(no answer)", tone: m.paint.faint}
	} else {
		remarks := ""
		if more := len(h.Responders) - 1; more > 0 && m.plain {
			remarks = fmt.Sprintf(" +%d", more)
		}
		if h.Rewritten&icmplib.RewriteTranslation != 0 {
			remarks += " [NAT]"
		}
		r = m.labels(t, PresentFirst(h)[0], h, remarks)
	}
	r.lead, r.hop, r.loss, r.limit = fmt.Sprintf("%2d. ", h.Distance), h, m.lossPaint(h, behind), Limits(behind)
	r.graph = func(width int) string {
		marks := t.marks(h.Distance, width)
		s := scale{}.include(marks).own()
		if m.shared {
			s = commonScale(t, width)
		}
		if h.IsSilent() { // its loss may be no loss, and is not to stand out
			return m.paint.faint(m.plainGraph(marks, s))
		}
		return m.graph(marks, s)
	}
	return r
}

// lossPaint tells loss that goes on behind a hop from loss that does not: the
// latter is mostly a router that limits how many errors it sends, and no loss of
// packets.
func (m *Model) lossPaint(h *icmplib.Hop, behind []icmplib.Hop) func(string) string {
	loss := h.PacketLoss()
	switch {
	case h.IsSilent():
		return m.paint.faint // the label tells of it
	case loss == 0:
		return same
	}
	for i := range behind {
		if !behind[i].IsSilent() && behind[i].PacketLoss() < loss/2 {
			return m.paint.warn
		}
	}
	return m.paint.bad
}

// commonScale is that of what is to be seen of all hops.
func commonScale(t *track, width int) scale {
	var all scale
	hops := t.hops()
	for i := range hops {
		all = all.include(t.marks(hops[i].Distance, width))
	}
	return all.common()
}

// labels writes who answered, with remarks: a name and its address, or as much
// as there is.
func (m *Model) labels(t *track, r *icmplib.Responder, h *icmplib.Hop, remarks string) row {
	if m.cfg.Mark != nil {
		if mark := m.cfg.Mark(r, h.MTU); mark != "" {
			remarks = " " + mark + remarks
		}
	}
	if m.cfg.ASN != nil {
		if number := m.cfg.ASN(r.Address); number != "" {
			remarks = " [AS" + number + "]" + remarks
		}
	}
	address, name := r.Address.String(), m.name(t, r.Address)
	if name == "" {
		return row{label: address + remarks, tone: same}
	}
	return row{label: name + " (" + address + ")" + remarks, short: name + remarks, tone: same}
}

// name returns the name of an address. The target goes by the one that it was
// given.
func (m *Model) name(t *track, addr netip.Addr) string {
	_, err := netip.ParseAddr(t.Name)
	switch {
	case m.numeric:
		return ""
	case err != nil && addr.WithZone("") == t.address().WithZone(""):
		return t.Name
	case m.cfg.Name == nil:
		return ""
	}
	return printable(m.cfg.Name(addr))
}

func stack(r *icmplib.Responder) string {
	parts := make([]string, len(r.MPLS))
	for i, l := range r.MPLS {
		parts[i] = fmt.Sprintf("%d tc=%d ttl=%d", l.Label, l.TrafficClass, l.TTL)
	}
	return "[MPLS " + strings.Join(parts, ", ") + "]"
}

// lines counts the lines of the table of hops.
func (m *Model) lines() int {
	t, _ := m.current()
	return len(m.hopRows(t))
}
