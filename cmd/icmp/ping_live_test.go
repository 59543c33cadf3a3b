package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/goicmp/icmplib"
)

func TestTheLiveTable(t *testing.T) {
	interrupted := 0
	over := make(chan struct{})
	close(over)
	var m tea.Model = liveModel{
		draw:      tableOf(looks{}).lines,
		over:      over,
		interrupt: func() { interrupted++ },
	}
	if got := m.View().Content; got != "" {
		t.Errorf("it draws before the size is known: %q", got)
	}
	m, _ = m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if got := m.View().Content; !strings.HasPrefix(got, "HOST ") || strings.Count(got, "\n") != 6 {
		t.Errorf("got\n%s", got)
	}
	m, _ = m.Update(tea.WindowSizeMsg{Width: 80, Height: 4})
	if got := m.View().Content; strings.Count(got, "\n") != 2 || !strings.Contains(got, "and 5 more, 1 alive") {
		t.Errorf("in 4 lines of which one stays free, got\n%s", got)
	}
	if got, want := m.(liveModel).erase(), "\r\x1b[2A\x1b[J"; got != want {
		t.Errorf("it is erased with %q, want %q", got, want)
	}
	if _, next := m.Update(redrawMsg{}); next == nil {
		t.Error("it is drawn once only")
	}
	if _, end := m.Update(overMsg{}); end == nil || end() != tea.Quit() {
		t.Error("it does not end when the pings are over")
	}
	for _, key := range []tea.KeyPressMsg{{Code: 'c', Mod: tea.ModCtrl}, {Code: 'q', Text: "q"}, {Code: 'x', Text: "x"}} {
		m.Update(key)
	}
	if interrupted != 2 {
		t.Errorf("%d interrupts, want 2: of Ctrl-C and q", interrupted)
	}
}

func TestTheLiveTableEndsInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		hosts := []*icmplib.Host{{Name: "www.example"}, {Name: "192.0.2.9"}, {Name: "not.there.example"}}
		live := startLive(terminal{out: &out}, hosts, looks{}, nil)
		hosts[0].Address, hosts[1].Address = target4, router4
		late := icmplib.Result{Dst: target4, Status: icmplib.StatusReply, RTT: 3 * time.Second, Seq: 1, Late: true, Sent: someTime}
		for _, r := range []icmplib.Result{reply(0, 20*time.Millisecond), late} {
			hosts[0].Add(r)
			live.result(hosts[0], r)
		}
		live.start(hosts[0])
		hosts[2].Err = icmplib.ErrNameLookup
		for _, h := range hosts {
			live.end(h)
		}
		if got := live.lines(80, 3); len(got) != 3 || !strings.HasPrefix(got[1], "www.example (192.0.~     2     1   50%") || !strings.HasPrefix(got[2], "and 2 more, 0 alive") {
			t.Errorf("while it moves, in 3 lines: %q", got)
		}
		live.summaries(hosts)
		const want = `HOST                  SENT  RECV  LOSS  LAST   AVG  BEST WORST  RTT in ms
www.example (192.0.~     2     1   50%  20.0  20.0  20.0  20.0  _
192.0.2.9                0     0     -     -     -     -     -
not.there.example     name not found
www.example: +1 late
`
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &out, want)
		}
	})
}
