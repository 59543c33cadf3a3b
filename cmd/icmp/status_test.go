package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheStatusGivesWayToOutput(t *testing.T) {
	var out strings.Builder
	s := &status{out: &out}
	s.set("1 of 3")
	s.set("1 of 3")
	(&beside{&out, s}).Write([]byte("line\n"))
	s.set("2 of 3")
	s.end()
	s.hide()
	if got, want := out.String(), clearLine+"1 of 3"+clearLine+"line\n"+clearLine+"2 of 3"+clearLine; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheStatusTellsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		s := &status{out: &out}
		s.follow(func(elapsed time.Duration) string { return "for " + seconds(elapsed) })
		time.Sleep(2500 * time.Millisecond)
		s.end()
		if got, want := out.String(), clearLine+"for 0s"+clearLine+"for 1s"+clearLine+"for 2s"+clearLine; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestThereIsNoStatusWhereNobodyLooks(t *testing.T) {
	var out strings.Builder
	s, term := newStatus(terminal{out: &out, err: &out})
	s.follow(func(time.Duration) string { return "x" })
	s.set("x")
	s.end()
	if out.Len() > 0 || term.out != &out {
		t.Errorf("it writes %q", &out)
	}
}
