package live

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib"
)

// Config is what a view is of, and what it looks like.
type Config struct {
	Targets  []string
	Flows    int // by which each of them is watched; 0 is one
	Settings Settings

	// Probes says in words what is sent. Nil: the name of the protocol.
	Probes func(Settings) string

	// Interval is the time from one round to the next, in words.
	Interval string

	// Name returns the name of an address, or "" if there is none or it is not
	// known yet. Nil: there are no names.
	Name func(netip.Addr) string

	// Mark returns what is to be said of a responder that does not forward, or
	// "". MTU is what its hop reports. Nil: there are no marks.
	Mark func(r *icmplib.Responder, mtu int) string

	// ASN returns the number of the autonomous system of an address, or "" if none
	// is known yet. Nil: there are none.
	ASN func(netip.Addr) string

	// Fields are the first set of columns, by letters of mtr. "": the usual ones.
	Fields string

	// Colours lets colours be used, and bold letters.
	Colours bool

	// ASCII keeps to the characters of ASCII.
	ASCII bool
}

// Settings are what the keys change of the probes.
type Settings struct {
	Protocol icmplib.Protocol
	Family   icmplib.Family
}

// Model is the state of a view. It is not safe for concurrent use.
type Model struct {
	cfg        Config
	settings   Settings
	generation int
	width      int
	height     int
	paint      paint

	tracks   []*track // in the order given
	frozen   []*track // the same as they were when the pause began; nil: there is none
	selected int      // id
	order    order
	set      int // of columns
	scroll   int // lines of the table of hops that are above the screen
	shared   bool
	sets     []columnSet
	detail   bool // all that is known of the hop at cursor is shown
	cursor   int
	asked    *binding // a key that discards what was measured, until it is pressed twice
	numeric  bool
	plain    bool // neither labels nor further responders
	events   eventsPane
	help     bool
}

// eventsPane is how much room events have.
type eventsPane uint8

const (
	eventsFew eventsPane = iota
	eventsMany
	eventsHidden
	eventsPanes
)

// New returns a Model of a screen of 80 columns and 24 lines.
func New(cfg Config) *Model {
	m := &Model{cfg: cfg, settings: cfg.Settings, width: 80, height: 24}
	m.numeric = cfg.Name == nil
	m.sets = columnSets
	if own, err := columnsOf(cfg.Fields); err == nil && len(own) > 0 {
		m.sets = append([]columnSet{{"chosen", own}}, columnSets...)
	}
	m.SetBackground(true)
	m.forget()
	return m
}

// Resize says how large the screen is.
func (m *Model) Resize(width, height int) { m.width, m.height = width, height }

// SetBackground says whether the terminal is dark.
func (m *Model) SetBackground(dark bool) { m.paint = newPaint(m.cfg.Colours, dark) }

// Settings returns what to send now.
func (m *Model) Settings() Settings { return m.settings }

// Generation counts how often watching was begun anew. Updates of an earlier one
// change nothing.
func (m *Model) Generation() int { return m.generation }

// Apply takes news of a target.
func (m *Model) Apply(u Update) {
	if u.Generation == m.generation {
		m.tracks[u.Target].absorb(u)
	}
}

// Outcome is what is known of a target.
type Outcome struct {
	Began  time.Time         // when the first probe was sent
	Last   *icmplib.Snapshot // nil if there was none
	Events []icmplib.Event
	Err    error // that its watching ended with
	Unsent error // why the system has sent nothing of late; nil: it has
}

// Outcome returns what is known of a target, by its place in [Config.Subjects].
func (m *Model) Outcome(target int) Outcome {
	t := m.tracks[target]
	return Outcome{t.began, t.now, t.events, t.err, t.unsent}
}

// Failed reports whether all targets have ended with an error before anything was
// seen of them, and nobody has pressed a key that could be why.
func (m *Model) Failed() bool {
	for _, t := range m.tracks {
		if t.err == nil || t.now != nil {
			return false
		}
	}
	return m.generation == 0
}

// forget begins anew.
func (m *Model) forget() {
	subjects := m.cfg.Subjects()
	m.tracks = make([]*track, len(subjects))
	for i, s := range subjects {
		s.Name = printable(s.Name)
		m.tracks[i] = newTrack(i, s)
	}
	m.frozen, m.scroll = nil, 0
}

// shown returns the targets as they are to be seen, in order.
func (m *Model) shown() []*track {
	if m.frozen != nil {
		return m.order.sorted(m.frozen)
	}
	return m.order.sorted(m.tracks)
}

// current returns the target that is looked at, and its place on the screen.
func (m *Model) current() (*track, int) {
	shown := m.shown()
	for i, t := range shown {
		if t.id == m.selected {
			return t, i
		}
	}
	return shown[0], 0
}
