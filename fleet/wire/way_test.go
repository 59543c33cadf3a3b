package wire

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
)

// traced is a route in words: addresses, a|b for several, * for silence, and ! behind a target
// that was reached.
func traced(words string) *icmplib.Route {
	r := &icmplib.Route{}
	words, r.Reached = strings.CutSuffix(words, "!")
	for i, word := range strings.Fields(words) {
		h := icmplib.Hop{Distance: i + 1}
		for addr := range strings.SplitSeq(word, "|") {
			if addr != "*" {
				h.Responders = append(h.Responders, icmplib.Responder{Address: netip.MustParseAddr("10.0.0." + addr)})
			}
		}
		r.Hops = append(r.Hops, h)
	}
	return r
}

func TestAWayChangesWhereTwoKnownAddressesDiffer(t *testing.T) {
	for _, c := range []struct {
		before, now string
		changed     []int
	}{
		{"1 2 9!", "1 2 9!", nil},
		{"1 2 9!", "1 3 9!", []int{2}},
		{"1 2 9!", "4 3 9!", []int{1, 2}},
		{"1 2 9!", "1 * 9!", nil},          // silent once
		{"1 * 9!", "1 2 9!", nil},          // and heard again
		{"1 2 9!", "* * 9!", nil},          //
		{"1 2 9!", "1 2 * * *", nil},       // the target is silent
		{"1 2 9!", "", nil},                //
		{"1 2 9!", "1 2 * 9!", nil},        // the target was silent at its own distance
		{"1 2 * * 9!", "1 2 9!", nil},      //
		{"1 2 9!", "1 2 3 9!", []int{3}},   // a longer way
		{"1 2 3 9!", "1 2 9!", []int{3}},   // a shorter one
		{"1 2 9!", "1 2 * 3", []int{4}},    // somebody where the target had been reached
		{"1 2 9!", "1 2 5", []int{3}},      //
		{"1 2|3 9!", "1 3 9!", nil},        // two routers share the load
		{"1 2|3 9!", "1 3|4 9!", nil},      //
		{"1 2|3 9!", "1 4|5 9!", []int{2}}, //
		{"1 2|9 9!", "1 9!", nil},          // branches of two lengths
		{"1 2", "1 2 3 9!", nil},           // a trace that ended early
	} {
		before, now := WayOf(traced(c.before)), WayOf(traced(c.now))
		if got := before.Changed(now); !slices.Equal(got, c.changed) {
			t.Errorf("%s, then %s: changed at %v, want %v", c.before, c.now, got, c.changed)
		}
		if got := now.Changed(before); !slices.Equal(got, c.changed) {
			t.Errorf("%s, then %s: changed at %v, want %v", c.now, c.before, got, c.changed)
		}
	}
}

// What was known before a silence is known behind it.
func TestJoinedWaysForgetNothing(t *testing.T) {
	way := WayOf(traced("1 2 9!"))
	for _, again := range []string{"1 * 9!", "* * *", "", "1 2 * 9!"} {
		way = way.Join(WayOf(traced(again)))
	}
	if got := way.Changed(WayOf(traced("1 3 9!"))); !slices.Equal(got, []int{2}) {
		t.Errorf("changed at %v", got)
	}
	way = WayOf(traced("1 2 9!")).Join(WayOf(traced("1 2|3 9!")))
	if got := way.Changed(WayOf(traced("1 3 9!"))); got != nil {
		t.Errorf("a balanced hop changed at %v", got)
	}
	text := WayOf(traced("1 2|3 *")).String()
	if text != "10.0.0.1 10.0.0.2|10.0.0.3 *" {
		t.Error(text)
	}
}

func TestReadWay(t *testing.T) {
	text, err := traced("1 2|3 * 9!").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	way, err := ReadWay(text)
	if err != nil || way.String() != "10.0.0.1 10.0.0.2|10.0.0.3 * 10.0.0.9" || way.Known() != 3 || !way.reached {
		t.Errorf("%v, %v", way, err)
	}
	if _, err := ReadWay([]byte("{")); err == nil {
		t.Error("half a route is read")
	}
}
