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

// parse reads "TOKEN COMMAND [NAME VALUE]..." into the memory of an earlier command,
// and reports whether it is one.
func (c *command) parse(line string) bool {
	*c = command{arguments: c.arguments[:0]}
	n := 0
	var name string
	for word := range strings.FieldsSeq(line) {
		switch {
		case n == 0:
			c.token = leadingNumber(word)
		case n == 1:
			c.name = word
		case n%2 == 0:
			name = word
		case len(c.arguments) == maxArguments:
			return false
		default:
			c.arguments = append(c.arguments, argument{name, word})
		}
		n++
	}
	return n >= 2 && n%2 == 0
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
