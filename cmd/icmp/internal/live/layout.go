package live

// layout is how many lines the parts of the screen have.
type layout struct {
	targets int // with figures, without the two around them; 0: they are not listed
	hops    int // without the heading
	events  int // without the heading; 0: they are not listed
}

// Heights of what is always there, and of what gives way last.
const (
	frameLines = 4 // the bar, the state, the heading of the hops, the hints
	fewEvents  = 3
	leastHops  = 5
	tall       = 40 // lines of a screen that has room for more
)

// layout shares the lines of the screen. Hops come first, but a list of targets
// keeps two lines, and events keep one.
func (m *Model) layout() layout {
	t, _ := m.current()
	var l layout
	free := max(m.height-frameLines, 0)
	if len(m.tracks) > 1 {
		l.targets = min(len(m.tracks), max(2, m.height/4))
		free -= l.targets + 2
	}
	if events := m.eventLines(len(t.events)); events > 0 && free > leastHops+2 {
		hops := min(m.lines(), free)
		l.events = max(1, min(events, free-1-max(hops, leastHops)))
		if m.events == eventsMany {
			l.events = min(events, free-1-leastHops)
		}
		free -= l.events + 1
	}
	l.hops = max(free, 0)
	return l
}

// eventLines is how many events are wanted on the screen.
func (m *Model) eventLines(events int) int {
	switch {
	case m.events == eventsHidden:
		return 0
	case m.events == eventsMany:
		return min(events, m.height/2)
	case m.height >= tall:
		return min(events, 3*fewEvents)
	}
	return min(events, fewEvents)
}
