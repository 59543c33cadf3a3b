package main

import "testing"

func TestWhatATerminalCanShow(t *testing.T) {
	for _, tt := range []struct {
		name  string
		env   map[string]string
		flags looksFlags
		want  looks
	}{
		{"an ordinary one", map[string]string{"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, looksFlags{}, looks{true, true, true}},
		{"another locale", map[string]string{"TERM": "xterm", "LANG": "C"}, looksFlags{}, looks{false, true, true}},
		{"LC_ALL comes first", map[string]string{"TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C"}, looksFlags{}, looks{false, true, true}},
		{"LC_CTYPE comes second", map[string]string{"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.utf8"}, looksFlags{}, looks{true, true, true}},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1"}, looksFlags{}, looks{true, false, true}},
		{"an empty NO_COLOR says nothing", map[string]string{"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": ""}, looksFlags{}, looks{true, true, true}},
		{"the console of Linux", map[string]string{"TERM": "linux", "LANG": "C.UTF-8"}, looksFlags{}, looks{false, true, true}},
		{"one that only prints", map[string]string{"TERM": "dumb", "LANG": "C.UTF-8"}, looksFlags{}, looks{true, false, false}},
		{"Windows Terminal", map[string]string{"WT_SESSION": "8f3b"}, looksFlags{}, looks{true, true, true}},
		{"--ascii", map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}, looksFlags{ascii: true}, looks{false, true, true}},
		{"--no-color", map[string]string{"TERM": "xterm", "LANG": "C.UTF-8"}, looksFlags{noColor: true}, looks{true, false, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.flags.apply(looksOf(func(name string) string { return tt.env[name] })); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
