package live

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "write the screens to testdata in place of comparing them")

// screen is a picture that is kept in testdata, under its name.
type screen struct {
	name   string
	width  int
	height int
	cfg    Config
	feed   func(m *Model)
	keys   string // separated by spaces
	light  bool
}

func one(s sample, rounds int) func(*Model) {
	return func(m *Model) { s.feed(m, 0, rounds) }
}

func three(m *Model) {
	office.feed(m, 0, 30)
	near.feed(m, 1, 30)
	slow.feed(m, 2, 30)
	m.Apply(Update{Target: 3, Err: errors.New(`no such name: "nowhere.example"`)})
}

var (
	www       = Config{Targets: []string{"www.example.org"}, Interval: "1s", Name: names}
	addresses = Config{Targets: []string{"198.51.100.20"}, Interval: "200ms"}
	inASCII   = Config{Targets: []string{"www.example.org"}, Interval: "1s", Name: names, ASCII: true}
	inColour  = Config{Targets: []string{"www.example.org"}, Interval: "1s", Name: names, Colours: true}
	byFlows   = Config{Targets: []string{"www.example.org"}, Flows: 4, Interval: "1s", Name: names}
	several   = Config{Targets: []string{"www.example.org", "127.0.0.1", "2001:db8::53", "nowhere.example"}, Interval: "1s", Name: names}
)

var screens = []screen{
	{name: "start", width: 80, height: 24, cfg: www, feed: func(*Model) {}},
	{name: "80x24", width: 80, height: 24, cfg: www, feed: one(office, 30)},
	{name: "80x24-colour", width: 80, height: 24, cfg: inColour, feed: one(office, 30)},
	{name: "80x24-colour-light", width: 80, height: 24, cfg: inColour, feed: one(office, 30), light: true},
	{name: "80x24-ascii", width: 80, height: 24, cfg: inASCII, feed: one(office, 30)},
	{name: "80x24-addresses", width: 80, height: 24, cfg: addresses, feed: one(office, 30)},
	{name: "80x24-plain", width: 80, height: 24, cfg: www, feed: one(office, 30), keys: "d n g"},
	{name: "80x24-loss", width: 80, height: 24, cfg: www, feed: one(office, 30), keys: "c"},
	{name: "80x24-times", width: 80, height: 24, cfg: www, feed: one(office, 30), keys: "c c"},
	{name: "80x24-help", width: 80, height: 24, cfg: www, feed: one(office, 30), keys: "?"},
	{name: "80x24-scrolled", width: 80, height: 24, cfg: addresses, feed: one(far(40), 12), keys: "down down down pgdown"},
	{name: "80x24-targets", width: 80, height: 24, cfg: several, feed: three, keys: "s s tab"},
	{name: "80x24-flows", width: 80, height: 24, cfg: byFlows, feed: three, keys: "tab"},
	{name: "80x24-error", width: 80, height: 24, cfg: several, feed: three, keys: "left"},
	{name: "80x24-outage", width: 80, height: 24, cfg: inColour, feed: one(office, 23)},
	{name: "80x24-restarted", width: 80, height: 24, cfg: www, feed: one(office, 23), keys: "4 y u"},
	{name: "80x24-forget", width: 80, height: 24, cfg: www, feed: one(office, 23), keys: "r"},
	{name: "80x24-hop", width: 80, height: 24, cfg: www, feed: one(office, 30), keys: "enter down down down"},
	{name: "40x12-hop", width: 40, height: 12, cfg: addresses, feed: one(office, 30), keys: "enter down"},
	{name: "80x24-unreachable", width: 80, height: 24, cfg: addresses, feed: one(refused, 9), keys: "p"},
	{name: "50x16", width: 50, height: 16, cfg: www, feed: one(office, 30)},
	{name: "200x50", width: 200, height: 50, cfg: www, feed: one(office, 150)},
	{name: "200x50-colour", width: 200, height: 50, cfg: inColour, feed: one(office, 150)},
	{name: "200x50-targets", width: 200, height: 50, cfg: several, feed: three},
}

// model returns the Model of a screen.
func (s screen) model() *Model {
	m := New(s.cfg)
	m.Resize(s.width, s.height)
	m.SetBackground(!s.light)
	s.feed(m)
	for key := range strings.FieldsSeq(s.keys) {
		m.Key(key)
	}
	return m
}

func TestScreens(t *testing.T) {
	for _, tt := range screens {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.model().View() + "\n"
			file := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s\nIf that is right, run go test -update.", got, want)
			}
		})
	}
}

func TestNoScreenIsLargerThanItsTerminal(t *testing.T) {
	for _, tt := range screens {
		m := tt.model()
		for _, width := range []int{1, 2, 5, 13, 30, 50, 79, 80, 120, 230} {
			for _, height := range []int{1, 2, 3, 4, 7, 11, 24, 60} {
				m.Resize(width, height)
				lines := strings.Split(m.View(), "\n")
				if len(lines) != height {
					t.Fatalf("%s at %dx%d has %d lines", tt.name, width, height, len(lines))
				}
				for _, line := range lines {
					if ansi.StringWidth(line) > width {
						t.Fatalf("%s at %dx%d has a line of %d columns: %q", tt.name, width, height, ansi.StringWidth(line), line)
					}
				}
			}
		}
	}
}

func TestWithoutColoursNothingIsEscaped(t *testing.T) {
	for _, tt := range screens {
		coloured := strings.Contains(tt.model().View(), "\x1b")
		if coloured != tt.cfg.Colours {
			t.Errorf("%s: escape sequences: %t, colours: %t", tt.name, coloured, tt.cfg.Colours)
		}
	}
}

func TestColoursChangeNoCharacter(t *testing.T) {
	for _, tt := range screens {
		plain, coloured := tt, tt
		plain.cfg.Colours, coloured.cfg.Colours = false, true
		want, got := plain.model().View(), trimmed(ansi.Strip(coloured.model().View()))
		if got != want {
			t.Errorf("%s: with colours\n%s\nwithout\n%s", tt.name, got, want)
		}
	}
}

// trimmed takes the spaces off the ends of lines.
func trimmed(screen string) string {
	lines := strings.Split(screen, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestASCIIIsASCII(t *testing.T) {
	for _, tt := range screens {
		tt.cfg.ASCII = true
		for _, r := range tt.model().View() {
			if r > 126 {
				t.Errorf("%s has %q", tt.name, r)
			}
		}
	}
}

func TestWhatANameHoldsMovesNoCursor(t *testing.T) {
	m := New(Config{Targets: []string{"a\x1b[2J\nb"}, Interval: "1s"})
	m.Apply(Update{Err: errors.New("bad\x1b[2Jname\nof \"a\"")})
	if view := m.View(); strings.Contains(view, "\x1b") || strings.Count(view, "\n") != 23 {
		t.Errorf("got %q", view)
	}
}

func TestAnErrorIsWrittenInFull(t *testing.T) {
	why := "listen on a raw socket: operation not permitted: the capability is missing; to allow it: run as root\nand so on"
	m := New(www)
	m.Apply(Update{Err: errors.New(why)})
	m.Resize(40, 12)
	shown := strings.Join(strings.Fields(m.View()), " ")
	if want := strings.Join(strings.Fields(why), " "); !strings.Contains(shown, want) {
		t.Errorf("got\n%s", m.View())
	}
}
