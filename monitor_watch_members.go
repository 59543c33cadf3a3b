package icmplib

import "slices"

func (w *hopWatch) isKnown() bool { return len(w.members) > 0 }

// isEnd tells whether the way ends at the hop: only the target answers there, now
// at least.
func (w *hopWatch) isEnd() bool { return w.run > 0 && (w.run >= endRun || !w.hasRouter()) }

// vacate takes the target out of those who answer there.
func (w *hopWatch) vacate() {
	w.run = 0
	w.members = slices.DeleteFunc(w.members, func(m hopMember) bool { return m.target })
	w.choose()
}

func (w *hopWatch) hasRouter() bool {
	return slices.ContainsFunc(w.members, func(m hopMember) bool { return !m.target })
}

// targetMember returns the target where it answers at the hop, or nil.
func (w *hopWatch) targetMember() *hopMember {
	if i := slices.IndexFunc(w.members, func(m hopMember) bool { return m.target }); i >= 0 {
		return &w.members[i]
	}
	return nil
}

// mainMember returns who stands for the hop, nil if nobody answers.
func (w *hopWatch) mainMember() *hopMember {
	if i := slices.IndexFunc(w.members, func(m hopMember) bool { return m.address == w.main }); i >= 0 {
		return &w.members[i]
	}
	return nil
}
