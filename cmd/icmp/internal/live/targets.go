package live

import "strconv"

// Subject is what is watched by one flow.
type Subject struct {
	Name string // of the target, as it was given
	Flow int    // from 1; 0: there is but one
}

// String returns the name, with the flow where there are several.
func (s Subject) String() string {
	if s.Flow == 0 {
		return s.Name
	}
	return s.Name + ", flow " + strconv.Itoa(s.Flow)
}

// Subjects returns the targets in the order given, each by all of its flows.
func (c *Config) Subjects() []Subject {
	all := make([]Subject, 0, len(c.Targets)*max(c.Flows, 1))
	for _, name := range c.Targets {
		if c.Flows <= 1 {
			all = append(all, Subject{Name: name})
			continue
		}
		for flow := 1; flow <= c.Flows; flow++ {
			all = append(all, Subject{name, flow})
		}
	}
	return all
}

// targetRows returns a line for each of several targets, with the figures of the
// hop at which it answers.
func (m *Model) targetRows(shown []*track) []row {
	rows := make([]row, len(shown))
	for i, t := range shown {
		rows[i] = m.targetRow(t)
	}
	return rows
}

func (m *Model) targetRow(t *track) row {
	r := row{label: t.String(), tone: same, loss: same, hop: t.target()}
	if t.id == m.selected {
		r.lead, r.tone = " >", m.paint.pick
	}
	switch {
	case t.err != nil:
		r.label, r.tone = r.label+"  (error)", m.paint.bad
	case t.now == nil:
		r.label += "  (waiting)"
	case r.hop == nil:
		r.label, r.tone = r.label+"  (no answer)", m.paint.bad
	}
	if r.hop == nil {
		return r
	}
	if r.hop.PacketLoss() > 0 {
		r.loss = m.paint.bad
	}
	distance := r.hop.Distance
	r.graph = func(width int) string {
		marks := t.marks(distance, width)
		return m.graph(marks, scale{}.include(marks).own())
	}
	return r
}
