package mda

import "testing"

func TestWhatIsKnownOfAnAsk(t *testing.T) {
	tb := newTable(usual()) // Count is 2
	for _, tt := range []struct {
		name                   string
		a                      ask
		settled, silent, wants bool
	}{
		{"nothing is wanted", ask{}, false, false, false},
		{"nothing was sent", ask{want: 1}, false, false, true},
		{"in flight", ask{want: 1, sent: 1, open: 1}, false, false, true},
		{"the last is in flight", ask{want: 1, sent: 2, open: 1}, false, false, false},
		{"one was in vain", ask{want: 1, sent: 1}, false, false, true},
		{"all were in vain", ask{want: 1, sent: 2}, true, true, false},
		{"one does not count", ask{want: 1, sent: 2, discarded: 1}, false, false, true},
		{"two count of three", ask{want: 1, sent: 3, discarded: 1}, true, true, false},
		{"answered", ask{want: 1, sent: 1, answered: 1}, true, false, false},
		{"to be sent again", ask{want: 2, sent: 1, answered: 1}, true, false, true},
		{"sent again", ask{want: 2, sent: 2, answered: 1, open: 1}, true, false, false},
		{"5 of 6 were sent again", ask{want: 2, sent: 5, answered: 1}, true, false, true},
		{"6 of 6 were sent again", ask{want: 2, sent: 6, answered: 1}, true, false, false},
	} {
		settled, silent, wants := tb.settled(&tt.a), tb.silent(&tt.a), tb.wants(&tt.a)
		if settled != tt.settled || silent != tt.silent || wants != tt.wants {
			t.Errorf("%s: settled %v, silent %v, wanted %v", tt.name, settled, silent, wants)
		}
	}
}

func TestWhenAHopIsKnown(t *testing.T) {
	for _, tt := range []struct {
		name         string
		a            ask // of flow 0 at the second hop
		asked, known bool
	}{
		{"nothing is wanted", ask{}, false, false},
		{"in flight", ask{want: 1, sent: 1, open: 1}, true, false},
		{"answered", ask{want: 1, sent: 1, answered: 1}, true, true},
		{"answered twice", ask{want: 1, sent: 2, answered: 1, open: 1}, true, true},
		{"sent again", ask{want: 2, sent: 2, answered: 1, open: 1}, true, false},
		{"sent again in vain", ask{want: 2, sent: 6, answered: 1}, true, true},
	} {
		tr := met(t, usual(), "r:0")
		*tr.ask(1, 0) = tt.a
		if asked, known := tr.isAsked(1), tr.known(1); asked != tt.asked || known != tt.known || tr.knownUpTo(1) != known || !tr.knownUpTo(0) {
			t.Errorf("%s: asked %v, known %v", tt.name, asked, known)
		}
	}
}

func TestWhereAFlowMayBeAskedFor(t *testing.T) {
	tr := met(t, short(4), "r:01 / a:01 / t.:0 b:1")
	for _, tt := range []struct {
		hop, flow int
		want      bool
	}{{3, 0, false}, {3, 1, true}, {2, 1, true}, {0, 7, true}, {3, 7, false}} {
		if got := tr.want(tt.hop, tt.flow); got != tt.want {
			t.Errorf("flow %d is asked for at hop %d: %v", tt.flow, tt.hop+1, got)
		}
		if got := tr.ask(tt.hop, tt.flow).want > 0; got != tt.want {
			t.Errorf("flow %d is wanted at hop %d: %v", tt.flow, tt.hop+1, got)
		}
	}
}

func TestWhichFlowsAreDrawn(t *testing.T) {
	tr := met(t, usual(), "r:012 / t.:0 b:12 / c:12")
	if tr.draw(2, 1); tr.ask(1, 3).want != 1 || tr.ask(2, 3).want != 0 || tr.ask(1, 4).want != 0 {
		t.Error("behind the nearest end, a further flow is not drawn at that, or more than one is")
	}
	cfg := usual()
	cfg.Flows = 2
	tr = met(t, cfg, "r:0")
	if tr.draw(0, 9); len(tr.hops[0].asks) != 2 || tr.ask(0, 1).want != 1 {
		t.Errorf("%d flows are drawn, though there may be 2", len(tr.hops[0].asks))
	}
}
