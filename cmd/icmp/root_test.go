package main

import "testing"

// A command line gets the commands that it needs: its own, or all of them.
func TestACommandLineMakesTheCommandsThatItNeeds(t *testing.T) {
	all := len(newRootCommand(nil).Commands())
	for _, tt := range []struct {
		words []string
		want  int
	}{
		{[]string{"ping", "127.0.0.1"}, 1},
		{[]string{"traceroute"}, 1},
		{[]string{"pong"}, all},
		{[]string{"--help"}, all},
		{[]string{"help", "ping"}, all},
		{[]string{"man", "pages"}, all},
		{[]string{"completion", "bash"}, all},
		{[]string{"__complete", "ping", ""}, all},
	} {
		if got := len(newRootCommand(tt.words).Commands()); got != tt.want {
			t.Errorf("%q: %d commands, want %d", tt.words, got, tt.want)
		}
	}
}
