package icmplib

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/engine"
)

func TestRewriteIsWords(t *testing.T) {
	for r := range Rewrite(1 << len(rewriteWords)) {
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		back := ^r
		if err := back.UnmarshalText(text); err != nil || back != r || len(r.Words()) > strings.Count(r.String(), ",")+1 {
			t.Errorf("%v from %q, %v", back, text, err)
		}
	}
	var r Rewrite
	if err := r.UnmarshalText([]byte("source,colour")); err == nil {
		t.Error("an unknown word is one of them")
	}
	if s := Rewrite(0).String(); s != "none" {
		t.Errorf("nothing is %q", s)
	}
}

// quotedFrom is how a hop sees an unchanged UDP probe from an address; change
// says what it sees otherwise.
func quotedFrom(source string, change func(q *Quoted)) Quoted {
	q := Quoted{
		Source: netip.MustParseAddr(source), SourcePort: 40000, DestinationPort: 33434, TTL: 1,
		shift: engine.Shift{Known: true, FromSent: true, Addresses: true},
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
	class := quotedFrom(a, func(q *Quoted) { q.TrafficClass = 8 })
	sum := quotedFrom(a, func(q *Quoted) { q.shift.Sum = 77 })
	other := quotedFrom(a, func(q *Quoted) { q.shift.Sum = 78 })
	noSum := quotedFrom(a, func(q *Quoted) { q.shift = engine.Shift{} })
	label := quotedFrom(a, func(q *Quoted) { q.FlowLabel = 5 })
	nothing := Quoted{}
	for _, tt := range []struct {
		name string
		seen []Quoted
		want string
	}{
		{"nothing is rewritten", []Quoted{same, same, same}, "none"},
		{"nobody quotes", []Quoted{nothing, nothing}, "none"},
		{"two hops see it", []Quoted{same, class, class}, "1-2:traffic-class"},
		{"the last hop sees it", []Quoted{same, same, class}, "2-3:traffic-class?"},
		{"one hop sees it, and no other", []Quoted{same, class, same}, "none"},
		{"one hop sees it, and a silent one is behind it", []Quoted{same, class, nothing, class}, "1-2:traffic-class"},
		{"the first hop sees it", []Quoted{class, class}, "0-1:traffic-class"},
		{"the first hop alone sees it", []Quoted{class, same}, "none"},
		{"it is rewritten, and back", []Quoted{same, class, class, same, same}, "1-2:traffic-class,3-4:traffic-class"},
		{"a checksum of its own", []Quoted{same, sum, sum}, "1-2:checksum"},
		{"another checksum for each", []Quoted{same, sum, other, same}, "none"},
		{"a checksum that is not quoted", []Quoted{same, noSum, same}, "none"},
		{"and the change is behind it", []Quoted{same, noSum, sum, sum}, "2-3:checksum"},
		{"a flow label that the system chose", []Quoted{same, label, label}, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Route
			for i, seen := range tt.seen {
				h := Hop{Distance: i + 1, sent: same}
				if i%2 == 0 || seen.isKnown() {
					h.Responders = []Responder{{Quoted: seen}}
				}
				r.Hops = append(r.Hops, h)
			}
			if got := rewritesFigure(&r); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A checksum that agrees with the fields that are seen rewritten is not
// rewritten by itself.
func TestARewrittenFieldExplainsTheChecksum(t *testing.T) {
	before := quotedFrom("192.0.2.1", nil)
	after := quotedFrom("192.0.2.3", func(q *Quoted) {
		q.SourcePort = 40005
		q.shift.Sum = 2 + 5
	})
	if got := differences(&before, &after); got != RewriteSource|RewriteSourcePort {
		t.Errorf("differences: %v", got)
	}
	after.shift.Sum++
	if got := differences(&before, &after); got != RewriteSource|RewriteSourcePort|RewriteChecksum {
		t.Errorf("differences: %v", got)
	}
}
