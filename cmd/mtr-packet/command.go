package main

import (
	"strconv"
	"strings"
)

// maxArguments is how many names and values a command has at the most.
const maxArguments = 16

// command is a line: a token that its answer is to carry, a name, and
// arguments.
type command struct {
	token     int
	name      string
	arguments []argument
}

type argument struct{ name, value string }

// parseCommand reads "TOKEN COMMAND [NAME VALUE]...".
func parseCommand(line string) (c command, ok bool) {
	words := strings.Fields(line)
	if len(words) < 2 || len(words)%2 != 0 || len(words)-2 > 2*maxArguments {
		return c, false
	}
	c.token, c.name = leadingNumber(words[0]), words[1]
	for i := 2; i < len(words); i += 2 {
		c.arguments = append(c.arguments, argument{words[i], words[i+1]})
	}
	return c, true
}

// get returns the value of an argument; of several of one name, the last.
func (c *command) get(name string) (value string, ok bool) {
	for _, a := range c.arguments {
		if a.name == name {
			value, ok = a.value, true
		}
	}
	return value, ok
}

// leadingNumber returns the number that a word begins with, as strtol(3) does: 0
// for a word that begins with none. Tokens are read like that.
func leadingNumber(word string) int {
	end := 0
	for end < len(word) && (word[end] >= '0' && word[end] <= '9' || end == 0 && (word[0] == '-' || word[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(word[:end], 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
