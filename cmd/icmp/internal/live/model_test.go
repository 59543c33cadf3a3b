package live

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
)

// targets returns a Model of three targets, and the names that its list shows.
func targets() (*Model, func() string) {
	m := New(Config{Targets: []string{"b.example", "a.example", "c.example"}, Interval: "1s"})
	return m, func() string {
		var shown []string
		for _, t := range m.shown() {
			shown = append(shown, t.Name[:1])
		}
		return strings.Join(shown, " ")
	}
}

func TestKeysSortTargetsAndGoThroughThem(t *testing.T) {
	m, shown := targets()
	office.feed(m, 0, 30) // 38 ms, loses some
	near.feed(m, 1, 30)   // 50 us
	slow.feed(m, 2, 30)   // 350 ms, loses half
	for _, step := range []struct {
		key     string
		shown   string
		current string
	}{
		{"tab", "b a c", "a.example"},
		{"right", "b a c", "c.example"},
		{"tab", "b a c", "b.example"},
		{"s", "a b c", "b.example"}, // by name
		{"shift+tab", "a b c", "a.example"},
		{"s", "c b a", "a.example"}, // by loss
		{"s", "c b a", "a.example"}, // by time
		{"s", "b a c", "a.example"}, // as given
		{"left", "b a c", "b.example"},
		{"left", "b a c", "c.example"},
	} {
		if effect := m.Key(step.key); effect != Nothing {
			t.Errorf("%s has the effect %d", step.key, effect)
		}
		if now, _ := m.current(); shown() != step.shown || now.Name != step.current {
			t.Errorf("%s shows %s and %s, want %s and %s", step.key, shown(), now.Name, step.shown, step.current)
		}
	}
}

func TestTargetsWithoutAnAnswerAreTheSlowest(t *testing.T) {
	m, shown := targets()
	near.feed(m, 2, 1)
	m.order = byRTT
	if shown() != "b a c" {
		t.Errorf("got %s, want b and a, of which nothing is known, first", shown())
	}
}

func TestKeysThatBeginAnew(t *testing.T) {
	for _, tt := range []struct {
		keys string
		want Settings
	}{
		{"r", Settings{}},
		{"u", Settings{Protocol: icmplib.UDP}},
		{"t", Settings{Protocol: icmplib.TCP}},
		{"x", Settings{Protocol: icmplib.SCTP}},
		{"u i", Settings{}},
		{"4", Settings{Family: icmplib.IPv4}},
		{"6", Settings{Family: icmplib.IPv6}},
		{"6 4", Settings{Family: icmplib.IPv4}},
		{"6 6", Settings{}},
	} {
		m := New(www)
		office.feed(m, 0, 3)
		old := m.Generation()
		effect := Nothing
		for key := range strings.FieldsSeq(tt.keys) {
			if effect = m.Key(key); m.asked != nil {
				effect = m.Key("y")
			}
		}
		if effect != Restart || m.Settings() != tt.want {
			t.Errorf("%s has effect %d and makes it %+v, want %+v", tt.keys, effect, m.Settings(), tt.want)
		}
		m.Apply(Update{Generation: old, Snapshot: &icmplib.Snapshot{Round: 4}})
		if o := m.Outcome(0); !reflect.DeepEqual(o, Outcome{}) {
			t.Errorf("%s: something is left of what was before: %+v", tt.keys, o)
		}
	}
}

func TestTheProtocolThatIsUsedAlreadyDoesNotBeginAnew(t *testing.T) {
	m := New(www)
	if effect := m.Key("i"); effect != Nothing || m.Generation() != 0 {
		t.Errorf("the effect is %d", effect)
	}
}

func TestPauseHoldsThePictureAndMeasuringGoesOn(t *testing.T) {
	m := New(www)
	office.feed(m, 0, 20)
	_, before, _ := strings.Cut(m.View(), "\n")
	m.Key("p")
	held := m.View()
	if bar, rest, _ := strings.Cut(held, "\n"); !strings.HasSuffix(bar, "PAUSED") || rest != before {
		t.Errorf("paused it is\n%s\nwant\n%s", held, before)
	}
	office.feed(m, 0, 30)
	if m.View() != held {
		t.Errorf("the picture moves:\n%s", m.View())
	}
	m.Key("space")
	fresh := New(www)
	office.feed(fresh, 0, 20)
	office.feed(fresh, 0, 30)
	if m.View() != fresh.View() {
		t.Errorf("after the pause it is\n%s\nwant\n%s", m.View(), fresh.View())
	}
}

