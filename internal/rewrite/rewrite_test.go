package rewrite

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib/internal/engine"
)

// quotedFrom is how a hop sees an unchanged UDP probe from an address; change
// says what it sees otherwise.
func quotedFrom(source string, change func(q *Header)) Header {
	q := Header{
		Source: netip.MustParseAddr(source), SourcePort: 40000, DestinationPort: 33434,
		Shift: engine.Shift{Known: true, FromSent: true, Addresses: true},
	}
	if change != nil {
		change(&q)
	}
	return q
}

// A route is what its hops saw, one after the other; what was sent is what the
// first of these tests has no change of.
func TestRewritesNeedAWitness(t *testing.T) {
	const a = "192.0.2.1"
	same := quotedFrom(a, nil)
	class := quotedFrom(a, func(q *Header) { q.TrafficClass = 8 })
	sum := quotedFrom(a, func(q *Header) { q.Shift.Sum = 77 })
	other := quotedFrom(a, func(q *Header) { q.Shift.Sum = 78 })
	noSum := quotedFrom(a, func(q *Header) { q.Shift = engine.Shift{} })
	label := quotedFrom(a, func(q *Header) { q.FlowLabel = 5 })
	nothing := Header{}
	for _, tt := range []struct {
		name string
		seen []Header
		want string
	}{
		{"nothing is rewritten", []Header{same, same, same}, ""},
		{"nobody quotes", []Header{nothing, nothing}, ""},
		{"two hops see it", []Header{same, class, class}, "1-2:16"},
		{"the last hop sees it", []Header{same, same, class}, "2-3:16?"},
		{"one hop sees it, and no other", []Header{same, class, same}, ""},
		{"one hop sees it, and a silent one is behind it", []Header{same, class, nothing, class}, "1-2:16"},
		{"the first hop sees it", []Header{class, class}, "0-1:16"},
		{"the first hop alone sees it", []Header{class, same}, ""},
		{"it is rewritten, and back", []Header{same, class, class, same, same}, "1-2:16 3-4:16"},
		{"a checksum of its own", []Header{same, sum, sum}, "1-2:8"},
		{"another checksum for each", []Header{same, sum, other, same}, ""},
		{"a checksum that is not quoted", []Header{same, noSum, same}, ""},
		{"and the change is behind it", []Header{same, noSum, sum, sum}, "2-3:8"},
		{"a flow label that the system chose", []Header{same, label, label}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen []Seen
			for i, h := range tt.seen {
				if h.IsKnown() {
					seen = append(seen, Seen{h, i + 1})
				}
			}
			sent := same
			if got := figure(Points(&sent, seen)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Of each field it is known where it is rewritten, and that a hop that sees it alone quotes
// in its own way.
func TestEachFieldNeedsAWitness(t *testing.T) {
	same := quotedFrom("192.0.2.1", func(q *Header) { q.FlowLabel, q.Shift = 3, engine.Shift{} })
	for field, change := range map[Fields]func(q *Header){
		Source:          func(q *Header) { q.Source = netip.MustParseAddr("192.0.2.3") },
		SourcePort:      func(q *Header) { q.SourcePort++ },
		DestinationPort: func(q *Header) { q.DestinationPort++ },
		TrafficClass:    func(q *Header) { q.TrafficClass++ },
		FlowLabel:       func(q *Header) { q.FlowLabel++ },
		DontFragment:    func(q *Header) { q.DontFragment = true },
	} {
		other := same
		change(&other)
		for want, seen := range map[string][]Seen{
			fmt.Sprintf("1-2:%d", field): {{same, 1}, {other, 2}, {other, 3}},
			"":                           {{same, 1}, {other, 2}, {same, 3}},
			fmt.Sprintf("1-2:%d 3-4:%d?", field, field): {{same, 1}, {other, 2}, {other, 3}, {same, 4}},
		} {
			if got := figure(Points(&same, seen)); got != want {
				t.Errorf("field %d: got %q, want %q", field, got, want)
			}
		}
	}
}

// A checksum that agrees with the fields that are seen rewritten is not
// rewritten by itself.
func TestARewrittenFieldExplainsTheChecksum(t *testing.T) {
	before := quotedFrom("192.0.2.1", nil)
	after := quotedFrom("192.0.2.3", func(q *Header) {
		q.SourcePort = 40005
		q.Shift.Sum = 2 + 5
	})
	if got := Differences(&before, &after); got != Source|SourcePort {
		t.Errorf("differences: %v", got)
	}
	after.Shift.Sum++
	if got := Differences(&before, &after); got != Source|SourcePort|Checksum {
		t.Errorf("differences: %v", got)
	}
}

// Each quote is compared with the last one before it, and the first with what was sent.
func TestAPathIsFollowedFromHopToHop(t *testing.T) {
	same := quotedFrom("192.0.2.1", nil)
	class := quotedFrom("192.0.2.1", func(q *Header) { q.TrafficClass = 8 })
	label := quotedFrom("192.0.2.1", func(q *Header) { q.TrafficClass, q.FlowLabel = 8, 5 })
	nothing, shape := Header{}, Header{SourcePort: 40000, DestinationPort: 33434}
	var path Path
	for i, tt := range []struct {
		seen *Header
		want Fields
	}{
		{&nothing, 0}, {&class, TrafficClass}, {&class, 0}, {&nothing, 0}, {&same, TrafficClass}, {&same, 0},
		{&label, TrafficClass}, // the system may choose a label
	} {
		if got := path.Next(&shape, tt.seen); got != tt.want || path.Sent.IsKnown() != (i > 0) {
			t.Errorf("hop %d: %b, want %b; sent as %+v", i+1, got, tt.want, path.Sent)
		}
	}
	labelled := Path{}
	shape.FlowLabel = 5
	if got := labelled.Next(&shape, &same); got != FlowLabel {
		t.Errorf("a label that was set is gone: %b", got)
	}
}

// figure is the points as "after-before:fields", with "?" behind those that are not sure.
func figure(points []Point) (text string) {
	for i, p := range points {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%d-%d:%d", p.After, p.Before, p.Fields)
		if !p.Sure {
			text += "?"
		}
	}
	return text
}

// What the shape of a probe leaves open is as in the first quote, but for what a translator
// before it may have changed: the address that it was sent from is known.
func TestHowAProbeWasSent(t *testing.T) {
	first := quotedFrom("192.0.2.9", func(q *Header) {
		q.Local, q.TrafficClass, q.FlowLabel, q.DontFragment = netip.MustParseAddr("10.0.0.1"), 3, 7, true
	})
	got := sentAs(&Header{}, &first)
	want := first
	want.Source, want.TrafficClass, want.FlowLabel, want.DontFragment = first.Local, 0, 0, false
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	shape := Header{SourcePort: 1, DestinationPort: 2, TrafficClass: 4, FlowLabel: 5, DontFragment: true}
	want.SourcePort, want.DestinationPort, want.TrafficClass, want.FlowLabel, want.DontFragment = 1, 2, 4, 5, true
	if got := sentAs(&shape, &first); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if changed := got.changed(&got, &first); changed&FlowLabel != 0 || changed&TrafficClass == 0 {
		t.Errorf("a label that the system chose, or no class: %b", changed)
	}
	none := Header{Source: first.Source} // as of ICMP, which has no ports
	if got := sentAs(&shape, &none); got.SourcePort != 0 || got.DestinationPort != 0 {
		t.Errorf("ICMP has ports: %+v", got)
	}
	unsent := first
	unsent.Shift.FromSent, unsent.Shift.Sum = false, 99
	if sent := sentAs(&shape, &unsent); Differences(&sent, &unsent)&Checksum != 0 {
		t.Error("a checksum that is only compared from the first quote on differs there")
	}
}
