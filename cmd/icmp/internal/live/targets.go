package live

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
	r := row{label: t.name, tone: same, loss: same, hop: t.target()}
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
