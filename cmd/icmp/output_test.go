package main

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// hostile are targets that would do something to a terminal, or are no text.
var hostile = []string{"\x1b[31mred", "nul\x00name", "bad\xffutf8", "del\x7f", "csi\u009b2J", "bidi\u202ename"}

// What a list of targets contains is shown by every command without harm.
func TestHostileTargetsAreShownQuoted(t *testing.T) {
	list := strings.Join(hostile, "\n") + "\n"
	lines := [][]string{
		{"multiping", "--file", "-"}, {"multiping", "--json", "--file", "-"}, {"multiping", "--csv", "--file", "-"},
		{"traceroute", "--file", "-"}, {"traceroute", "--json", "--file", "-"}, {"traceroute", "--csv", "--file", "-"},
	}
	for _, command := range []string{"ping", "traceroute", "probe", "mtr"} {
		for _, word := range hostile {
			if !strings.Contains(word, "\x00") { // no argument has one
				plain := map[string]string{"mtr": "--report"}[command]
				lines = append(lines, slices.DeleteFunc([]string{command, plain, word}, func(s string) bool { return s == "" }), []string{command, "--json", word})
			}
		}
	}
	for _, line := range lines {
		c := runLineWith(t.Context(), list, line...)
		for _, text := range []string{c.stdout, c.stderr} {
			if !utf8.ValidString(text) {
				t.Errorf("%q prints what is no text: %q", line, text)
			}
			for _, r := range text {
				if !unicode.IsPrint(r) && r != '\n' || r == utf8.RuneError {
					t.Errorf("%q prints %q in %q", line, r, text)
					break
				}
			}
		}
		if c.code != exitNoName {
			t.Errorf("%q ends with %d: %s%s", line, c.code, c.stdout, c.stderr)
		}
	}
}

// A spreadsheet takes what begins so for a formula.
func TestCellsAreNoFormulas(t *testing.T) {
	c := runLineWith(t.Context(), "=1+1\n@name\n+name\n", "multiping", "--csv", "--file", "-")
	cells, err := csv.NewReader(strings.NewReader(c.stdout)).ReadAll()
	if err != nil || len(cells) != 4 {
		t.Fatalf("%v\n%s%s", err, c.stdout, c.stderr)
	}
	for _, line := range cells[1:] {
		if name := line[0]; !strings.HasPrefix(name, "'") {
			t.Errorf("a cell is %q", name)
		}
	}
	for cell, want := range map[string]string{"-1.5": "-1.5", "-name": "'-name", "": "", "name": "name"} {
		if got := csvCell(cell); got != want {
			t.Errorf("%q becomes %q", cell, got)
		}
	}
}

// full is a disk without room.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.room)
	if f.room -= n; n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// A result that was not written is no success, whatever the format.
func TestWriteErrorsAreToldAndFail(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, line := range [][]string{
			{"ping", "-c", "1", "127.0.0.1"}, {"ping", "--json", "-c", "1", "127.0.0.1"},
			{"multiping", "--json", "127.0.0.1"}, {"multiping", "--csv", "127.0.0.1"},
			{"traceroute", "--json", "127.0.0.1"}, {"traceroute", "127.0.0.1"}, {"doctor"}, {"doctor", "--json"},
			{"probe", "127.0.0.1"}, {"probe", "--json", "127.0.0.1"}, {"mtr", "--json", "-c", "1", "127.0.0.1"},
			{"completion", "bash"}, {"schema"}, {"--help"},
		} {
			for _, room := range []int{0, 20} {
				var stderr strings.Builder
				code := run(t.Context(), line, strings.NewReader(""), &full{room}, &stderr)
				if code != exitFailure || !strings.Contains(stderr.String(), "standard output: no space left on device") {
					t.Errorf("%q with room for %d bytes ends with %d and says %q", line, room, code, stderr.String())
				}
			}
		}
	})
	if o := (&output{out: &full{}, fail: func(error) {}}); o.failure() != nil {
		t.Error("nothing was written, and it failed")
	} else if _, err := o.Write([]byte("x")); !errors.Is(err, syscall.ENOSPC) || !errors.Is(o.failure(), syscall.ENOSPC) {
		t.Errorf("a write without room: %v", err)
	}
}
