package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

// tableOf has a target of each fate.
func tableOf(l looks) *pingTable {
	const ms = time.Millisecond
	silence := func(seq int) icmplib.Result {
		return icmplib.Result{Dst: target4, Status: icmplib.StatusNoReply, Seq: seq, Sent: someTime}
	}
	refused := icmplib.Result{Dst: target4, Responder: router4, Status: icmplib.StatusUnreachable, Seq: 0, Sent: someTime}
	t := &pingTable{looks: l}
	add := func(name string, fault error, results ...icmplib.Result) {
		row := pingRow{name: name, fault: fault}
		for _, r := range results {
			row.stats.Add(r)
			row.trail.add(r)
		}
		t.rows = append(t.rows, row)
	}
	var steady []icmplib.Result
	for seq := range 40 {
		steady = append(steady, reply(seq, 20*ms+time.Duration(seq%8)*ms))
	}
	add("192.0.2.7", nil, steady...)
	add("www.example (192.0.2.8)", nil, reply(0, 104*ms), silence(1), reply(2, 98*ms), reply(3, 150*ms))
	add("2001:db8:1234:5678:9abc:def0:1234:5678", nil, silence(0), silence(1))
	add("192.0.2.9", nil, refused)
	add("not.there.example", fmt.Errorf("cannot resolve: %w", icmplib.ErrNameLookup))
	add("192.0.2.10", nil)
	return t
}

func TestPingTable(t *testing.T) {
	for _, tt := range []struct {
		file          string
		width, height int
		looks         looks
	}{
		{"80x24", 80, 24, looks{unicode: true}},
		{"80x24_ascii", 80, 24, looks{}},
		{"80x24_color", 80, 24, looks{unicode: true, color: true}},
		{"80x5", 80, 5, looks{unicode: true}},
		{"120x24", 120, 24, looks{unicode: true}},
		{"40x24", 40, 24, looks{unicode: true}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			lines := tableOf(tt.looks).lines(tt.width, tt.height)
			got := strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "\x1b", "ESC")
			want, err := os.ReadFile("testdata/ping_table/" + tt.file + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAPingTableFitsIntoAnyTerminal(t *testing.T) {
	for _, look := range []looks{{}, {unicode: true}, {unicode: true, color: true}} {
		for width := 1; width <= 150; width++ {
			for _, height := range []int{1, 3, 50} {
				lines := tableOf(look).lines(width, height)
				if len(lines) > max(height, 2) {
					t.Fatalf("%dx%d: %d lines", width, height, len(lines))
				}
				for _, line := range lines {
					if got := lipgloss.Width(line); got > max(width, 13) { // loss and mean are always there
						t.Fatalf("%dx%d: %d columns: %s", width, height, got, line)
					}
					if look.color == (ansi.Strip(line) == line) && strings.HasPrefix(line, "HOST") {
						t.Fatalf("%+v: %q", look, line)
					}
				}
			}
		}
	}
}

func TestALossIsNeverRoundedAway(t *testing.T) {
	for _, tt := range []struct {
		lost, of int
		want     string
	}{
		{0, 0, "-"}, {0, 1, "0%"}, {1, 1, "100%"}, {1, 3, "33.3%"}, {2, 3, "66.7%"}, {1, 10_000, "0.01%"}, {9_999, 10_000, "99.99%"},
	} {
		s := &icmplib.Stats{PacketsSent: tt.of, PacketsReceived: tt.of - tt.lost, Silent: tt.lost}
		if got := lossCell(s); got != tt.want {
			t.Errorf("%d of %d lost: got %s, want %s", tt.lost, tt.of, got, tt.want)
		}
	}
}

func TestAFaultIsALineOfTheTable(t *testing.T) {
	if got := shortFault(errors.New("socket: denied\nand how to mend it")); got != "socket: denied" {
		t.Errorf("got %q", got)
	}
}

// What was not sent is a part of the loss, and has a column once there is any.
func TestWhatWasNotSentIsAColumnOfTheTable(t *testing.T) {
	table := tableOf(looks{})
	if header := table.lines(80, 24)[0]; strings.Contains(header, unsentTitle) {
		t.Errorf("everything was sent, and there is %q", header)
	}
	for range 2 {
		table.rows[0].stats.Add(icmplib.Result{Status: icmplib.StatusNetworkDown})
	}
	for _, width := range []int{40, 80, 120} {
		if header := table.lines(width, 24)[0]; !strings.Contains(header, unsentTitle) {
			t.Errorf("two probes were not sent, and there is %q", header)
		}
	}
}
