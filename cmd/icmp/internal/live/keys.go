package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
)

// Effect is what a key asks for beyond the Model.
type Effect uint8

// The effects of keys.
const (
	Nothing Effect = iota
	Restart        // to watch anew, with other Settings or the same
	Quit
)

// binding is what some keys do.
type binding struct {
	keys    []string
	do      func(m *Model) Effect
	shown   string // the keys, for the help; "": it tells of them elsewhere
	help    string
	hint    string // for the last line; "": there is none
	several bool   // whether that is for several targets only

	discards func(m *Model) bool // whether it throws away what was measured; nil: it does not
}

// bindings are all keys, in the order of the help.
var bindings []binding

func init() { // the help is one of them, and shows them
	bindings = []binding{
		{keys("q ctrl+c"), func(*Model) Effect { return Quit }, "q", "quit, and print the table", "quit", false, nil},
		{keys("? h f1"), quietly(func(m *Model) { m.help = !m.help }), "?", "this help", "help", false, nil},
		{keys("p space"), quietly((*Model).pause), "p", "freeze the screen; measuring goes on", "pause", false, nil},
		{keys("r"), (*Model).reset, "r", "reset all statistics", "reset", false, always},
		{keys("c"), quietly(func(m *Model) { m.set = (m.set + 1) % len(m.sets) }), "c", "next set of columns", "columns", false, nil},
		{keys("tab right l"), quietly(func(m *Model) { m.step(1) }), "tab", "next target, or flow of a target", "target", true, nil},
		{keys("shift+tab left"), quietly(func(m *Model) { m.step(-1) }), "shift+tab", "previous one", "", false, nil},
		{keys("s"), quietly(func(m *Model) { m.order = (m.order + 1) % orders }), "s", "sort targets: as given, by name, by loss, by time", "sort", true, nil},
		{keys("i"), protocol(icmplib.ICMP), "i u t x", "probe with ICMP, UDP, TCP or SCTP", "protocol", false, another(icmplib.ICMP)},
		{keys("u"), protocol(icmplib.UDP), "", "", "", false, another(icmplib.UDP)},
		{keys("t"), protocol(icmplib.TCP), "", "", "", false, another(icmplib.TCP)},
		{keys("x"), protocol(icmplib.SCTP), "", "", "", false, another(icmplib.SCTP)},
		{keys("4"), family(icmplib.IPv4), "4 6", "IPv4 or IPv6 only; again: either", "family", false, always},
		{keys("6"), family(icmplib.IPv6), "", "", "", false, always},
		{keys("n"), quietly(func(m *Model) { m.numeric = !m.numeric }), "n", "names, or addresses only", "names", false, nil},
		{keys("d"), quietly(func(m *Model) { m.plain = !m.plain }), "d", "all responders and MPLS labels, or one line per hop", "details", false, nil},
		{keys("e"), quietly(func(m *Model) { m.events = (m.events + 1) % eventsPanes }), "e", "few events, many, or none", "events", false, nil},
		{keys("g"), quietly(func(m *Model) { m.shared = !m.shared }), "g", "graphs to one scale, or each to its own", "graphs", false, nil},
		{keys("enter"), quietly(func(m *Model) { m.detail = !m.detail }), "enter", "details of a hop; up, down: another hop", "hop", false, nil},
		{keys("down j"), quietly(func(m *Model) { m.scrollBy(1) }), "up, down", "scroll the hops; also pgup, pgdown, home, end", "scroll", false, nil},
		{keys("up k"), quietly(func(m *Model) { m.scrollBy(-1) }), "", "", "", false, nil},
		{keys("pgdown"), quietly(func(m *Model) { m.scrollBy(m.height / 2) }), "", "", "", false, nil},
		{keys("pgup"), quietly(func(m *Model) { m.scrollBy(-m.height / 2) }), "", "", "", false, nil},
		{keys("home"), quietly(func(m *Model) { m.scroll = 0 }), "", "", "", false, nil},
		{keys("end"), quietly(func(m *Model) { m.scrollBy(m.lines()) }), "", "", "", false, nil},
		{keys("esc"), quietly(func(m *Model) { m.help, m.detail = false, false }), "", "", "", false, nil},
	}
}

func keys(names string) []string { return strings.Fields(names) }

// Key does what a key is for. Keys go by the names of bubbletea: "q",
// "shift+tab", "space". Others do nothing.
func (m *Model) Key(name string) Effect {
	asked := m.asked
	m.asked = nil
	switch {
	case asked == nil, name == "q", name == "ctrl+c":
	case name == "y", name == "enter", slices.Contains(asked.keys, name):
		return asked.do(m)
	default:
		return Nothing
	}
	for i := range bindings {
		b := &bindings[i]
		switch {
		case !slices.Contains(b.keys, name):
		case b.discards != nil && b.discards(m) && m.measured():
			m.asked = b
			return Nothing
		default:
			return b.do(m)
		}
	}
	return Nothing
}

// question asks whether what was measured may go.
func (m *Model) question() string {
	rounds := 0
	for _, t := range m.tracks {
		rounds = max(rounds, t.round())
	}
	return fmt.Sprintf("forget %d rounds? y or %s: yes, any other key: no", rounds, m.asked.keys[0])
}

// measured reports whether there is anything to lose.
func (m *Model) measured() bool {
	return slices.ContainsFunc(m.tracks, func(t *track) bool { return t.round() > 0 })
}

func always(*Model) bool { return true }

// another reports whether a protocol is not the one in use.
func another(p icmplib.Protocol) func(*Model) bool {
	return func(m *Model) bool { return m.settings.Protocol != p }
}

func quietly(do func(*Model)) func(*Model) Effect {
	return func(m *Model) Effect {
		do(m)
		return Nothing
	}
}

func (m *Model) pause() {
	if m.frozen != nil {
		m.frozen = nil
		return
	}
	m.frozen = make([]*track, len(m.tracks))
	for i, t := range m.tracks {
		m.frozen[i] = t.clone()
	}
}

func (m *Model) reset() Effect {
	m.generation++
	m.forget()
	return Restart
}

func protocol(p icmplib.Protocol) func(*Model) Effect {
	return func(m *Model) Effect {
		if m.settings.Protocol == p {
			return Nothing
		}
		m.settings.Protocol = p
		return m.reset()
	}
}

// family chooses a family, or takes the choice back.
func family(f icmplib.Family) func(*Model) Effect {
	return func(m *Model) Effect {
		if m.settings.Family == f {
			m.settings.Family = icmplib.AnyFamily
		} else {
			m.settings.Family = f
		}
		return m.reset()
	}
}

// step goes to another target, round and round.
func (m *Model) step(by int) {
	_, at := m.current()
	shown := m.shown()
	m.selected = shown[(at+by+len(shown))%len(shown)].id
	m.scroll = 0
}

// scrollBy moves the table of hops, as far as there are any.
func (m *Model) scrollBy(lines int) {
	if m.detail {
		t, _ := m.current()
		m.cursor = min(max(m.cursor+lines, 0), max(len(t.hops())-1, 0))
		return
	}
	m.scroll = min(max(m.scroll+lines, 0), max(m.lines()-m.layout().hops, 0))
}
