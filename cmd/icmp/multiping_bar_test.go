package main

import (
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
)

func TestTheBarTellsHowFarTheSweepIs(t *testing.T) {
	for _, tt := range []struct {
		name    string
		targets int64
		says    []string
	}{
		{"of targets that are counted", 254, []string{"3 alive", "(12/254)"}},
		{"of more than anybody can count", -1, []string{"3 alive", "(12/-)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			bar := newProgress(&out, tt.targets)
			bar.update(icmplib.Progress{Targets: 20, Completed: 12, Alive: 3})
			for _, want := range tt.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q: %q", want, &out)
				}
			}
			out.Reset()
			bar.hide()
			if got := out.String(); got == "" || strings.Trim(got, " \r") != "" {
				t.Errorf("the line is not cleared: %q", got)
			}
			out.Reset()
			if bar.hide(); out.Len() > 0 {
				t.Errorf("it is cleared again: %q", &out)
			}
		})
	}
}

func TestTheBarTakesOneRow(t *testing.T) {
	var out strings.Builder
	bar := newProgress(&out, 14)
	bar.columns = func() int { return 40 }
	bar.update(icmplib.Progress{Completed: 2, Alive: 2})
	bar.columns = func() int { return 20 }
	bar.update(icmplib.Progress{Completed: 3, Alive: 2})
	rows := strings.Split(out.String(), "\r")[1:]
	if len(rows) != 2 || len(rows[0]) != 39 || len(rows[1]) != 19 || !strings.HasPrefix(rows[1], "2 alive  21%") {
		t.Errorf("the rows are %q", rows)
	}
}

func TestThereIsNoBarWhereNobodyLooks(t *testing.T) {
	for _, line := range [][]string{nil, {"--json"}, {"-q"}} {
		var out strings.Builder
		bar := parseMultiping(t, line...).bar(terminal{strings.NewReader(""), &out, &out}, 10)
		bar.update(icmplib.Progress{Completed: 5})
		bar.hide()
		if out.Len() > 0 {
			t.Errorf("%q prints %q", line, &out)
		}
	}
}

// Results that go elsewhere, as with --json > file, take no bar away.
func TestTheBarGivesWayToResultsOnItsScreenOnly(t *testing.T) {
	for _, shared := range []bool{false, true} {
		var bar, out strings.Builder
		s := parseMultiping(t).sweep(nil, &icmplib.MultiPingOptions{Count: 1}, &targetList{}, &everyAddress{}, terminal{out: &out, err: &out})
		s.bar, s.shared = newProgress(&bar, 10), shared
		s.bar.update(icmplib.Progress{Completed: 1})
		shown := bar.Len()
		s.done(aliveHost(), hostAlive)
		if hidden := bar.Len() > shown; hidden != shared || out.Len() == 0 {
			t.Errorf("on one screen %v: it is hidden: %v", shared, hidden)
		}
	}
}
