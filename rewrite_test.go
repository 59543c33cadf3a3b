package icmplib

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/rewrite"
)

func TestRewriteIsWords(t *testing.T) {
	for r := range Rewrite(1 << len(rewriteFields.Words)) {
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

// The bits of the package that compares headers are those of the API.
func TestRewriteHasTheBitsOfTheComparison(t *testing.T) {
	for bit, want := range map[rewrite.Fields]Rewrite{
		rewrite.Source: RewriteSource, rewrite.SourcePort: RewriteSourcePort, rewrite.DestinationPort: RewriteDestinationPort,
		rewrite.Checksum: RewriteChecksum, rewrite.TrafficClass: RewriteTrafficClass, rewrite.FlowLabel: RewriteFlowLabel,
		rewrite.DontFragment: RewriteDontFragment,
	} {
		if Rewrite(bit) != want {
			t.Errorf("%v, want %v", Rewrite(bit), want)
		}
	}
}

// Silent hops, and those whose answers quote nothing, are no witnesses.
func TestRewritesAreThoseOfHopsThatQuote(t *testing.T) {
	same := Quoted{Source: netip.MustParseAddr("192.0.2.1"), TTL: 1}
	class := same
	class.TrafficClass = 8
	r := Route{Hops: []Hop{{Distance: 1}, {Distance: 2}, {Distance: 3}, {Distance: 4}, {Distance: 5}}}
	for i, seen := range map[int]Quoted{1: same, 2: {}, 3: class} {
		r.Hops[i].Responders = []Responder{{Quoted: seen}}
	}
	if r.SeesRewrites() || r.Rewrites() != nil {
		t.Error("what was sent is not known, and compared")
	}
	for i := range r.Hops {
		r.Hops[i].sent = same.header()
	}
	if got, want := rewritesFigure(&r), "2-4:traffic-class?"; !r.SeesRewrites() || got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