func TestScrollingEndsWithTheLastHop(t *testing.T) {
	m := New(addresses)
	route := far(40)
	route.feed(m, 0, 2)
	for _, step := range []struct {
		key, top string
	}{
		{"up", " 1. "}, {"down", " 2. "}, {"j", " 3. "}, {"k", " 2. "}, {"pgdown", "14. "},
		{"pgdown", "21. "}, {"down", "21. "}, {"pgup", " 9. "}, {"end", "21. "}, {"home", " 1. "},
	} {
		m.Key(step.key)
		if top := strings.Split(m.View(), "\n")[3]; !strings.HasPrefix(top, step.top) {
			t.Errorf("%s: the first hop is %q, want %q", step.key, top, step.top)
		}
	}
}

func TestTheViewFailsOnlyIfAllTargetsDoBeforeAnythingIsSeen(t *testing.T) {
	failed := errors.New("no permission")
	m, _ := targets()
	for i := range 3 {
		if m.Failed() {
			t.Fatalf("it has failed after %d of 3", i)
		}
		m.Apply(Update{Target: i, Err: failed})
	}
	if !m.Failed() {
		t.Error("all targets have failed, but not the view")
	}

	m, _ = targets()
	near.feed(m, 1, 1)
	for i := range 3 {
		m.Apply(Update{Target: i, Err: failed})
	}
	if m.Failed() {
		t.Error("it has failed, but there is something to see")
	}

	m = New(www)
	m.Key("6")
	m.Apply(Update{Generation: 1, Err: failed})
	if m.Failed() {
		t.Error("it has failed because of a key, which another key takes back")
	}
}

func TestEveryKeyOfTheHelpIsBoundOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range bindings {
		for _, key := range b.keys {
			if seen[key] {
				t.Errorf("%s does two things", key)
			}
			seen[key] = true
		}
	}
	for _, b := range bindings {
		for key := range strings.FieldsSeq(strings.ReplaceAll(b.shown, ",", "")) {
			if !seen[key] {
				t.Errorf("the help tells of %s, which does nothing", key)
			}
		}
	}
	m := New(www)
	if m.Key("F12") != Nothing {
		t.Error("a key that nothing is known of has an effect")
	}
}

func TestTheOutcomeTellsWhatTheSystemDoesNotSend(t *testing.T) {
	refusedBy := errors.New("network is unreachable")
	m := New(www)
	unsent := icmplib.Result{Status: icmplib.StatusNetworkUnreachable, Cause: refusedBy}
	later := icmplib.Result{Status: icmplib.StatusNoReply, Sent: sent.Add(1)}
	for _, step := range []struct {
		results []icmplib.Result
		want    error
		shown   string
	}{
		{[]icmplib.Result{unsent}, refusedBy, "not sent: network is unreachable"},
		{nil, refusedBy, "not sent: network is unreachable"}, // a round in which nothing became known
		{[]icmplib.Result{unsent, later}, nil, "the target has not answered"},
		{[]icmplib.Result{unsent}, refusedBy, "not sent: network is unreachable"},
	} {
		m.Apply(Update{Snapshot: &icmplib.Snapshot{Time: sent.Add(2), Results: step.results}})
		if o := m.Outcome(0); o.Unsent != step.want || !o.Began.Equal(sent.Add(2)) {
			t.Errorf("it is %v, begun %v", o.Unsent, o.Began)
		}
		if !strings.Contains(m.View(), step.shown) {
			t.Errorf("it does not say %q:\n%s", step.shown, m.View())
		}
	}
	first := &icmplib.Snapshot{Time: sent.Add(9), Results: []icmplib.Result{unsent, later, {Sent: sent}}}
	if began := Began(first); !began.Equal(sent) {
		t.Errorf("it began at %v, want the first sending, %v", began, sent)
	}
}

