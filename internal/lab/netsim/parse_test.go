package netsim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseErrorsNameLineAndWord(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"seed\n", "line 1: seed: one number from 0 is expected"},
		{"seed x", "line 1: x: one number from 0 is expected"},
		{"# a comment\n\nseeds 1", "line 3: seeds: a line begins with"},
		{"client 192.0.2.300", "line 1: 192.0.2.300: is not an IPv4 or IPv6 address"},
		{"client fe80::1%eth0", "line 1: fe80::1%eth0: is not"},
		{"node", "line 1: node: a node needs a name"},
		{"node 10.0.0.1", "line 1: 10.0.0.1: a name does not look like an address"},
		{"node r loss=3", "line 1: loss=3: unknown word"},
		{"node r delay", "line 1: delay: needs a value"},
		{"node r delay=", "line 1: delay=: needs a value"},
		{"node r delay=5", "line 1: delay=5: a duration from 0 is expected"},
		{"node r delay=-5ms", "line 1: delay=-5ms: a duration from 0 is expected"},
		{"node r tunnel=yes", "line 1: tunnel=yes: has no value"},
		{"node r tunnel@3", "line 1: tunnel@3: cannot be limited"},
		{"node r lose@0", "line 1: lose@0: packets are counted from 1"},
		{"node r lose@101%", "line 1: lose@101%: a probability is"},
		{"node r lose@NaN%", "line 1: lose@NaN%: a probability is"},
		{"node r lose@every/0", "line 1: lose@every/0: every/N needs"},
		{"node r lose@dns:3", `line 1: lose@dns:3: unknown traffic "dns"`},
		{"node r mtu=67", "line 1: mtu=67: a number from 68 to 65535 is expected"},
		{"node r refuse=never", "line 1: refuse=never: an error's name"},
		{"node r refuse=host:3", "line 1: refuse=host:3: has no value"},
		{"node r mpls=1048576", "line 1: mpls=1048576: LABEL,"},
		{"node r interface=up", "line 1: interface=up: the role of an interface"},
		{"node r object=1/2", "line 1: object=1/2: CLASS/TYPE/HEX"},
		{"node r tcp=80,x", "line 1: tcp=80,x: a number from 0 to 65535"},
		{"path r t", "line 1: path: a path needs at least one destination"},
		{"path 10.0.0.0/8", "line 1: path: a path needs at least one node"},
		{"path 10.0.0.0/33 r", "line 1: 10.0.0.0/33: netip.ParsePrefix"},
		{"path 10.0.0.0/8 flow(a|b", "line 1: path: branches are not closed"},
		{"path 10.0.0.0/8 a | b", "line 1: |: there are no branches"},
		{"path 10.0.0.0/8 best( a )", `line 1: best(: unknown kind of branches "best"`},
		{"path 10.0.0.0/8 flow:port( a )", `line 1: flow:port(: unknown field "port"`},
		{"path 10.0.0.0/8 turn:id( a )", "line 1: turn:id(: turn branches have no fields"},
		{"path ::/0 " + strings.Repeat("flow( ", 20), "line 1: flow(: too many branches"},
		{"spoof guesses=0", "line 1: guesses=0: a number from 1"},
		{"noise", "line 1: noise: unknown word"},
		{"noise replies", "line 1: noise: noise needs a rate"},
		{"noise loud rate=1", "line 1: loud: unknown word"},
	} {
		_, err := ParseString(tc.text)
		var parseError *ParseError
		if !errors.As(err, &parseError) || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	for _, tc := range []struct {
		text string
		want error
	}{
		{"", errNoClient},
		{clients + "node r\n# and again\nnode r", errTwice},
		{clients + "path ::/0 r", errUnknownNode},
		{clients + "node r\npath ::/0 time:1m( r )", errBadTimes},
		{clients + "node r\npath ::/0 loop( r ) r", errBadLoop},
		{clients + "node r\npath ::/0 loop( r | r )", errBadLoop},
		{clients + "node r\npath ::/0 loop( )", errBadLoop},
		{clients + "node r\npath ::/0 flow( | )", errNoRoute},
	} {
		spec, err := ParseString(tc.text)
		if err != nil {
			t.Fatalf("%q: %v", tc.text, err)
		}
		line := fmt.Sprintf("line %d: ", strings.Count(tc.text, "\n")+1) // the last one has it
		if _, err = New(spec); !errors.Is(err, tc.want) || tc.text != "" && !strings.HasPrefix(err.Error(), line) {
			t.Errorf("%q: got %v, want %s%v", tc.text, err, line, tc.want)
		}
	}
}

func TestParseReadsWhatItSays(t *testing.T) {
	spec, err := ParseString(`
		seed 0x10
		node r 10.0.0.1 ::1 delay=1ms,2ms lose@udp+v6:3-5,9- back-duplicate=2@10% # and so on
		path ::/0 r flow:source+ports( a | b c ) all( )
	`)
	if err != nil {
		t.Fatal(err)
	}
	r := spec.Nodes[0]
	lose := When{Only: UDP | V6, Nth: []Range{{3, 5}, {9, 0}}}
	if spec.Seed != 16 || len(r.Addresses) != 2 || !reflect.DeepEqual(r.Delay, []time.Duration{1e6, 2e6}) ||
		!reflect.DeepEqual(r.Forward.Lose, lose) || r.Back.Copies != 2 || r.Back.Duplicate.Share != 0.1 {
		t.Errorf("spec %+v", spec)
	}
	want := []Element{
		{Node: "r"},
		{Fields: FieldSource | FieldPorts, Branches: [][]Element{{{Node: "a"}}, {{Node: "b"}, {Node: "c"}}}},
		{Balance: All, Branches: [][]Element{nil}},
	}
	if got := spec.Paths[0].Route; !reflect.DeepEqual(got, want) {
		t.Errorf("route %+v, want %+v", got, want)
	}
}

// load reads a network of testdata.
func load(t testing.TB, name string) *Network {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return MustParse(string(text))
}

func TestNetworksInFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.net")
	if err != nil || len(files) == 0 {
		t.Fatal("no networks", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) { compareRuns(t, load(t, file), load(t, file)) })
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.net")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(clients + "node a\npath ::/0 0.0.0.0/0 loop( a all( a | a ) )")
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := ParseString(text)
		if err != nil {
			if e := (*ParseError)(nil); errors.As(err, &e) && (e.Line < 1 || e.Word == "") {
				t.Errorf("error without line or word: %v", err)
			}
			return
		}
		n, err := New(spec)
		if err != nil {
			return
		}
		for _, p := range [][]byte{probe{to: target4, ttl: 3}.echo(), probe{to: target6}.echo(), probe{to: target4, ttl: 255}.udp()} {
			n.Send(start, p)
		}
	})
}