func TestKeysThatDiscardAskFirst(t *testing.T) {
	for _, tt := range []struct {
		keys    string
		effect  Effect
		forgets bool
	}{
		{"r", Nothing, false},
		{"r y", Restart, true},
		{"r r", Restart, true},
		{"u enter", Restart, true},
		{"6 n", Nothing, false},
		{"6 esc 6", Nothing, false},
		{"i", Nothing, false}, // it is ICMP already
		{"r q", Quit, false},
	} {
		m := New(www)
		office.feed(m, 0, 3)
		effect := Nothing
		for key := range strings.FieldsSeq(tt.keys) {
			effect = m.Key(key)
		}
		if effect != tt.effect || (m.Generation() > 0) != tt.forgets {
			t.Errorf("%s has the effect %d, and %d times it began anew", tt.keys, effect, m.Generation())
		}
		if asks := strings.Contains(m.View(), "forget 3 rounds? y or "); asks != (m.asked != nil) {
			t.Errorf("%s: it asks: %v\n%s", tt.keys, asks, m.View())
		}
	}
	m := New(www)
	if effect := m.Key("r"); effect != Restart {
		t.Errorf("before anything was measured it asks: %d", effect)
	}
}

func TestTheDetailsOfAHop(t *testing.T) {
	m := New(www)
	office.feed(m, 0, 30)
	m.Key("enter")
	first := m.View()
	if !strings.Contains(first, " Hop 1 of ") || !strings.Contains(first, " Probes    30 sent, 30 answered, loss 0.0%") || !strings.Contains(first, "median ") {
		t.Errorf("got\n%s", first)
	}
	m.Key("down")
	if !strings.Contains(m.View(), " Hop 2 of ") {
		t.Errorf("got\n%s", m.View())
	}
	m.Key("end")
	m.Key("enter")
	if strings.Contains(m.View(), " Hop 2 of ") {
		t.Errorf("they stay:\n%s", m.View())
	}
}

func TestColumnsByTheirLetters(t *testing.T) {
	c := www
	c.Fields = "L RMI"
	m := New(c)
	office.feed(m, 0, 3)
	if heading := strings.Split(m.View(), "\n")[2]; !strings.Contains(heading, "Loss%  Rcv  Javg  Jint") {
		t.Errorf("the columns are %q", heading)
	}
	m.Key("c")
	if heading := strings.Split(m.View(), "\n")[2]; !strings.Contains(heading, "Worst") {
		t.Errorf("the next columns are %q", heading)
	}
	if _, err := Fields("LZ"); err == nil {
		t.Error("Z is a column")
	}
}

// The graphs, and an outage that has not ended, are those of the route to one address.
func TestAnotherAddressOfTheNameBeginsAnew(t *testing.T) {
	m := New(www)
	from, to := netip.MustParseAddr("198.51.100.20"), netip.MustParseAddr("198.51.100.21")
	shot := func(round int, a netip.Addr, e icmplib.Event) {
		m.Apply(Update{Snapshot: &icmplib.Snapshot{
			Round: round, Time: sent, Route: icmplib.Route{Address: a}, Events: []icmplib.Event{e},
			Results: []icmplib.Result{{Sent: sent, Seq: round - 1, TTL: 1, Status: icmplib.StatusNoReply}},
		}})
	}
	shot(1, from, icmplib.Event{Kind: icmplib.EventOutage})
	shot(2, to, icmplib.Event{Kind: icmplib.EventAddressChange, From: from, To: to})
	track := m.tracks[0]
	if marks := track.marks(1, 2); marks[0].kind != markOpen || marks[1].kind != markLost || track.outage() != nil {
		t.Errorf("marks %v, outage %v", marks, track.outage())
	}
	if want := "new address: 198.51.100.20 -> 198.51.100.21"; !strings.Contains(m.View(), want) && !strings.Contains(m.View(), strings.Replace(want, "->", "→", 1)) {
		t.Errorf("it does not say %q:\n%s", want, m.View())
	}
}
